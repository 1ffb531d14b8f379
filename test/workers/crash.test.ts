import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type OpenRecords, openPostgres } from '../../src/adapters/database/open.ts';
import { postgresSql } from '../../src/adapters/database/sql.ts';
import { makeProgress } from '../../src/adapters/queue/progress.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import { Problem } from '../../src/problem.ts';
import { reconcile } from '../../workers/upkeep.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { eventually, someJob } from '../support/verification.ts';

const PLACES = ['inventory', 'rebuild', 'evidence', 'reinstall', 'conclude', 'stored'];
const onError = (): void => undefined;

describe('a worker, Redis or the database that goes away', () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let database: OpenRecords;
  let queue: ReturnType<typeof makeQueue>;
  let progress: ReturnType<typeof makeProgress>;
  const children: ChildProcess[] = [];

  before(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    database = await openPostgres(postgres.url, onError);
    queue = makeQueue(redis.address, onError);
    progress = makeProgress(redis.address, onError);
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all([queue.close(), progress.close(), database.close()]);
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
  });

  /** What it reached so far, one `place id` a line. */
  async function worker(
    more: Record<string, string> = {},
  ): Promise<{ child: ChildProcess; reached: () => string[]; kill(): Promise<void> }> {
    const environment = { ...process.env, REDIS: redis.address, DATABASE: postgres.url, ...more };
    const program = join(import.meta.dirname, '../support/worker-process.ts');
    const child = spawn(process.execPath, [program], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const reached = (): string[] => output.split('\n');
    await eventually(() => reached().includes('started'));
    return {
      child,
      reached,
      async kill() {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      },
    };
  }

  const accept = async (id: string): Promise<void> => {
    const job = someJob(id, 'http://hook.test/');
    await database.records.accept(job, id);
    await queue.enqueue(job);
  };
  const done = (id: string) => eventually(async () => (await database.records.get(id))?.status === 'done', 30_000);

  async function assertOneVerdict(id: string): Promise<void> {
    const sql = postgresSql(postgres.url, onError);
    assert.deepEqual(await sql.query('select count(*)::int as count from verdicts where verification = $1', [id]), [{ count: 1 }], id);
    await sql.close();
    const deliveries = await database.records.deliveriesOf(id);
    assert.equal(deliveries.length, 1, `${id}: told once`);
    assert.equal((await queue.state('deliver', deliveries[0]?.id ?? '')).state, 'underway', `${id}: the delivery reached the queue`);
  }

  it('SIGKILL at every step: taken up again, one verdict', async () => {
    const doomed = await worker({ HANG: '1' });
    for (const place of PLACES) await accept(`at-${place}`);
    for (const place of PLACES) await eventually(() => doomed.reached().includes(`${place} at-${place}`));
    assert.equal((await database.records.unfinished()).length, PLACES.length - 1, 'only the one that was stored has ended');
    await doomed.kill();
    const killed = Date.now();
    const second = await worker();
    for (const place of PLACES) {
      await done(`at-${place}`);
      await eventually(() => second.reached().includes(`stored at-${place}`));
      await eventually(async () => (await queue.state('conclude', `at-${place}`)).state === 'done');
      await assertOneVerdict(`at-${place}`);
    }
    assert.ok(Date.now() - killed < 15_000);
    // What was done before the kill is not done again.
    assert.ok(!second.reached().includes('inventory at-conclude'));
    await second.kill();
  });

  it('Redis killed in the middle: 503 at once, then it goes on', async () => {
    const living = await worker({ HANG: '1' });
    await accept('at-rebuild-2');
    await redis.stop();
    const started = Date.now();
    await assert.rejects(
      queue.ready(),
      (thrown) => thrown instanceof Problem && thrown.code === 'queue-unavailable' && thrown.retryAfter === 5,
    );
    await assert.rejects(queue.enqueue(someJob('x')), (thrown) => thrown instanceof Problem && thrown.code === 'queue-unavailable');
    assert.ok(Date.now() - started < 4_000, 'said quickly');
    assert.equal(await queue.currentStep('at-rebuild-2'), undefined);
    await redis.start();
    await done('at-rebuild-2');
    await eventually(async () => (await queue.state('conclude', 'at-rebuild-2')).state === 'done');
    await assertOneVerdict('at-rebuild-2');
    await living.kill();
  });

  it('Redis that lost everything gets it back from the database', async () => {
    await accept('lost-1');
    await database.records.accept(someJob('lost-2', 'http://hook.test/'), 'lost-2'); // accepted, and the process died before it was in the queue
    await redis.stop();
    await redis.forget();
    await redis.start();
    await eventually(async () => (await queue.state('conclude', 'lost-1').catch(() => ({ state: '' }))).state === 'absent');
    const ports = {
      records: database.records,
      queue,
      tellEnd: progress.end,
      publicUrl: '',
      forges: [],
      attachTo: [],
      now: () => new Date(),
    };
    await Promise.all([reconcile(ports), reconcile(ports), reconcile(ports)]);
    const living = await worker();
    for (const id of ['lost-1', 'lost-2']) {
      await done(id);
      await eventually(async () => (await queue.state('conclude', id)).state === 'done');
      await assertOneVerdict(id);
    }
    assert.equal(living.reached().filter((line) => line === 'stored lost-2').length, 1);
    await living.kill();
  });

  it('the database killed before the end: nothing is lost, one verdict', async () => {
    const living = await worker({ HANG: '1' });
    await accept('plain-1');
    await postgres.stop();
    await assert.rejects(database.records.get('plain-1'), (thrown) => thrown instanceof Problem && thrown.code === 'database-unavailable');
    await eventually(() => living.reached().filter((line) => line === 'conclude plain-1').length >= 2, 20_000);
    await postgres.start();
    await done('plain-1');
    await eventually(async () => (await queue.state('conclude', 'plain-1')).state === 'done');
    await assertOneVerdict('plain-1');
    await living.kill();
  });
});
