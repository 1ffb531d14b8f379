import { ATTRIBUTIONS, type Finding, type Verdict } from '../model/verdict.ts';
import type { ProblemDocument } from '../model/verification.ts';
import type { Outcome, Threshold } from './apply-threshold.ts';
import { bySeverity, countFindings } from './count-findings.ts';
import { percentage } from './draw-badge.ts';
import { code, markdown } from './markdown.ts';

export type SummarySubject = {
  image: { reference: string; digest: string };
  verdict?: Verdict;
  problem?: Pick<ProblemDocument, 'code' | 'title' | 'detail'>;
  links: { page: string; verdict?: string; signature?: string };
};

/** GitHub shows no summary of more than 1 MiB, and nobody reads that much. */
const FINDINGS_SHOWN = 50;
const PATHS_SHOWN = 3;

/** What became of a verification, in GitHub Flavored Markdown: for the summary of a job or a comment. Names come from the image. */
export function writeSummary(subject: SummarySubject, judged?: { threshold: Threshold; outcome: Outcome }): string {
  const { image, verdict, problem, links } = subject;
  const name = code(image.reference);
  if (verdict === undefined) {
    const said = problem === undefined ? 'No verdict yet.' : `${code(problem.code)} ${markdown(problem.detail ?? problem.title)}`;
    return `## conforme: no verdict on ${name}\n\n${said}\n\n[Page](${links.page})\n`;
  }
  const { auditable, result, reason, coverage, findings, freshness, summary } = verdict;
  const files = ATTRIBUTIONS.reduce((sum, attribution) => sum + coverage.files[attribution], 0);
  const rows: [string, string][] = [
    ['Image', `${name}<br>${code(image.digest)}`],
    ['Auditable', `**${auditable}**`],
    ['Result', `**${result}**${reason === undefined ? '' : ` (${reason})`}`],
    ['Coverage', `${percentage(coverage.accounted)} of ${files} files, ${coverage.files.unexplained} not accounted for`],
    ['Findings', countFindings(findings)],
    ['Judged', markdown(`${freshness.judgedAt}, rules ${freshness.rules}, policy ${freshness.policy}`)],
    ...(judged === undefined ? [] : [[`Fails on ${judged.threshold.join(', ')}`, OUTCOMES[judged.outcome]] satisfies [string, string]]),
  ];
  return [
    `## conforme: auditable ${auditable}, ${result}`,
    '',
    markdown(summary),
    '',
    '| | |',
    '|---|---|',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
    ...findingRows(findings),
    '',
    [
      `[Page](${links.page})`,
      ...(links.verdict === undefined ? [] : [`[Statement](${links.verdict})`]),
      ...(links.signature === undefined ? [] : [`[Signature](${links.signature})`]),
    ].join(' · '),
    '',
  ].join('\n');
}

const OUTCOMES: Record<Outcome, string> = { pass: '**passed**', fail: '**failed**', unknown: '**could not tell**' };

function findingRows(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const more = findings.length - FINDINGS_SHOWN;
  return [
    '',
    '| Severity | Finding | Where |',
    '|---|---|---|',
    ...bySeverity(findings)
      .slice(0, FINDINGS_SHOWN)
      .map((finding) => `| ${finding.severity} | ${markdown(finding.message)} ${code(finding.code)} | ${placesOf(finding)} |`),
    ...(more > 0 ? ['', `and ${more} more`] : []),
  ];
}

function placesOf({ paths, line, href }: Finding): string {
  const where =
    line === undefined
      ? []
      : [
          href === undefined
            ? `Dockerfile line ${line}`
            : `[Dockerfile line ${line}](${href.replace(/[()<>\s]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)})`,
        ];
  const more = paths.length - PATHS_SHOWN;
  return [...where, ...paths.slice(0, PATHS_SHOWN).map(code), ...(more > 0 ? [`and ${more} more`] : [])].join('<br>');
}
