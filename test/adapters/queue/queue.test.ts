import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { makeConsume } from '../../../src/adapters/queue/consume.ts';
import { makeQueue } from '../../../src/adapters/queue/queue.ts';
import type { ProblemDocument } from '../../../src/model/verification.ts';
import type { JobKind, Results, Task } from '../../../src/ports.ts';
import { Problem } from '../../../src/problem.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { digestOfNumber, eventually, someJob } from '../../support/verification.ts';

const onError = (): void => undefined;
const pause = (): number => 20;

describe('the queue', () => {
  let redis: TestRedis;
  let queue: ReturnType<typeof makeQueue>;
  let running: { close(): Promise<void> }[] = [];
  let tasks: { kind: JobKind; task: Task }[] = [];
  before(async () => {
    redis = await startRedis();
    queue = makeQueue(redis.address, onError);
  });
  afterEach(async () => {
    await Promise.all(running.map((one) => one.close()));
    running = [];
    tasks = [];
  });
  after(async () => {
    await queue.close();
    await redis[Symbol.asyncDispose]();
  });

  /** Workers for every kind; `work` stands in for what one of them does. */
  function play(work: Partial<Record<JobKind, (task: Task, signal: AbortSignal) => Promise<Results>>> = {}): void {
    const consume = makeConsume(redis.address, onError, { pause });
    const usual: [JobKind, keyof Results][] = [
      ['inventory', 'published'],
      ['rebuild', 'rebuild'],
      ['evidence', 'evidence'],
      ['reinstall', 'reinstall'],
    ];
    for (const [kind, result] of usual) {
      const own =
        work[kind] ?? (async ({ results }) => ({ ...results, [result]: digestOfNumber(usual.findIndex(([each]) => each === kind)) }));
      running.push(consume(kind, (task, signal) => (tasks.push({ kind, task }), own(task, signal))));
    }
    running.push(
      consume('conclude', (task, signal) => (tasks.push({ kind: 'conclude', task }), work.conclude?.(task, signal) ?? Promise.resolve({}))),
    );
  }

  const concluded = (id: string) => eventually(() => tasks.find(({ kind, task }) => kind === 'conclude' && task.id === id)?.task);
  const times = (kind: JobKind, id: string): number => tasks.filter((each) => each.kind === kind && each.task.id === id).length;
  const finished = (id: string) => eventually(async () => (await queue.state('conclude', id)).state === 'done');

  it('hands the results on, in order, and the verification with them', async () => {
    play();
    const job = someJob('order', 'https://hook.test/secret');
    await queue.enqueue(job);
    const task = await concluded('order');
    const [published, rebuild, evidence, reinstall] = [0, 1, 2, 3].map(digestOfNumber);
    assert.deepEqual(task.results, { published, rebuild, evidence, reinstall });
    assert.deepEqual(task.verification, job);
    assert.equal(task.problem, undefined);
    for (const { kind, task: each } of tasks)
      assert.equal(JSON.stringify(each).includes('secret'), kind === 'conclude', `${kind}: no secret`);
    assert.deepEqual(tasks.find(({ kind }) => kind === 'evidence')?.task.results, { published });
    assert.deepEqual(tasks.find(({ kind }) => kind === 'reinstall')?.task.results, { published, evidence });
  });

  it('does the work once, however often and from wherever it is added', async () => {
    const other = makeQueue(redis.address, onError);
    const add = (): Promise<void[]> => Promise.all([queue, other, queue, other].map((each) => each.enqueue(someJob('once'))));
    await add();
    play({ rebuild: () => Promise.reject(new Problem('image-not-found', 'gone')) });
    await concluded('once');
    await add(); // a child has failed, the parent is done
    await finished('once');
    for (const kind of ['inventory', 'rebuild', 'evidence', 'reinstall', 'conclude'] as const) assert.equal(times(kind, 'once'), 1, kind);
    assert.equal((await queue.state('conclude', 'once')).state, 'done');
    await other.close();
  });

  it('does not wait for ever where a flow is added again after a child failed', async () => {
    let letGo = (): void => undefined;
    const held = new Promise<void>((settle) => (letGo = settle));
    play({
      rebuild: () => Promise.reject(new Problem('image-not-found', 'gone')),
      inventory: () => held.then(() => ({ published: digestOfNumber(1) })),
    });
    await queue.enqueue(someJob('again'));
    await eventually(() => times('rebuild', 'again') === 1);
    await new Promise((wake) => setTimeout(wake, 100));
    await queue.enqueue(someJob('again'));
    letGo();
    assert.equal((await concluded('again')).problem?.code, 'image-not-found');
  });

  it('tries again what can be retried, and no more than is sensible', async () => {
    let failures = 3;
    const attempts: number[] = [];
    play({
      rebuild: async ({ attempt }) => {
        attempts.push(attempt);
        if (failures-- > 0) throw new Problem('registry-unavailable', 'busy');
        return { rebuild: digestOfNumber(7) };
      },
      inventory: () => Promise.reject(new TypeError('a fault of our own')),
    });
    await queue.enqueue(someJob('retry'));
    const task = await concluded('retry');
    assert.equal(task.results.rebuild, digestOfNumber(7));
    assert.deepEqual(attempts, [1, 2, 3, 4]);
    assert.equal(times('inventory', 'retry'), 3);
    assert.equal(task.problem?.code, 'internal');
    assert.doesNotMatch(JSON.stringify(task.problem), /fault of our own/, 'nothing of our inside');
  });

  it('carries a failure for good to the end, past jobs that are not done then', async () => {
    play({ inventory: () => Promise.reject(new Problem('platform-not-found', 'not for s390x')) });
    await queue.enqueue(someJob('carried'));
    const { problem, results } = await concluded('carried');
    assert.equal(problem?.code, 'platform-not-found');
    assert.equal(problem?.detail, 'not for s390x');
    assert.ok(results.rebuild !== undefined, 'the other branch came to its end');
    assert.deepEqual([times('inventory', 'carried'), times('evidence', 'carried'), times('reinstall', 'carried')], [1, 0, 0]);
  });

  it('says of a failed end what it failed of, and lets it be added again', async () => {
    let fail = true;
    play({ conclude: () => (fail ? Promise.reject(new Problem('environment-missing', 'no key')) : Promise.resolve({})) });
    await queue.enqueue(someJob('end'));
    const failed = await eventually(async () => {
      const state = await queue.state('conclude', 'end');
      return state.state === 'failed' ? state : undefined;
    });
    assert.equal(failed.problem.code, 'environment-missing');
    fail = false;
    await queue.forget('conclude', 'end');
    assert.equal((await queue.state('conclude', 'end')).state, 'absent');
    await queue.enqueue(someJob('end'));
    await finished('end');
    assert.equal(times('inventory', 'end'), 2);
  });

  it('ends a job whose worker is lost each time with a problem of ours', async () => {
    const { decodeFailure } = await import('../../../src/adapters/queue/failure.ts');
    const documents: ProblemDocument[] = ['job stalled more than allowable limit', '{"code":1}', 'null', ''].map(decodeFailure);
    for (const document of documents) assert.equal(document.code, 'internal');
  });

  it('gives a job back when the process stops, without counting it as a failure', async () => {
    let stopped: AbortSignal | undefined;
    play({
      rebuild: (_task, signal) => {
        stopped = signal;
        return new Promise((_settle, reject) => signal.addEventListener('abort', () => reject(new Problem('internal', 'stopped'))));
      },
    });
    await queue.enqueue(someJob('stop'));
    await eventually(() => stopped !== undefined);
    const begun = Date.now();
    await Promise.all(running.map((one) => one.close()));
    assert.ok(Date.now() - begun < 1_500, 'at once');
    running = [];
    play({
      rebuild: ({ retries }) => {
        assert.ok(retries(new Problem('registry-unavailable', 'x')));
        return Promise.resolve({ rebuild: digestOfNumber(9) });
      },
    });
    assert.equal((await concluded('stop')).results.rebuild, digestOfNumber(9));
  });

  it('lets what is nearly done finish when the process stops', async () => {
    let began = false;
    play({
      rebuild: async () => {
        began = true;
        await new Promise((wake) => setTimeout(wake, 400));
        return { rebuild: digestOfNumber(8) };
      },
    });
    await queue.enqueue(someJob('drain'));
    await eventually(() => began);
    await Promise.all(running.map((one) => one.close()));
    running = [];
    tasks = [];
    play();
    assert.equal((await concluded('drain')).results.rebuild, digestOfNumber(8));
    assert.equal(times('rebuild', 'drain'), 0);
  });

  it('says that Redis is away, also where it hangs', async () => {
    await using hanging = await startRedis();
    const impatient = makeQueue(hanging.address, onError);
    await impatient.ready();
    hanging.freeze();
    const begun = Date.now();
    await assert.rejects(impatient.enqueue(someJob('hang')), (thrown) => thrown instanceof Problem && thrown.code === 'queue-unavailable');
    assert.ok(Date.now() - begun < 6_000);
    await impatient.close();
  });
});
