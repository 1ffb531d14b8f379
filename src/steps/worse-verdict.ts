import type { Auditable, Result } from '../model/verdict.ts';
import type { JudgedResult } from '../model/watch.ts';

/** From "a rebuild makes the same" on; the first three differ in what no user sees. */
const RESULT_RANK: Record<Result, number> = {
  identical: 0,
  'layers-identical': 0,
  equivalent: 0,
  explained: 1,
  'not-comparable': 2,
  different: 3,
  suspicious: 4,
};
const AUDITABLE_RANK: Record<Auditable, number> = { yes: 0, partly: 1, unknown: 2, no: 3 };

/** Whether the newer verdict of a reference says less good of it, in either answer. */
export function isWorse(before: JudgedResult, after: JudgedResult): boolean {
  return RESULT_RANK[after.result] > RESULT_RANK[before.result] || AUDITABLE_RANK[after.auditable] > AUDITABLE_RANK[before.auditable];
}
