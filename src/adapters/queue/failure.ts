import type { ProblemDocument } from '../../model/verification.ts';
import { Problem } from '../../problem.ts';

/** BullMQ keeps of an error its message alone; the problem travels in it. */
export function encodeFailure(problem: Problem): string {
  return JSON.stringify(problem.toDocument());
}

/** A message that is no problem of ours is BullMQ's own: a job whose worker was lost again and again. */
export function decodeFailure(message: string | undefined): ProblemDocument {
  try {
    const document = JSON.parse(message ?? '') as Partial<ProblemDocument> | null;
    if (typeof document?.code === 'string' && typeof document.title === 'string' && typeof document.status === 'number')
      return document as ProblemDocument;
  } catch {
    // falls through
  }
  return new Problem('internal', `a worker was lost while doing this: ${(message ?? 'no reason is known').slice(0, 200)}`).toDocument();
}
