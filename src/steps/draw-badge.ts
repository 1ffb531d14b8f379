import { makeBadge } from 'badge-maker';
import type { Digest } from '../model/digest.ts';
import { type Auditable, type Result, RESULTS, type Verdict } from '../model/verdict.ts';
import type { Status } from '../model/verification.ts';

/** What a badge is drawn of: undefined for an image that nobody has asked about. `packages` is needed for that metric alone. */
export type BadgeSubject =
  | { status: Status; verdict?: Verdict; verdictDigest?: Digest; packages?: { verified: number; total: number } }
  | undefined;

/** shields.io names of colours: https://github.com/badges/shields/tree/master/badge-maker#colors */
export type BadgeColor = 'brightgreen' | 'green' | 'yellow' | 'red' | 'blue' | 'lightgrey';
export type Badge = {
  label: string;
  message: string;
  color: BadgeColor;
  /** What a pointer that rests on it is told: which verdict, and from when. */
  title?: string;
};

export const BADGE_STYLES = ['flat', 'flat-square', 'plastic', 'for-the-badge', 'social'] as const;
export type BadgeStyle = (typeof BADGE_STYLES)[number];

/** What it says: the policy's answer with the result, or one of them alone, or a number. */
export const BADGE_METRICS = ['verdict', 'auditable', 'result', 'coverage', 'packages'] as const;
export type BadgeMetric = (typeof BADGE_METRICS)[number];

const LABEL = 'conforme';

/** What a badge says; `share` is a percentage as the language writes it. */
export type BadgeWords = {
  notJudged: string;
  judging: string;
  failed: string;
  unavailable: string;
  auditable: string;
  partly(share: string): string;
  notAuditable: string;
  unknown: string;
  accounted(share: string): string;
  noPackages: string;
  verified(verified: number, total: number): string;
  judged(day: string): string;
  verdict: string;
  percent(share: number): string;
  result: Record<Result, string>;
};

export const ENGLISH_BADGE: BadgeWords = {
  notJudged: 'not judged',
  judging: 'judging',
  failed: 'could not judge',
  unavailable: 'unavailable',
  auditable: 'auditable',
  partly: (share) => `${share} auditable`,
  notAuditable: 'not auditable',
  unknown: 'unknown',
  accounted: (share) => `${share} accounted for`,
  noPackages: 'no packages',
  verified: (verified, total) => (verified === total ? `${total} packages verified` : `${verified} of ${total} packages verified`),
  judged: (day) => `judged ${day}`,
  verdict: 'verdict',
  percent: percentage,
  result: Object.fromEntries(RESULTS.map((result) => [result, result])) as Record<Result, string>,
};

/** What is shown when the answer cannot be looked up for the moment; never to be cached. */
export const unavailableBadge = (words: BadgeWords = ENGLISH_BADGE): Badge => ({
  label: LABEL,
  message: words.unavailable,
  color: 'lightgrey',
});

export function drawBadge(
  subject: BadgeSubject,
  metric: BadgeMetric = 'verdict',
  label: string = LABEL,
  words: BadgeWords = ENGLISH_BADGE,
): Badge {
  const badge = (message: string, color: BadgeColor): Badge => ({ label, message, color });
  if (subject === undefined) return badge(words.notJudged, 'lightgrey');
  switch (subject.status) {
    case 'queued':
    case 'running':
      return badge(words.judging, 'blue');
    case 'failed':
      return badge(words.failed, 'lightgrey');
    case 'done': {
      const { verdict, verdictDigest } = subject;
      if (verdict === undefined) return badge(words.failed, 'lightgrey');
      const { message, color } = METRICS[metric](words, verdict, subject);
      const which = verdictDigest === undefined ? '' : `, ${words.verdict} ${verdictDigest}`;
      return { ...badge(message, color), title: `${label}: ${message}, ${words.judged(verdict.freshness.judgedAt.slice(0, 10))}${which}` };
    }
  }
}

type Said = Pick<Badge, 'message' | 'color'>;
const METRICS: Record<BadgeMetric, (words: BadgeWords, verdict: Verdict, subject: NonNullable<BadgeSubject>) => Said> = {
  verdict: (words, verdict) => ({ message: `${answerOf(words, verdict)} · ${words.result[verdict.result]}`, color: colorOf(verdict) }),
  auditable: (words, verdict) => ({ message: answerOf(words, verdict), color: AUDITABLE_COLORS[verdict.auditable] }),
  result: (words, { result }) => ({ message: words.result[result], color: RESULT_COLORS[result] }),
  coverage: (words, { coverage, auditable }) => ({
    message: words.accounted(words.percent(coverage.accounted)),
    color: auditable === 'no' ? 'red' : coverage.accounted === 1 ? 'brightgreen' : 'yellow',
  }),
  packages: (words, { auditable }, { packages }) => {
    if (packages === undefined || packages.total === 0) return { message: words.noPackages, color: 'lightgrey' };
    const { verified, total } = packages;
    return { message: words.verified(verified, total), color: auditable === 'no' ? 'red' : verified === total ? 'brightgreen' : 'yellow' };
  },
};

const AUDITABLE_COLORS: Record<Auditable, BadgeColor> = { yes: 'brightgreen', partly: 'yellow', no: 'red', unknown: 'lightgrey' };
const RESULT_COLORS: Record<Result, BadgeColor> = {
  identical: 'brightgreen',
  'layers-identical': 'brightgreen',
  equivalent: 'brightgreen',
  explained: 'green',
  different: 'yellow',
  suspicious: 'red',
  'not-comparable': 'lightgrey',
};

function answerOf(words: BadgeWords, { auditable, coverage }: Verdict): string {
  switch (auditable) {
    case 'yes':
      return words.auditable;
    case 'partly':
      return words.partly(words.percent(coverage.accounted));
    case 'no':
      return words.notAuditable;
    case 'unknown':
      return words.unknown;
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

/** Marks by which a badge is told without its colour: a tick, a bar and a cross in the shield; none while nothing is known. */
const MARKS: Partial<Record<BadgeColor, string>> = {
  brightgreen: 'm7.800 12 3 3 5.400-6',
  green: 'm7.800 12 3 3 5.400-6',
  yellow: 'M8 12h8',
  red: 'm8.500 8.500 7 7m0-7-7 7',
};

function logoOf(color: BadgeColor): string | undefined {
  const mark = MARKS[color];
  if (mark === undefined) return undefined;
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round" stroke-linecap="round">' +
    `<path d="M12 1.600 20.500 5v6.600c0 5.200-3.500 9.100-8.500 10.800-5-1.700-8.500-5.600-8.500-10.800V5z"/><path d="${mark}"/></svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}

/** With a mark in the shield, where `logo` is asked for. */
export function badgeSvg({ title, ...badge }: Badge, style: BadgeStyle = 'flat', logo = false): string {
  const logoBase64 = logo && style !== 'social' ? logoOf(badge.color) : undefined;
  const svg = makeBadge({ ...badge, style, ...(logoBase64 === undefined ? {} : { logoBase64 }) });
  // Ours to word; nothing in it comes from an image.
  return title === undefined ? svg : svg.replace(/<title>[^<]*<\/title>/, () => `<title>${escapeXml(title)}</title>`);
}

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** https://shields.io/badges/endpoint-badge */
export function badgeEndpoint({ label, message, color }: Badge): {
  schemaVersion: 1;
  label: string;
  message: string;
  color: string;
  cacheSeconds: number;
} {
  return { schemaVersion: 1, label, message, color, cacheSeconds: 300 };
}
