import { makeBadge } from 'badge-maker';
import type { Verdict } from '../model/verdict.ts';
import type { Status } from '../model/verification.ts';

/** What a badge is drawn of: undefined for an image that nobody has asked about. */
export type BadgeSubject = { status: Status; verdict?: Verdict } | undefined;

/** shields.io names of colours: https://github.com/badges/shields/tree/master/badge-maker#colors */
export type BadgeColor = 'brightgreen' | 'green' | 'yellow' | 'red' | 'blue' | 'lightgrey';
export type Badge = { label: 'conforme'; message: string; color: BadgeColor };

export const BADGE_STYLES = ['flat', 'flat-square', 'plastic', 'for-the-badge', 'social'] as const;
export type BadgeStyle = (typeof BADGE_STYLES)[number];

/** What is shown when the answer cannot be looked up for the moment; never to be cached. */
export const UNAVAILABLE_BADGE: Badge = { label: 'conforme', message: 'unavailable', color: 'lightgrey' };

export function drawBadge(subject: BadgeSubject): Badge {
  const badge = (message: string, color: BadgeColor): Badge => ({ label: 'conforme', message, color });
  if (subject === undefined) return badge('not judged', 'lightgrey');
  switch (subject.status) {
    case 'queued':
    case 'running':
      return badge('judging', 'blue');
    case 'failed':
      return badge('could not judge', 'lightgrey');
    case 'done':
      return subject.verdict === undefined
        ? badge('could not judge', 'lightgrey')
        : badge(messageOf(subject.verdict), colorOf(subject.verdict));
  }
}

function messageOf({ auditable, result, coverage }: Verdict): string {
  switch (auditable) {
    case 'yes':
      return `auditable · ${result}`;
    case 'partly':
      return `${percentage(coverage.accounted)} auditable · ${result}`;
    case 'no':
      return `not auditable · ${result}`;
    case 'unknown':
      return `unknown · ${result}`;
  }
}

/** Green needs both: contents that can be audited, and no rebuild that speaks against them. */
function colorOf({ auditable, result }: Verdict): BadgeColor {
  if (auditable === 'no' || result === 'suspicious') return 'red';
  if (auditable === 'unknown') return 'lightgrey';
  if (auditable === 'partly' || result === 'different') return 'yellow';
  return result === 'not-comparable' ? 'green' : 'brightgreen';
}

/** 0.9996 → `99.9%`: rounded down, so that 100 % is said of nothing less. */
export function percentage(share: number): string {
  const tenths = Math.floor(share * 1000 + 1e-9);
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)}%`;
}

export function badgeSvg(badge: Badge, style: BadgeStyle = 'flat'): string {
  return makeBadge({ ...badge, style });
}

/** https://shields.io/badges/endpoint-badge */
export function badgeEndpoint(badge: Badge): { schemaVersion: 1; label: string; message: string; color: string; cacheSeconds: number } {
  return { schemaVersion: 1, ...badge, cacheSeconds: 300 };
}
