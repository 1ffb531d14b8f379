import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeProgress, makeWatch, plainLine } from '../../../src/adapters/queue/progress.ts';
import { makeQueue } from '../../../src/adapters/queue/queue.ts';
import type { ProgressEvent } from '../../../src/model/verification.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { eventually } from '../../support/verification.ts';

const onError = (): void => undefined;

describe('a line of a log', () => {
  const cases: [string, string, string][] = [
    ['plain', 'STEP 1/4: RUN apt-get install né ✓', 'STEP 1/4: RUN apt-get install né ✓'],
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['title of the window', 'a\u001b]0;rm -rf\u0007b\u001b]8;;http://x\u001b\\c', 'abc'],
    ['C1 control', 'a\u009b31mb', 'a31mb'],
    ['cursor and bell', 'a\rb\u0007\u0008c\u0000', 'abc'],
    ['text turned round', 'a\u202eb\u2066c\u200b', 'abc'],
    ['tab', 'a\tb', 'a    b'],
    ['half a sequence', 'x\u001b[', 'x'],
    ['lone surrogate', 'a\ud800b', 'ab'],
  ];
  for (const [name, line, shown] of cases) it(name, () => assert.equal(plainLine(line), shown));
  it('has an end', () => {
    assert.equal(plainLine('x'.repeat(1e6)).length, 2001);
    const begun = performance.now();
    plainLine('\u001b]'.repeat(1e6));
    assert.ok(performance.now() - begun < 100);
  });
});

describe('progress', () => {
  let redis: TestRedis;
  let progress: ReturnType<typeof makeProgress>;
  let watching: ReturnType<typeof makeWatch>;
  before(async () => {
    redis = await startRedis();
    progress = makeProgress(redis.address, onError);
    watching = makeWatch(redis.address, onError);
    await eventually(async () => {
      await progress.step('warm-up', 'pull');
      return (await seen('warm-up', 150)).length > 0;
    });
  });
  after(async () => {
    await progress.close();
    watching.close();
    await redis[Symbol.asyncDispose]();
  });

  async function seen(id: string, milliseconds: number): Promise<ProgressEvent[]> {
    const events: ProgressEvent[] = [];
    for await (const event of watching.watch(id, AbortSignal.timeout(milliseconds))) events.push(event);
    return events;
  }

  it('is told from the beginning and followed to the end', async () => {
    await progress.step('a', 'pull');
    progress.log('a', 'line \u001b[31mone');
    const early = seen('a', 5_000);
    await new Promise((wake) => setTimeout(wake, 300));
    progress.log('a', 'line two');
    await progress.step('a', 'conclude');
    await progress.end('a', 'failed');
    const expected = ['pull', 'line one', 'line two', 'conclude', 'done', 'failed'];
    const told = (events: ProgressEvent[]) =>
      events.map((event) => (event.type === 'step' ? event.step : event.type === 'log' ? event.line : event.status));
    assert.deepEqual(told(await early), expected);
    assert.deepEqual(told(await seen('a', 5_000)), expected, 'the same for who comes late');
  });

  it('keeps what is said before its connection is up', async () => {
    const hasty = makeProgress(redis.address, onError);
    await hasty.step('hasty', 'pull');
    hasty.log('hasty', 'first of all');
    await hasty.end('hasty', 'done');
    const types = (await seen('hasty', 5_000)).map(({ type }) => type);
    await hasty.close();
    assert.deepEqual(types, ['step', 'log', 'step', 'status']);
  });

  it('says after a while without Redis what was said meanwhile, within its bound', async () => {
    await progress.step('away', 'pull');
    await redis.stop();
    await new Promise((wake) => setTimeout(wake, 300)); // what is on its way when the connection breaks is lost
    for (let line = 0; line < 3_000; line++) progress.log('away', `line ${line}`);
    await progress.end('away', 'done');
    await redis.start();
    const events = await seen('away', 10_000);
    assert.deepEqual([events[0]?.type, events.at(-1)?.type], ['step', 'status']);
    assert.ok(events.length < 2_100, String(events.length));
    assert.ok(events.some((event) => event.type === 'log' && /^… 1000 lines were not kept$/.test(event.line)));
  });

  it('knows the newest step', async () => {
    const queue = makeQueue(redis.address, onError);
    await queue.ready();
    await progress.step('b', 'pull');
    await progress.step('b', 'rebuild');
    assert.equal(await queue.currentStep('b'), 'rebuild');
    assert.equal(await queue.currentStep('nobody'), undefined);
    await queue.close();
  });

  it('keeps a bounded part of an endless log, and says what it left out', async () => {
    for (let line = 0; line < 50_000; line++) progress.log('c', `line ${line}`);
    await progress.end('c', 'done');
    const events = await seen('c', 5_000);
    assert.ok(events.length < 2_100, String(events.length));
    assert.ok(events.some((event) => event.type === 'log' && /^… 48000 lines were not kept$/.test(event.line)));
    assert.deepEqual(events.at(-1)?.type, 'status');
  });

  it('is lossy and harmless while Redis is away, and goes on after it', async () => {
    const watched = seen('d', 10_000);
    await progress.step('d', 'pull');
    await redis.stop();
    await progress.step('d', 'rebuild');
    progress.log('d', 'lost');
    await redis.start();
    await eventually(async () => {
      await progress.end('d', 'done');
      return (await seen('d', 200)).some((event) => event.type === 'status');
    });
    const events = await watched;
    assert.equal(events[0]?.type, 'step');
    assert.equal(events.at(-1)?.type, 'status');
  });
});
