import type { Verification } from '../model/verification.ts';
import type { Badge, BadgeColor } from './draw-badge.ts';

/** One badge for several images: how many can be audited, in the colour of the worst. One that nobody asked about is not green. */
export function drawStackBadge(subjects: readonly (Pick<Verification, 'status' | 'verdict'> | undefined)[], label = 'conforme'): Badge {
  const answers = subjects.map((one) => (one?.status === 'done' ? (one.verdict?.auditable ?? 'unknown') : 'unknown'));
  const count = answers.filter((answer) => answer === 'yes').length;
  const color: BadgeColor = answers.includes('no')
    ? 'red'
    : answers.includes('unknown')
      ? 'lightgrey'
      : answers.includes('partly')
        ? 'yellow'
        : 'brightgreen';
  const message = count === answers.length ? 'all auditable' : `${count} of ${answers.length} auditable`;
  return { label, message, color, title: `${label}: ${message}` };
}
