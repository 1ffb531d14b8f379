import type { Auditable, Result } from '../model/verdict.ts';
import type { Outcome, Threshold } from './apply-threshold.ts';
import { code, markdown } from './markdown.ts';

/** What became of one image of several. Without a verdict the outcome is `error`. */
export type StackRow = {
  image: string;
  usedBy: readonly string[];
  outcome: Outcome | 'error';
  auditable?: Auditable;
  result?: Result;
  findings?: string;
  problem?: string;
  page?: string;
};

const OUTCOMES: Record<StackRow['outcome'], string> = {
  pass: 'passed',
  fail: '**failed**',
  unknown: 'could not tell',
  error: '**no verdict**',
};

/** Several images in one table, in GitHub Flavored Markdown. */
export function writeStackSummary(
  rows: readonly StackRow[],
  untold: readonly { usedBy: string; why: string }[],
  threshold: Threshold,
): string {
  const passed = rows.filter(({ outcome }) => outcome === 'pass').length;
  return [
    `## conforme: ${passed} of ${rows.length} images pass`,
    '',
    `Fails on ${threshold.join(', ')}.`,
    '',
    '| Image | Outcome | Auditable | Result | Findings | Used by |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ image, outcome, auditable, result, findings, problem, page, usedBy }) =>
      [
        '',
        page === undefined ? code(image) : `[${code(image)}](${page})`,
        OUTCOMES[outcome],
        auditable ?? '',
        result ?? (problem === undefined ? '' : code(problem)),
        findings ?? '',
        markdown(usedBy.join(', ')),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    ...(untold.length === 0 ? [] : ['', ...untold.map(({ usedBy, why }) => `- ${code(usedBy)}: ${markdown(why)}`)]),
    '',
  ].join('\n');
}
