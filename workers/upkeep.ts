import { setTimeout as sleep } from 'node:timers/promises';
import type { VerificationJob } from '../src/model/verification.ts';
import type { Delivery, Queue, QueueUpkeep } from '../src/ports.ts';
import { announceEnd, type EndPorts, isAway, recordFailure } from './end.ts';
import type { Running } from './running.ts';

export type UpkeepPorts = Omit<EndPorts, 'queue'> & { queue: Queue & QueueUpkeep };

/** Nothing accepted waits longer than this after Redis lost it, or after a process died between two writes. */
const INTERVAL_MILLISECONDS = 30_000;

/** At the start and every half minute: the queue is brought to know everything that the database says has not ended. */
export function runUpkeep(ports: UpkeepPorts, onError: (error: unknown) => void, interval = INTERVAL_MILLISECONDS): Running {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await reconcile(ports).catch(onError);
      await sleep(interval, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async close() {
      stopping.abort();
      await running;
    },
  };
}

/** One turn. Several processes may do it at once. */
export async function reconcile(ports: UpkeepPorts): Promise<void> {
  for (const job of await ports.records.unfinished()) await reconcileVerification(ports, job);
  for (const delivery of await ports.records.pendingDeliveries()) await reconcileDelivery(ports, delivery);
}

async function reconcileVerification(ports: UpkeepPorts, job: VerificationJob): Promise<void> {
  const { queue, records } = ports;
  const known = await queue.state('conclude', job.id);
  if (known.state === 'underway') return;
  if (known.state === 'absent') return queue.enqueue(job);
  // It may have ended properly since the list was made.
  const status = (await records.get(job.id))?.status;
  if (status !== 'queued' && status !== 'running') return;
  if (known.state === 'failed' && !isAway(known.problem.code)) {
    await recordFailure(ports, job, known.problem);
    return announceEnd(ports, job);
  }
  await queue.forget('conclude', job.id);
  await queue.enqueue(job);
}

async function reconcileDelivery({ queue, records }: UpkeepPorts, { id }: Delivery): Promise<void> {
  const { state } = await queue.state('deliver', id);
  if (state === 'underway') return;
  if (state !== 'absent') {
    if ((await records.delivery(id))?.status !== 'pending') return;
    await queue.forget('deliver', id);
  }
  await queue.deliver({ id });
}
