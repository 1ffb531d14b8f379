import type { Digest } from '../src/model/digest.ts';
import type { VerificationJob } from '../src/model/verification.ts';
import type { Results, Task } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';

export function verificationOf({ verification }: Task): VerificationJob {
  if (verification === undefined) throw new Problem('internal', 'the job names no verification');
  return verification;
}

/** What a job before this one handed over; that it did not is our own fault. */
export function resultOf(task: Task, name: keyof Results): Digest {
  const digest = task.results[name];
  if (digest === undefined) throw new Problem('internal', `the job came without ${name}`);
  return digest;
}
