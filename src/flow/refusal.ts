import type { BuildFailure, NotComparable } from '../model/rebuild.ts';
import { Problem, type ProblemCode } from '../problem.ts';

export type Refusal = { status: 'not-comparable' } & BuildFailure;

export function refusal(reason: NotComparable, detail: string): Refusal {
  return { status: 'not-comparable', reason, detail, lastLog: [] };
}

/** Turns the named problems, which are the image's or its source's, into an answer; every other one stays an error. */
export async function orRefusal<T>(work: () => Promise<T>, reasons: Partial<Record<ProblemCode, NotComparable>>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (thrown) {
    const reason = thrown instanceof Problem ? reasons[thrown.code] : undefined;
    if (reason === undefined || !(thrown instanceof Problem)) throw thrown;
    return refusal(reason, thrown.message);
  }
}
