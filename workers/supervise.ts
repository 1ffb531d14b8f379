import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Running } from './running.ts';

const PAUSE_MILLISECONDS = { first: 500, most: 30_000 };
/** One that lived this long did not fail at its start: the pause begins anew. */
const STEADY_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 7_000;

/** Keeps a child process running: one that ends is started again, after a pause that doubles. */
export function supervise(name: string, start: () => ChildProcess, log: Logger): Running & { pid(): number | undefined } {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const running = (async () => {
    let pause = PAUSE_MILLISECONDS.first;
    while (!stopping.signal.aborted) {
      const begun = Date.now();
      child = start();
      // A program that is not there is an error and no exit.
      const [code, signal] = await once(child, 'exit').catch((error: unknown) => [error, null]);
      child = undefined;
      if (stopping.signal.aborted) return;
      if (Date.now() - begun > STEADY_MILLISECONDS) pause = PAUSE_MILLISECONDS.first;
      log.error({ child: name, code: String(code), signal, again: pause }, 'a child process ended; it is started again');
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      pause = Math.min(2 * pause, PAUSE_MILLISECONDS.most);
    }
  })();
  return {
    pid: () => child?.pid,
    async close() {
      stopping.abort();
      child?.kill('SIGTERM');
      const kill = setTimeout(() => child?.kill('SIGKILL'), STOP_MILLISECONDS);
      await running;
      clearTimeout(kill);
    },
  };
}
