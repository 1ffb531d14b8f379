// ECMA-48 control sequences as a whole, so that no "[31m" stays behind.
// oxlint-disable-next-line no-control-regex
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const FOREIGN_LINE_MAX = 8_000; // characters; bounds the time that the expressions take

/** One line of foreign text as a terminal or a page may show it: nothing that moves, hides or reorders what stands around it. */
export function printableLine(text: string): string {
  return text.slice(0, FOREIGN_LINE_MAX).replaceAll('\t', '    ').replace(SEQUENCES, '').replace(HIDDEN, '');
}

/** The same, but what is hidden is shown as `\u{202e}`: for names, where a character left out would make two names look equal. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => (character === '\n' || character === '\t' ? character : `\\u{${codeOf(character)}}`));
}

const codeOf = (character: string): string => (character.codePointAt(0) ?? 0).toString(16);

/** `sha256:0123456789ab…`: enough to tell two apart by eye; the whole digest is always beside it or behind a link. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 'sha256:'.length + 12)}…`;
}

/** 1536 → `1.5 kB`. Decimal units, as registries and Debian count. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 12345 → `12 345`, with a narrow no-break space. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}
