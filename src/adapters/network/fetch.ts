import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import { isIP } from 'node:net';
import { Problem } from '../../problem.ts';
import { bareHost, type Guard } from './guard.ts';

/** The one outgoing HTTP client: as the global `fetch`, with the addresses of every hop checked. */
export type Fetch = typeof globalThis.fetch;

const CONNECT_MS = 10_000;
/** A registry may think long before the first byte of a blob that it fetches from elsewhere itself. */
const HEADERS_MS = 60_000;
const BODY_SILENCE_MS = 60_000;

/**
 * A dispatcher for undici whose every connection, also one for a redirect, goes to an address that the guard allows. `connections`: to one
 * server at once, at most.
 */
export function makeDispatcher(guard: Guard, connections?: number): Agent {
  const connector = buildConnector({ lookup: guard.lookup, timeout: CONNECT_MS, autoSelectFamily: true });
  return new Agent({
    headersTimeout: HEADERS_MS,
    bodyTimeout: BODY_SILENCE_MS,
    maxRedirections: 0,
    connections: connections ?? null,
    connect(options, callback) {
      const host = bareHost(options.hostname);
      // `net.connect` asks `lookup` for names only.
      if (isIP(host) === 0) return connector(options, callback);
      guard.resolve(host).then(
        () => connector(options, callback),
        (error: unknown) => callback(error as Error, null),
      );
    },
  } as Agent.Options);
}

export function makeFetch(guard: Guard, dispatcher = makeDispatcher(guard)): Fetch {
  const guarded = async (input: string | URL, init: object = {}): Promise<unknown> => {
    try {
      return await undiciFetch(input, { ...init, dispatcher });
    } catch (error) {
      throw problemInside(error) ?? error;
    }
  };
  return guarded as unknown as Fetch;
}

/** undici wraps what a connector throws into "fetch failed". */
function problemInside(error: unknown): Problem | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Problem) return cause;
  }
  return undefined;
}
