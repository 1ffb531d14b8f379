import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgressEvent, Status } from '../../model/verification.ts';
import type { Progress, TellEnd, Watch } from '../../ports.ts';
import { connectImpatiently, type OnError, PREFIX } from './connection.ts';

export const stepKey = (id: string): string => `${PREFIX}:step:${id}`;
const streamKey = (id: string): string => `${PREFIX}:progress:${id}`;

const EVENTS_KEPT = 10_000; // the whole log of a build is a blob of its own
const SECONDS_KEPT = 24 * 3600;
const LINE_LENGTH_MAX = 2_000; // characters
const FLUSH_MILLISECONDS = 100;
// Memory while Redis is slow or away: what is over is dropped, and said.
const LINES_WAITING_MAX = 2_000;

// ECMA-48 control sequences whole, then what is left of C0, DEL, C1 and what a reader cannot see or is misled by.
// oxlint-disable-next-line no-control-regex
const SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/** A line of a log as it may be shown anywhere: log lines of a build are written by whoever is being verified. */
export function plainLine(line: string): string {
  // Cut before the expressions run, so that their time is bounded; a sequence that is cut in two loses its escape character.
  const plain = line
    .slice(0, 4 * LINE_LENGTH_MAX)
    .replace(/\t/g, '    ')
    .replace(SEQUENCES, '')
    .replace(HIDDEN, '');
  return plain.length > LINE_LENGTH_MAX ? `${plain.slice(0, LINE_LENGTH_MAX)}…` : plain;
}

/** Progress by way of Redis: a stream and a current step for each verification, kept for a day. Never throws, never blocks. */
export function makeProgress(
  address: string,
  onError: OnError,
): Progress & { end: TellEnd; flush(): Promise<void>; close(): Promise<void> } {
  const client = connectImpatiently(address, onError);
  let waiting: { id: string; event: ProgressEvent }[] = [];
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();

  function sayDropped(): void {
    const last = waiting.at(-1);
    if (dropped > 0 && last !== undefined) waiting.push({ id: last.id, event: logEvent(`… ${dropped} lines were not kept`) });
    dropped = 0;
  }

  // What was said before the connection was up, or while it was away, goes with it.
  client.on('ready', () => void flush());

  async function send(): Promise<void> {
    if (client.status !== 'ready') return;
    sayDropped();
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const pipeline = client.pipeline();
    for (const { id, event } of batch) {
      pipeline.xadd(streamKey(id), 'MAXLEN', '~', EVENTS_KEPT, '*', 'event', JSON.stringify(event));
      if (event.type === 'step') pipeline.set(stepKey(id), event.step, 'EX', SECONDS_KEPT);
    }
    for (const id of new Set(batch.map((each) => each.id))) pipeline.expire(streamKey(id), SECONDS_KEPT);
    await pipeline.exec().catch((error: unknown) => onError(error, 'progress'));
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending = sending.then(send);
    return sending;
  }

  function add(id: string, event: ProgressEvent): void {
    if (event.type !== 'log') sayDropped();
    // A step comes once in a while, and is worth more than a line.
    if (waiting.length >= (event.type === 'log' ? LINES_WAITING_MAX : 2 * LINES_WAITING_MAX)) dropped += 1;
    else waiting.push({ id, event });
    timer ??= setTimeout(() => void flush(), FLUSH_MILLISECONDS).unref();
  }

  return {
    async step(id, step) {
      add(id, { type: 'step', step, at: new Date().toISOString() });
      await flush();
    },
    log: (id, line) => add(id, logEvent(plainLine(line))),
    async end(id, status) {
      add(id, { type: 'step', step: 'done', at: new Date().toISOString() });
      add(id, { type: 'status', status, at: new Date().toISOString() });
      await flush();
    },
    flush,
    async close() {
      await flush();
      client.disconnect();
    },
  };
}

function logEvent(line: string): ProgressEvent {
  return { type: 'log', line, at: new Date().toISOString() };
}

const ENDED: readonly Status[] = ['done', 'failed'];
// Reading in turns needs one connection for all watchers and outlives a restart of Redis; people do not notice the delay.
const POLL_MILLISECONDS = 250;
const EVENTS_A_READ = 500;

/** Everything from the beginning, then what comes, until the verification has ended or `signal` is aborted. */
export function makeWatch(address: string, onError: OnError): { watch: Watch; close(): void } {
  const client = connectImpatiently(address, onError);
  async function* watch(id: string, signal: AbortSignal): AsyncGenerator<ProgressEvent> {
    let position = '0-0';
    while (!signal.aborted) {
      const read =
        client.status === 'ready'
          ? await client.xread('COUNT', EVENTS_A_READ, 'STREAMS', streamKey(id), position).catch((error: unknown) => {
              onError(error, 'watch');
              return null;
            })
          : null;
      const entries = read?.[0]?.[1] ?? [];
      for (const [entry, fields] of entries) {
        position = entry;
        const event = JSON.parse(fields[1] ?? 'null') as ProgressEvent;
        yield event;
        if (event.type === 'status' && ENDED.includes(event.status)) return;
      }
      if (entries.length < EVENTS_A_READ) await sleep(POLL_MILLISECONDS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
  return { watch, close: () => client.disconnect() };
}
