import { styleText } from 'node:util';
import { ATTRIBUTIONS, type Finding, type Verdict } from '../src/model/verdict.ts';
import { bySeverity, countFindings } from '../src/steps/count-findings.ts';
import { percentage } from '../src/steps/draw-badge.ts';
import type { VerificationView } from './schemas.ts';
import { countText, printableLine } from './text.ts';

type Color = 'green' | 'yellow' | 'red' | 'dim' | 'bold';
/** Paints, or does not: for a pipe, and where NO_COLOR is set (https://no-color.org/). */
export type Paint = (color: Color, text: string) => string;
export const painted: Paint = (color, text) => styleText(color, text, { validateStream: false });
export const plain: Paint = (_color, text) => text;

const PATHS_SHOWN = 5;
const AUDITABLE_COLORS: Record<Verdict['auditable'], Color> = { yes: 'green', partly: 'yellow', no: 'red', unknown: 'yellow' };

/** How the command line ends: 0 the contents can be audited, 1 they cannot (or not all of them), 2 it could not tell, 3 an error. */
export function exitCodeOf({ verdict }: Pick<VerificationView, 'verdict'>): 0 | 1 | 2 | 3 {
  if (verdict === undefined) return 3;
  switch (verdict.auditable) {
    case 'yes':
      return 0;
    case 'partly':
    case 'no':
      return 1;
    case 'unknown':
      return 2;
  }
}

/** A verdict for a terminal. Names come from the image: each line is made printable as a whole before it is coloured. */
export function reportOf({ image, verdict, links }: VerificationView, paint: Paint): string {
  if (verdict === undefined) return '';
  const { auditable, result, reason, coverage, findings, freshness, summary } = verdict;
  const files = ATTRIBUTIONS.reduce((sum, name) => sum + coverage.files[name], 0);
  const row = (name: string, value: string): string => `  ${paint('dim', name.padEnd(11))} ${value}`;
  const safe = printableLine;
  return [
    paint('bold', safe(image.reference)),
    paint('dim', image.digest),
    '',
    safe(summary),
    '',
    row('auditable', paint(AUDITABLE_COLORS[auditable], auditable)),
    row('result', `${result}${reason === undefined ? '' : ` (${reason})`}`),
    row(
      'coverage',
      `${percentage(coverage.accounted)} of ${countText(files)} files, ${countText(coverage.files.unexplained)} not accounted for`,
    ),
    ...(coverage.reproduced === undefined
      ? []
      : [row('reproduced', `${countText(coverage.reproduced.files)} files of ${countText(coverage.reproduced.packages)} packages`)]),
    ...(verdict.runs ?? []).map(({ command, path, statement }, index) =>
      row(index === 0 ? 'runs' : '', safe(`${path ?? command}: ${statement}`)),
    ),
    row('findings', countFindings(findings)),
    row('judged', safe(`${freshness.judgedAt}, rules ${freshness.rules}, policy ${freshness.policy}`)),
    ...bySeverity(findings).flatMap((finding) => ['', ...findingLines(finding, paint)]),
    '',
    row('page', links.page),
    ...(links.verdict === undefined ? [] : [row('verdict', links.verdict)]),
    ...(links.signature === undefined ? [] : [row('signature', links.signature)]),
    ...(links.cyclonedx === undefined ? [] : [row('cyclonedx', links.cyclonedx)]),
    ...(links.spdx === undefined ? [] : [row('spdx', links.spdx)]),
    '',
  ].join('\n');
}

function findingLines({ code, severity, message, paths, evidence, line, advice }: Finding, paint: Paint): string[] {
  const color: Color = severity === 'critical' || severity === 'high' ? 'red' : severity === 'medium' ? 'yellow' : 'dim';
  const more = paths.length - PATHS_SHOWN;
  return [
    `${paint(color, severity)} ${printableLine(message)} ${paint('dim', `[${printableLine(code)}]`)}`,
    ...paths.slice(0, PATHS_SHOWN).map((path) => `  ${printableLine(path)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...Object.entries(evidence).map(([name, value]) => `  ${paint('dim', printableLine(`${name}:`))} ${printableLine(value)}`),
    ...(line === undefined ? [] : [`  ${paint('dim', 'Dockerfile line')} ${line}`]),
    `  ${printableLine(advice)}`,
  ];
}
