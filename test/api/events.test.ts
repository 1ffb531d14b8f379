import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertMatches } from '../support/matches.ts';
import { sampleJob } from '../support/sample.ts';
import { startService, type TestService } from '../support/service.ts';
import { eventually } from '../support/verification.ts';

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

type Event = { id?: string; event?: string; data?: string };

/** Reads until the stream ends or `enough` says so. */
async function read(
  id: string,
  headers: Record<string, string> = {},
  enough: (events: Event[]) => boolean = () => false,
): Promise<Event[]> {
  const stop = new AbortController();
  const response = await fetch(`${service.url}/v1/verifications/${id}/events`, { headers, signal: stop.signal });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const events: Event[] = [];
  let rest = '';
  assert.ok(response.body);
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/).slice(0, 2))) as Event;
        if (event.event !== undefined) events.push(event);
      }
      if (enough(events)) break;
    }
  } finally {
    stop.abort();
  }
  return events;
}

describe('the events of a verification', () => {
  it('tell what was and what comes, then end with the verdict', async () => {
    const { deps, progress } = service;
    await deps.records.accept(sampleJob('a', 'registry.example.org/a:1'), 'a');
    await progress.step('a', 'pull');
    const reading = read('a');
    progress.log('a', 'one\ntwo');
    await progress.step('a', 'rebuild');
    await service.conclude('a', 'honest');
    await progress.end('a', 'done');
    const events = await reading;
    assert.deepEqual(
      events.map(({ event }) => event),
      ['verification', 'step', 'log', 'step', 'step', 'status', 'verification'],
    );
    const [first, last] = [events[0], events.at(-1)].map((event) => JSON.parse(event?.data ?? '') as { status: string; verdict?: unknown });
    assertMatches('Verification', first);
    assertMatches('Verification', last);
    assert.deepEqual([first?.status, last?.status], ['running', 'done']);
    assert.ok(last?.verdict);
    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]));
    assert.equal(new Set(ids).size, 5);
  });

  it('go on where they stopped', async () => {
    const { deps, progress } = service;
    await deps.records.accept(sampleJob('b', 'registry.example.org/b:1'), 'b');
    await progress.step('b', 'pull');
    progress.log('b', '1');
    progress.log('b', '2');
    await progress.flush();
    const logs = (events: Event[]): string[] =>
      events.filter(({ event }) => event === 'log').map(({ data = '' }) => (JSON.parse(data) as { line: string }).line);
    const before = await read('b', {}, (events) => logs(events).length === 2);
    const id = before.find(({ event, data }) => event === 'log' && data?.includes('"1"'))?.id;
    assert.ok(id);
    progress.log('b', '3');
    const after = await read('b', { 'last-event-id': id }, (events) => logs(events).includes('3'));
    assert.deepEqual(logs(after), ['2', '3']);
    assert.ok(!after.some(({ event }) => event === 'step'));
  });

  it('end at once where the verification has ended, and end where it fails', async () => {
    const done = await service.judged('honest');
    assert.deepEqual(
      (await read(done.id)).map(({ event }) => event),
      ['verification'],
    );
    const { deps, progress } = service;
    await deps.records.accept(sampleJob('c', 'registry.example.org/c:1'), 'c');
    const reading = read('c');
    await deps.records.fail('c', { type: '/docs/problems#internal', title: 'x', status: 500, code: 'internal' });
    await progress.end('c', 'failed');
    const last = JSON.parse((await reading).at(-1)?.data ?? '') as { status: string; problem: { code: string } };
    assert.deepEqual([last.status, last.problem.code], ['failed', 'internal']);
  });

  it('end although nobody told that it is over', async () => {
    const { deps, redis } = service;
    await deps.records.accept(sampleJob('d', 'registry.example.org/d:1'), 'd');
    const reading = read('d');
    await redis.stop();
    await service.conclude('d', 'honest');
    const events = await reading;
    await redis.start();
    assert.equal((JSON.parse(events.at(-1)?.data ?? '') as { status: string }).status, 'done');
  });

  it('leave nothing behind when the reader goes', async () => {
    const { deps } = service;
    await deps.records.accept(sampleJob('e', 'registry.example.org/e:1'), 'e');
    const { watch } = deps;
    let watching = 0;
    deps.watch = async function* counted(id, signal) {
      watching += 1;
      try {
        yield* watch(id, signal);
      } finally {
        watching -= 1;
      }
    };
    await read('e', {}, (events) => {
      return events.length > 0 && watching === 1;
    });
    await eventually(() => watching === 0);
  });
});
