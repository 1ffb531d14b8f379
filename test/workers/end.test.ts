import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type OpenRecords, openPostgres } from '../../src/adapters/database/open.ts';
import { makeConsume } from '../../src/adapters/queue/consume.ts';
import { makeProgress } from '../../src/adapters/queue/progress.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import type { Forge } from '../../src/model/forge.ts';
import type { ConcludePorts } from '../../src/pipeline.ts';
import { Problem } from '../../src/problem.ts';
import { runConclude } from '../../workers/conclude.ts';
import { reconcile } from '../../workers/upkeep.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { digestOfNumber, eventually, someJob } from '../support/verification.ts';

const FORGES: Forge[] = [{ kind: 'github', host: 'forge.test', api: 'https://api.forge.test', tokenFile: '/nowhere' }];
const onError = (): void => undefined;

describe('a verification that fails', () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let database: OpenRecords;
  let queue: ReturnType<typeof makeQueue>;
  let progress: ReturnType<typeof makeProgress>;
  let running: { close(): Promise<void> }[] = [];
  /** What the blob store says: it is the first that judging asks. */
  let blobsSay = new Problem('blob-missing', 'x');

  before(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    database = await openPostgres(postgres.url, onError);
    queue = makeQueue(redis.address, onError);
    progress = makeProgress(redis.address, onError);
    const consume = makeConsume(redis.address, onError, { pause: () => 10 });
    const results = { published: digestOfNumber(1), evidence: digestOfNumber(2), rebuild: digestOfNumber(3) };
    running = [
      consume('inventory', ({ id }) =>
        id === 'no-image' ? Promise.reject(new Problem('image-not-found', 'no such tag')) : Promise.resolve(results),
      ),
      ...(['rebuild', 'evidence', 'reinstall'] as const).map((kind) => consume(kind, () => Promise.resolve(results))),
    ];
    const read = (): Promise<never> => Promise.reject(blobsSay);
    const ports = { ...endPorts(), blobs: { read }, signer: {}, progress } as unknown as ConcludePorts & ReturnType<typeof endPorts>;
    running.push(runConclude(ports, consume));
  });
  after(async () => {
    await Promise.all(running.map((one) => one.close()));
    await Promise.all([queue.close(), progress.close(), database.close()]);
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
  });

  function endPorts() {
    return {
      records: database.records,
      queue,
      tellEnd: progress.end,
      publicUrl: 'https://conforme.test',
      forges: FORGES,
      attachTo: [],
      now: () => new Date(0),
    };
  }

  async function ended(id: string) {
    const job = someJob(id, 'https://hook.test/');
    await database.records.accept(job, id);
    await queue.enqueue(job);
    return eventually(async () => {
      const verification = await database.records.get(id);
      return verification?.status === 'failed' && verification;
    });
  }

  it('before the end: says the problem, and tells the webhook', async () => {
    const { problem } = await ended('no-image');
    assert.equal(problem?.code, 'image-not-found');
    assert.equal(problem?.detail, 'no such tag');
    const [delivery] = await eventually(async () => {
      const all = await database.records.deliveriesOf('no-image');
      return all.length > 0 && all;
    });
    const body = JSON.parse(delivery?.body ?? '') as Record<string, unknown>;
    assert.deepEqual(body, {
      type: 'verification.failed',
      timestamp: '1970-01-01T00:00:00.000Z',
      data: {
        verification: 'no-image',
        image: { reference: 'example.test/no-image:1', digest: digestOfNumber(1) },
        problem: { code: 'image-not-found', title: problem?.title },
        links: {
          verification: 'https://conforme.test/v1/verifications/no-image',
          page: 'https://conforme.test/verifications/no-image',
          badge: 'https://conforme.test/badge/example.test/no-image:1.svg',
        },
      },
    });
    await eventually(async () => (await queue.state('deliver', 'msg_no-image')).state === 'underway');
  });

  it('at the end, for a fault of our own: after a few attempts', async () => {
    blobsSay = new Problem('internal', 'secret inside');
    assert.equal((await ended('own-fault')).problem?.code, 'internal');
    assert.equal(await database.records.verdictOf('own-fault'), undefined);
  });

  it('is no failure while something is merely away: the upkeep takes it up again', async () => {
    blobsSay = new Problem('blobs-unavailable', 'away');
    const job = someJob('away');
    await database.records.accept(job, 'away');
    await queue.enqueue(job);
    await eventually(async () => (await queue.state('conclude', 'away')).state === 'failed');
    assert.equal((await database.records.get('away'))?.status, 'queued');
    blobsSay = new Problem('image-malformed', 'it came back, and the image is bad');
    await reconcile(endPorts());
    const failed = await eventually(async () => {
      const verification = await database.records.get('away');
      return verification?.status === 'failed' && verification;
    });
    assert.equal(failed.problem?.code, 'image-malformed');
  });

  it('whose failure could not be stored is ended by the upkeep', async () => {
    // As if the process had died between failing and storing: known as failed to the queue alone.
    const job = someJob('unstored', 'https://hook.test/');
    const elsewhere = makeConsume(redis.address, onError);
    await Promise.all(running.splice(-1).map((one) => one.close()));
    const doomed = elsewhere('conclude', () => Promise.reject(new Problem('environment-missing', 'no key')));
    await queue.enqueue(job);
    await eventually(async () => (await queue.state('conclude', 'unstored')).state === 'failed');
    await doomed.close();
    await database.records.accept(job, 'unstored');
    await reconcile(endPorts());
    assert.equal((await database.records.get('unstored'))?.problem?.code, 'environment-missing');
    assert.equal((await database.records.deliveriesOf('unstored')).length, 1);
    await reconcile(endPorts());
    assert.equal((await database.records.deliveriesOf('unstored')).length, 1);
  });

  it('has its webhook told after all where Redis lost the delivery', async () => {
    await queue.forget('deliver', 'msg_unstored');
    assert.equal((await queue.state('deliver', 'msg_unstored')).state, 'absent');
    await reconcile(endPorts());
    assert.equal((await queue.state('deliver', 'msg_unstored')).state, 'underway');
  });
});
