import { randomUUID } from 'node:crypto';
import { FlowProducer, type FlowJob, type JobsOptions, Queue as BullQueue } from 'bullmq';
import { STEPS, type Step, type VerificationJob } from '../../model/verification.ts';
import type { JobKind, Queue, QueueUpkeep } from '../../ports.ts';
import { available, away, connectImpatiently, type OnError, PREFIX, QUEUES } from './connection.ts';
import { decodeFailure } from './failure.ts';
import { stepKey } from './progress.ts';

// A job that ended is kept for whoever asks what became of it; verdicts are in the database.
const COMPLETED_SECONDS_KEPT = 24 * 3600;
const FAILED_SECONDS_KEPT = 7 * 24 * 3600;
// Beyond the time that adding a flow takes; a process that dies while adding holds up the next one for no longer.
const ADDING_MILLISECONDS = 10_000;

/** How often a job is tried before it fails for good; the pauses are in `consume.ts`. */
const ATTEMPTS: Record<JobKind, number> = {
  inventory: 6, // a registry that restarts
  rebuild: 4, // minutes each
  evidence: 8, // an archive that is being updated
  reinstall: 4,
  conclude: 30, // half an hour without a database; the upkeep goes on after that
  deliver: 8, // more than a day, see consume.ts
};

function options(kind: JobKind, id: string): JobsOptions {
  return {
    jobId: id,
    attempts: ATTEMPTS[kind],
    backoff: { type: 'custom' },
    removeOnComplete: { age: COMPLETED_SECONDS_KEPT },
    removeOnFail: { age: FAILED_SECONDS_KEPT },
    stackTraceLimit: 0,
  };
}

/**
 * `conclude` waits for `rebuild` and for `reinstall`, which waits for `evidence`, which waits for `inventory`. What fails for
 * good lets the job that waits for it run and say so.
 */
function flowOf(job: VerificationJob): FlowJob {
  const { webhook: _, ...request } = job.request;
  const node = (kind: JobKind, children: FlowJob[] = []): FlowJob => ({
    name: kind,
    queueName: QUEUES[kind],
    // A webhook's address can be a secret; beside an untrusted build it has no use.
    data: kind === 'conclude' ? job : { ...job, request },
    opts: { ...options(kind, job.id), ...(kind === 'conclude' ? {} : { ignoreDependencyOnFailure: true }) },
    children,
  });
  return node('conclude', [node('rebuild'), node('reinstall', [node('evidence', [node('inventory')])])]);
}

/** The producer's side. Every function throws `queue-unavailable` within seconds while Redis is away. */
export function makeQueue(address: string, onError: OnError): Queue & QueueUpkeep & { close(): Promise<void> } {
  const client = connectImpatiently(address, onError);
  const connection = { connection: client, prefix: PREFIX };
  const flows = new FlowProducer(connection);
  const queues = {
    conclude: new BullQueue<VerificationJob>(QUEUES.conclude, connection),
    deliver: new BullQueue<{ id: string }>(QUEUES.deliver, connection),
  };
  const tell = (error: Error): void => onError(error, 'queue');
  flows.on('error', tell);
  queues.conclude.on('error', tell);
  queues.deliver.on('error', tell);

  async function ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      await available(client);
      return await question();
    } catch (thrown) {
      throw away(thrown);
    }
  }

  const known = async (id: string): Promise<boolean> => (await client.exists(queues.conclude.toKey(id))) === 1;

  return {
    enqueue: (job) =>
      ask(async () => {
        if (await known(job.id)) return;
        // BullMQ re-attaches the children of a flow that is added twice: one that had failed meanwhile would be waited for
        // for ever. So one process adds at a time, and only what is not there.
        const lock = `${PREFIX}:adding:${job.id}`;
        const token = randomUUID();
        if ((await client.set(lock, token, 'PX', ADDING_MILLISECONDS, 'NX')) === null) return;
        try {
          if (!(await known(job.id))) await flows.add(flowOf(job));
        } finally {
          if ((await client.get(lock)) === token) await client.del(lock);
        }
      }),

    deliver: ({ id }) =>
      ask(async () => {
        await queues.deliver.add('deliver', { id }, options('deliver', id));
      }),

    deliverAgain: ({ id }) =>
      ask(async () => {
        const job = await queues.deliver.getJob(id);
        if (job !== undefined && ((await job.isCompleted()) || (await job.isFailed()))) await job.remove();
        await queues.deliver.add('deliver', { id }, options('deliver', id));
      }),

    async currentStep(id) {
      if (client.status !== 'ready') return undefined;
      const step = await client.get(stepKey(id)).catch(() => null);
      return STEPS.find((known): known is Step => known === step);
    },

    ready: () =>
      ask(async () => {
        await client.ping();
      }),

    state: (kind, id) =>
      ask(async () => {
        // The state before the job: what is read of one that has failed then holds the reason.
        const state = await queues[kind].getJobState(id);
        if (state === 'unknown') return { state: 'absent' };
        if (state === 'completed') return { state: 'done' };
        if (state !== 'failed') return { state: 'underway' };
        return { state: 'failed', problem: decodeFailure((await queues[kind].getJob(id))?.failedReason) };
      }),

    forget: (kind, id) =>
      ask(async () => {
        await (await queues[kind].getJob(id))?.remove({ removeChildren: true });
      }),

    async close() {
      await Promise.allSettled([flows.close(), queues.conclude.close(), queues.deliver.close()]);
      client.disconnect();
    },
  };
}
