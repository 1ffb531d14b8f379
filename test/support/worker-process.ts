/**
 * A worker process for the tests that kill one: all kinds of jobs, each with as little work as possible, on a real Redis and a real
 * database. The verification `at-KIND` hangs in the job of that kind where HANG is set.
 */
import { openPostgres } from '../../src/adapters/database/open.ts';
import { makeConsume } from '../../src/adapters/queue/consume.ts';
import { makeProgress } from '../../src/adapters/queue/progress.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import type { JobKind } from '../../src/ports.ts';
import { announceEnd, recordsWithDelivery } from '../../workers/end.ts';
import { verificationOf } from '../../workers/task.ts';
import { digestOfNumber, someRecord } from './verification.ts';

const { REDIS = '', DATABASE = '', HANG, LOCK = '1500' } = process.env;
const onError = (): void => undefined;
const queue = makeQueue(REDIS, onError);
const progress = makeProgress(REDIS, onError);
const { records } = await openPostgres(DATABASE, onError);
const tuning = LOCK === 'default' ? {} : { lockMilliseconds: Number(LOCK), stalledCheckMilliseconds: 500, pause: () => 300 };
const consume = makeConsume(REDIS, onError, tuning);
const ports = { records, queue, tellEnd: progress.end, publicUrl: 'http://conforme.test', forges: [], attachTo: [], now: () => new Date() };

async function reach(place: string, id: string): Promise<void> {
  process.stdout.write(`${place} ${id}\n`);
  if (HANG !== undefined && id === `at-${place}`) await new Promise(() => setInterval(() => undefined, 1e6));
}

const steps = [
  ['inventory', 'published'],
  ['rebuild', 'rebuild'],
  ['evidence', 'evidence'],
  ['reinstall', 'reinstall'],
] as const satisfies [JobKind, string][];
for (const [kind, result] of steps) {
  consume(
    kind,
    async ({ id, results }) => {
      await reach(kind, id);
      return { ...results, [result]: digestOfNumber(1) };
    },
    { concurrency: 10 },
  );
}
consume(
  'conclude',
  async (task) => {
    const job = verificationOf(task);
    await reach('conclude', job.id);
    await recordsWithDelivery(ports, job).conclude(someRecord(job));
    await reach('stored', job.id);
    await announceEnd(ports, job);
    return {};
  },
  { concurrency: 10 },
);
process.stdout.write('started\n');
