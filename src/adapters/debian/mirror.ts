import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../problem.ts';
import { makeLimit } from './limit.ts';

export type Fetch = typeof globalThis.fetch;

/** One answer of a mirror, given to `use` while its body streams. Headers of a conditional request go into `headers`. */
export type Mirror = {
  /**
   * Undefined for 404. `use` is called again where the connection breaks while it reads. Throws `archive-unavailable`; a
   * `Problem` of `use` goes through as it is.
   */
  get<T>(url: string, use: (response: Response) => Promise<T>, headers?: Record<string, string>): Promise<T | undefined>;
};

/** Mirrors are run by volunteers: apt itself uses one connection a host. */
const CONNECTIONS_PER_HOST = 4;
/** An archive of snapshots is one service for the whole world, and limits its callers. */
const CONNECTIONS_PER_SNAPSHOT_HOST = 2;
const RETRY_MS = 250;
/** Milliseconds that are waited here; who is asked to wait for longer comes again later instead. */
const RETRY_AFTER_MAX_MS = 30_000;
/** Seconds. A verification that waits for longer is of no use to anybody. */
const RETRY_AFTER_MAX = 300;
/** Milliseconds for one whole answer: the largest .deb (1 GB) at 2 MB/s. */
const ANSWER_MS = 10 * 60 * 1000;

type Tuning = { attempts: number; milliseconds: number };
const DEFAULTS: Tuning = { attempts: 3, milliseconds: ANSWER_MS };

/** `snapshots`: addresses of archives of snapshots, which get fewer connections. `milliseconds`: for one whole answer. */
export function makeMirror(fetch: Fetch, { snapshots = [], ...tuning }: Partial<Tuning> & { snapshots?: readonly string[] } = {}): Mirror {
  const few = new Set(snapshots.map((address) => new URL(address).host));
  const limits = new Map<string, ReturnType<typeof makeLimit>>();
  const limitOf = (url: string): ReturnType<typeof makeLimit> => {
    const { host } = new URL(url);
    const limit = limits.get(host) ?? makeLimit(few.has(host) ? CONNECTIONS_PER_SNAPSHOT_HOST : CONNECTIONS_PER_HOST);
    limits.set(host, limit);
    return limit;
  };
  return {
    get: (url, use, headers = {}) => limitOf(url)(() => attempt(fetch, url, use, headers, { ...DEFAULTS, ...tuning })),
  };
}

async function attempt<T>(
  fetch: Fetch,
  url: string,
  use: (response: Response) => Promise<T>,
  headers: Record<string, string>,
  { attempts, milliseconds }: Tuning,
): Promise<T | undefined> {
  let cause: unknown;
  let retryAfter: number | undefined;
  for (let count = 1; count <= attempts; count++) {
    if (count > 1) await sleep(retryAfter ?? RETRY_MS * 4 ** (count - 2));
    retryAfter = undefined;
    try {
      // As it is stored: a .gz must not be unpacked on the way.
      const response = await fetch(url, {
        headers: { 'accept-encoding': 'identity', 'user-agent': 'conforme', ...headers },
        signal: AbortSignal.timeout(milliseconds),
      });
      if (response.ok || response.status === 304) return await use(response);
      await response.body?.cancel();
      if (response.status === 404 || response.status === 410) return undefined;
      cause = new Error(`HTTP status ${response.status}`);
      if (response.status < 500 && response.status !== 429 && response.status !== 408) break;
      retryAfter = askedToWait(response);
      if ((retryAfter ?? 0) > RETRY_AFTER_MAX_MS) break;
    } catch (error) {
      if (error instanceof Problem) throw error;
      cause = error;
    }
  }
  throw new Problem('archive-unavailable', `no usable answer from the archive for ${new URL(url).pathname}`, {
    cause,
    ...(retryAfter === undefined ? {} : { retryAfter: Math.min(Math.ceil(retryAfter / 1000), RETRY_AFTER_MAX) }),
  });
}

/** Milliseconds. RFC 9110, section 10.2.3: seconds, or a date. */
function askedToWait(response: Response): number | undefined {
  const text = response.headers.get('retry-after') ?? '';
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return wait > 0 ? wait : undefined;
}
