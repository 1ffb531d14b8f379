import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { ProgressEvent, Verification } from '../../src/model/verification.ts';
import type { Deps } from '../deps.ts';
import { answersWith, IdParams } from '../schemas.ts';
import { viewOf } from '../views.ts';
import { find, withStep } from './verifications.ts';

const HEARTBEAT = 10_000; // milliseconds; proxies close what is silent for 30 s to 60 s
const RECONNECT = 3_000; // milliseconds that a browser waits before it asks again

const ended = ({ status }: Verification): boolean => status === 'done' || status === 'failed';

/** `at` alone is not unique; with a count it is, and it orders events after a part of the history is gone. */
function eventId(at: string, before: string | undefined): string {
  const [last, count] = before?.split('/') ?? [];
  return `${at}/${last === at ? Number(count) + 1 : 0}`;
}

function isAfter(id: string, than: string): boolean {
  const [at = '', count = '0'] = id.split('/');
  const [thanAt = '', thanCount = '0'] = than.split('/');
  return at > thanAt || (at === thanAt && Number(count) > Number(thanCount));
}

/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export const eventRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const closing = new AbortController();
    app.addHook('preClose', async () => closing.abort());

    app.get(
      '/v1/verifications/:id/events',
      {
        schema: {
          tags: ['verifications'],
          summary: 'A verification as it changes',
          description:
            'Events: `verification` (as GET answers) at the beginning and at the end, and between them `step`, `log` and `status`. ' +
            'The stream ends when the verification has ended. With Last-Event-ID it goes on where it stopped.',
          params: IdParams,
          headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 100 })) }),
          response: answersWith('text/event-stream', 'the events'),
        },
      },
      async (request, reply) => {
        const verification = await find(deps, request.params.id);
        const gone = new AbortController();
        reply.raw.on('close', () => gone.abort());
        const signal = AbortSignal.any([gone.signal, closing.signal]);
        reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
        return reply.send(Readable.from(stream(deps, verification, request.headers['last-event-id'], signal)));
      },
    );
  };

async function* stream(deps: Deps, first: Verification, after: string | undefined, signal: AbortSignal): AsyncGenerator<string> {
  const told = async (verification: Verification): Promise<string> =>
    `event: verification\ndata: ${JSON.stringify(viewOf(deps.publicUrl, await withStep(deps, verification)))}\n\n`;
  yield `retry: ${RECONNECT}\n\n`;
  yield await told(first);
  if (ended(first)) return;

  let id: string | undefined;
  const watching = new AbortController();
  try {
    for await (const event of beating(deps.watch(first.id, AbortSignal.any([signal, watching.signal])), signal)) {
      if (event === 'beat') {
        yield ':\n\n';
        // Watching is lossy: the database is what tells for certain that it is over.
        if (ended((await deps.records.get(first.id)) ?? first)) break;
        continue;
      }
      id = eventId(event.at, id);
      if (after !== undefined && !isAfter(id, after)) continue;
      const { type, ...data } = event;
      yield `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    }
  } finally {
    watching.abort();
  }

  while (!signal.aborted) {
    const verification = (await deps.records.get(first.id)) ?? first;
    if (ended(verification)) {
      yield await told(verification);
      return;
    }
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

/** The events, and a beat whenever none came for a while. */
async function* beating(events: AsyncIterable<ProgressEvent>, signal: AbortSignal): AsyncGenerator<ProgressEvent | 'beat'> {
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (!signal.aborted) {
      const timer = new AbortController();
      const beat = sleep(HEARTBEAT, 'beat' as const, { signal: AbortSignal.any([signal, timer.signal]) }).catch(() => 'beat' as const);
      const result = await Promise.race([next, beat]);
      timer.abort();
      if (result === 'beat') yield result;
      else if (result.done === true) return;
      else {
        next = iterator.next();
        yield result.value;
      }
    }
  } finally {
    // Not waited for: it may be waiting itself for a system that is away.
    next.catch(() => undefined);
    iterator.return?.().catch(() => undefined);
  }
}
