import { ATTRIBUTIONS, type Finding, type Verdict } from '../src/model/verdict.ts';
import { bySeverity, countFindings } from '../src/steps/count-findings.ts';
import { percentage } from '../src/steps/draw-badge.ts';
import type { Color, Paint } from './paint.ts';
import type { VerificationView } from './schemas.ts';
import { countText, printableLine } from './text.ts';

const PATHS_SHOWN = 5;
const AUDITABLE_COLORS: Record<Verdict['auditable'], Color> = { yes: 'green', partly: 'yellow', no: 'red', unknown: 'yellow' };
/** A service may answer with anything; what is none of the answers is not green. */
export const colorOf = (auditable: string): Color =>
  Object.hasOwn(AUDITABLE_COLORS, auditable) ? AUDITABLE_COLORS[auditable as Verdict['auditable']] : 'red';

type Reported = { image: { reference: string; digest: string }; verdict?: Verdict; links?: VerificationView['links'] };

/** A verdict for a terminal. Names come from the image: each line is made printable as a whole before it is coloured. */
export function reportOf({ image, verdict, links }: Reported, paint: Paint, more: readonly [name: string, value: string][] = []): string {
  if (verdict === undefined) return '';
  const { auditable, result, reason, coverage, findings, freshness, summary } = verdict;
  const files = ATTRIBUTIONS.reduce((sum, name) => sum + (coverage.files[name] ?? 0), 0);
  const safe = (text: unknown): string => printableLine(String(text));
  const row = (name: string, value: string, color?: Color): string =>
    `  ${paint('dim', name.padEnd(11))} ${color === undefined ? safe(value) : paint(color, safe(value))}`;
  return [
    paint('bold', safe(image.reference)),
    paint('dim', safe(image.digest)),
    '',
    safe(summary),
    '',
    row('auditable', auditable, colorOf(auditable)),
    row('result', `${result}${reason === undefined ? '' : ` (${reason})`}`),
    row(
      'coverage',
      `${percentage(coverage.accounted)} of ${countText(files)} files, ${countText(coverage.files.unexplained ?? 0)} not accounted for`,
    ),
    ...(coverage.reproduced === undefined
      ? []
      : [row('reproduced', `${countText(coverage.reproduced.files)} files of ${countText(coverage.reproduced.packages)} packages`)]),
    ...(verdict.runs ?? []).map(({ command, path, statement }, index) =>
      row(index === 0 ? 'runs' : '', `${path ?? command}: ${statement}`),
    ),
    row('findings', countFindings(findings)),
    row('judged', `${freshness.judgedAt}, rules ${freshness.rules}, policy ${freshness.policy}`),
    ...bySeverity(findings).flatMap((finding) => ['', ...findingLines(finding, paint)]),
    '',
    ...[...linkRows(links), ...more].map(([name, value]) => row(name, value)),
    '',
  ].join('\n');
}

const DOCUMENTS = ['verdict', 'signature', 'cyclonedx', 'spdx', 'sarif'] as const;

function linkRows(links: Reported['links']): [name: string, value: string][] {
  if (links === undefined) return [];
  const documents = DOCUMENTS.flatMap((name): [string, string][] => (links[name] === undefined ? [] : [[name, links[name]]]));
  return [['page', links.page], ...documents];
}

function findingLines({ code, severity, message, paths, evidence, line, advice }: Finding, paint: Paint): string[] {
  const color: Color = severity === 'critical' || severity === 'high' ? 'red' : severity === 'medium' ? 'yellow' : 'dim';
  const more = paths.length - PATHS_SHOWN;
  return [
    `${paint(color, printableLine(severity))} ${printableLine(message)} ${paint('dim', `[${printableLine(code)}]`)}`,
    ...paths.slice(0, PATHS_SHOWN).map((path) => `  ${printableLine(path)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...Object.entries(evidence).map(([name, value]) => `  ${paint('dim', printableLine(`${name}:`))} ${printableLine(value)}`),
    ...(line === undefined ? [] : [`  ${paint('dim', 'Dockerfile line')} ${printableLine(String(line))}`]),
    `  ${printableLine(advice)}`,
  ];
}
