import { setTimeout as sleep } from 'node:timers/promises';
import type { SecurityTracker } from '../src/ports.ts';
import type { Running } from './running.ts';

/** How soon a failed attempt is made again; one that succeeded is good for the hour. */
const INTERVAL_MILLISECONDS = 5 * 60_000;

/** Beside the evidence role, which is the one that asks Debian: keeps the security tracker's data no older than an hour. */
export function runTracker(tracker: Pick<SecurityTracker, 'refresh'>, onError: (error: unknown, context?: string) => void): Running {
  const stopping = new AbortController();
  void (async () => {
    while (!stopping.signal.aborted) {
      await tracker.refresh().catch((thrown: unknown) => onError(thrown, 'security tracker'));
      await sleep(INTERVAL_MILLISECONDS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  // What is being fetched is not waited for: nothing of it is stored before it is whole.
  return { close: () => Promise.resolve(stopping.abort()) };
}
