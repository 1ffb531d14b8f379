/** How a language writes numbers and times. */
import { html, type Html } from '../html.ts';

export type Formats = {
  /** 12345 → `12,345` */
  count(value: number): string;
  /** 1536 → `1.5 kB`. Decimal units, as registries and Debian count. */
  bytes(value: number): string;
  /** 0.9996 → `99.9%`: rounded down, so that 100 % is said of nothing less. */
  percent(share: number): string;
  /** ISO 8601 → `24 Nov 2026` */
  day(iso: string): string;
  /** ISO 8601 for machines, minutes for people; UTC, because the page does not know its reader's zone. */
  time(iso: string): Html;
};

function formatsOf(locale: string, units: readonly string[]): Formats {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const days = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const minutes = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return {
    count: (value) => whole.format(value),
    bytes(value) {
      let [amount, unit] = [value, 0];
      for (; amount >= 1000 && unit < units.length - 1; unit += 1) amount /= 1000;
      return `${(unit === 0 || amount >= 100 ? whole : tenth).format(amount)}\u00a0${units[unit]}`;
    },
    percent: (value) => share.format(Math.floor(value * 1000 + 1e-9) / 1000),
    day: (iso) => days.format(new Date(iso)),
    time: (iso) => html`<time datetime="${iso}">${minutes.format(new Date(iso))} UTC</time>`,
  };
}

/** With the day before the month. */
export const enFormats = formatsOf('en-GB', ['B', 'kB', 'MB', 'GB', 'TB']);
export const frFormats = formatsOf('fr-FR', ['o', 'ko', 'Mo', 'Go', 'To']);
