import { setTimeout as sleep } from 'node:timers/promises';

export type Fetch = typeof globalThis.fetch;

/** A rebuilder that does not answer as it should. Only ever seen inside this folder: it becomes the answer `unavailable`. */
export class Unanswered extends Error {
  /** Whether the next question would fare no better: no connection, a refusal, a server error. */
  readonly away: boolean;

  constructor(detail: string, away: boolean) {
    super(detail);
    this.away = away;
  }
}

const ATTEMPTS = 3;
const RETRY_MS = 250;
const RETRY_AFTER_MAX_MS = 10_000;
/** Milliseconds for one whole answer, of which the largest has a few kilobytes. */
const ANSWER_MS = 20_000;

/**
 * The bytes of an answer of at most `max`; undefined for 404. Redirections are not followed: what the operator configured is
 * where the rebuilder is, and nobody else chooses what is connected to. Throws `Unanswered`, or the signal's reason.
 */
export async function getBounded(fetch: Fetch, url: string, max: number, signal: AbortSignal): Promise<Buffer | undefined> {
  let failure = 'no answer';
  let retryAfter = 0;
  for (let count = 1; count <= ATTEMPTS; count++) {
    if (count > 1) await sleep(Math.min(Math.max(retryAfter, RETRY_MS * 4 ** (count - 2)), RETRY_AFTER_MAX_MS), undefined, { signal });
    retryAfter = 0;
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'conforme' },
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      });
      if (response.ok) return await bodyOf(response, max);
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      failure = `HTTP status ${response.status}`;
      if (response.status < 500 && response.status !== 429 && response.status !== 408) break;
      retryAfter = Number(response.headers.get('retry-after') ?? 0) * 1000 || 0;
    } catch (error) {
      if (error instanceof Unanswered || signal.aborted) throw error;
      failure = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Unanswered(failure, true);
}

async function bodyOf(response: Response, max: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > max) throw new Unanswered(`more than ${max} bytes`, false); // leaving the loop cancels the body
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}
