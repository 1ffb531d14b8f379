import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { ProblemDocument, VerificationJob } from '../../model/verification.ts';
import type { Consume, JobKind, Results, Task } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { type OnError, PREFIX, QUEUES, redisOptions } from './connection.ts';
import { decodeFailure, encodeFailure } from './failure.ts';

// A worker that is gone is noticed when its lock has run out and the next check comes: at most 15 + 5 seconds. The lock is
// renewed after half its time, so a worker may be busy with one long calculation for 7 seconds before it is taken for gone.
const LOCK_MILLISECONDS = 15_000;
const STALLED_CHECK_MILLISECONDS = 5_000;
// A job that takes its worker down each time (out of memory) must end some day.
const STALLED_MAX = 5;
// What is nearly done when the process is asked to stop may finish; the rest goes back to the queue.
const GRACE_MILLISECONDS = 5_000;
// A fault in our own code does not go away by waiting.
const INTERNAL_ATTEMPTS_MAX = 3;

const BACKOFF_MILLISECONDS_MAX = 60_000;
/** Pauses between the attempts of a delivery, in seconds, as Standard Webhooks 1.0.0 suggests under "Retries": more than a day. */
const DELIVERY_PAUSES = [5, 300, 1800, 7200, 18_000, 36_000, 50_400];
const RETRY_AFTER_MILLISECONDS_MAX = 3_600_000;

type Failure = Error & { retryAfter?: number };

function backoff(kind: JobKind): (attemptsMade: number, type?: string, error?: Failure) => number {
  return (attemptsMade, _type, error) => {
    const asked = (error?.retryAfter ?? 0) * 1000;
    const usual =
      kind === 'deliver'
        ? (DELIVERY_PAUSES[Math.min(attemptsMade, DELIVERY_PAUSES.length) - 1] ?? 5) * 1000
        : Math.min(1_000 * 2 ** attemptsMade, BACKOFF_MILLISECONDS_MAX);
    // Spread by a fifth, so that what failed together does not come back together.
    return Math.round(Math.max(usual, Math.min(asked, RETRY_AFTER_MILLISECONDS_MAX)) * (0.9 + 0.2 * Math.random()));
  };
}

export type ConsumeTuning = {
  lockMilliseconds?: number;
  stalledCheckMilliseconds?: number;
  /** In place of the pauses above, for tests that cannot wait. */
  pause?: (attemptsMade: number) => number;
};

/** The consumer's side: workers that come back by themselves after Redis was away. */
export function makeConsume(address: string, onError: OnError, tuning: ConsumeTuning = {}): Consume {
  return (kind, work, { concurrency = 1 } = {}) => {
    let stopping = false;
    const worker: Worker = new Worker(
      QUEUES[kind],
      // BullMQ passes a signal only to a function with three parameters.
      async (job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<Results> => {
        const task = await taskOf(kind, job);
        if (task.problem !== undefined && kind !== 'conclude') throw new UnrecoverableError(JSON.stringify(task.problem));
        const controller = new AbortController();
        const aborted = new Promise<'aborted'>((settle) => {
          const abort = (): void => {
            controller.abort(new Error('the job goes back to the queue'));
            settle('aborted');
          };
          if (signal?.aborted === true) abort();
          else signal?.addEventListener('abort', abort);
        });
        const working = work(task, controller.signal);
        const given = (async (): Promise<'given back'> => {
          await aborted;
          await Promise.race([working.catch(() => undefined), sleep(GRACE_MILLISECONDS, undefined, { ref: false })]);
          return 'given back';
        })();
        try {
          const outcome = await Promise.race([working, given]);
          if (outcome !== 'given back') return outcome;
        } catch (thrown) {
          if (!controller.signal.aborted) throw failure(thrown, job, kind, onError);
        }
        working.catch(() => undefined);
        if (stopping) await job.moveToWait(token);
        // Otherwise the lock was lost and the job is another worker's by now: nothing may be written.
        throw new WaitingError();
      },
      {
        connection: { ...redisOptions(address), maxRetriesPerRequest: null },
        prefix: PREFIX,
        concurrency,
        lockDuration: tuning.lockMilliseconds ?? LOCK_MILLISECONDS,
        stalledInterval: tuning.stalledCheckMilliseconds ?? STALLED_CHECK_MILLISECONDS,
        maxStalledCount: STALLED_MAX,
        runRetryDelay: 1_000,
        settings: { backoffStrategy: tuning.pause ?? backoff(kind) },
      },
    );
    worker.on('error', (error) => onError(error, `worker ${kind}`));
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id, 'lock lost');
    });
    return {
      async close() {
        stopping = true;
        const closed = worker.close();
        worker.cancelAllJobs('stopping');
        // BullMQ waits for a Redis that is away; what it holds comes back as stalled.
        const late = sleep(GRACE_MILLISECONDS + 1_000, undefined, { ref: false }).then(() => {
          worker.disconnect().catch((error: unknown) => onError(error, `worker ${kind}`));
        });
        await Promise.race([closed, late]);
      },
    };
  };
}

async function taskOf(kind: JobKind, job: Job): Promise<Task> {
  const data = job.data as VerificationJob | { id: string };
  const task: Task = { id: data.id, results: {}, attempt: job.attemptsMade + 1, retries: (problem) => retries(job, problem) };
  if ('image' in data) task.verification = data;
  if (kind !== 'evidence' && kind !== 'reinstall' && kind !== 'conclude') return task;
  for (const results of Object.values(await job.getChildrenValues<Results>())) task.results = { ...task.results, ...results };
  const failures = Object.entries(await job.getIgnoredChildrenFailures()).map(([key, message]) => ({
    key,
    document: decodeFailure(message),
  }));
  const problem = gravest(failures);
  return problem === undefined ? task : { ...task, problem };
}

/** What the image itself caused says more than what came of our own fault beside it. */
function gravest(failures: { key: string; document: ProblemDocument }[]): ProblemDocument | undefined {
  const sorted = failures.toSorted((a, b) => a.document.status - b.document.status || (a.key < b.key ? -1 : 1));
  return sorted[0]?.document;
}

function retries(job: Job, problem: Problem): boolean {
  const attempt = job.attemptsMade + 1;
  if (problem.code === 'internal' && attempt >= INTERNAL_ATTEMPTS_MAX) return false;
  return problem.retryable && attempt < (job.opts.attempts ?? 1);
}

function failure(thrown: unknown, job: Job, kind: JobKind, onError: OnError): Error {
  const problem = Problem.from(thrown);
  if (problem.code === 'internal') onError(problem.cause ?? thrown, `${kind} ${job.id ?? ''}`);
  if (!retries(job, problem)) return new UnrecoverableError(encodeFailure(problem));
  const again: Failure = new Error(encodeFailure(problem), { cause: thrown });
  if (problem.retryAfter !== undefined) again.retryAfter = problem.retryAfter;
  return again;
}
