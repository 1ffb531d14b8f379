import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../problem.ts';

export type Fetch = typeof globalThis.fetch;

export type HttpOptions = {
  fetch: Fetch;
  /** Hosts, with their port, that are spoken to over plain HTTP. */
  insecure: ReadonlySet<string>;
  /** Milliseconds before the first repetition; doubled with each. */
  backoff: number;
};

export type HttpRequest = {
  url: URL;
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  /** Sent to the first host only. */
  authorization?: string | undefined;
  signal?: AbortSignal;
};

const ATTEMPTS = 4;
/** A registry that wants more patience than this has the job tried again later. Seconds. */
const RETRY_AFTER_MAX = 30;
const REDIRECTS_MAX = 5;
/** To the head of an answer. Registries in front of slow storage take long over a blob. Milliseconds. */
const HEAD_TIMEOUT = 60_000;

/** Sends a request; 429 and 5xx are tried again. Throws `registry-unavailable`, and the fetch's own `Problem`s. */
export async function send(options: HttpOptions, request: HttpRequest): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const last = attempt === ATTEMPTS;
    let wait = options.backoff * 2 ** (attempt - 1);
    try {
      const response = await follow(options, request);
      if (response.status !== 429 && response.status < 500) return response;
      await response.body?.cancel();
      const asked = retryAfter(response);
      if (last || (asked ?? 0) > RETRY_AFTER_MAX)
        throw new Problem(
          'registry-unavailable',
          `${request.url.host} answers ${response.status}`,
          asked === undefined ? {} : { retryAfter: asked },
        );
      wait = Math.max(wait, (asked ?? 0) * 1000);
    } catch (error) {
      if (error instanceof Problem) throw error;
      request.signal?.throwIfAborted();
      if (last) throw new Problem('registry-unavailable', `${request.url.host} cannot be reached: ${reasonOf(error)}`, { cause: error });
    }
    await sleep(wait, undefined, request.signal && { signal: request.signal });
  }
}

/** Redirects are followed here, so that credentials stay with the host they are for and nobody leaves TLS. */
async function follow({ fetch, insecure }: HttpOptions, request: HttpRequest): Promise<Response> {
  const { method = 'GET', body } = request;
  let url = request.url;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && insecure.has(url.host)))
      throw new Problem('address-refused', `${url.protocol}//${url.host} is not spoken to without TLS`);
    const headers = { ...request.headers };
    if (request.authorization !== undefined && url.origin === request.url.origin) headers['authorization'] = request.authorization;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error('no answer in time')), HEAD_TIMEOUT);
    const signal = request.signal === undefined ? timeout.signal : AbortSignal.any([request.signal, timeout.signal]);
    const response = await fetch(url.href, { method, headers, redirect: 'manual', signal, ...(body !== undefined && { body }) }).finally(
      () => clearTimeout(timer),
    );
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    if (method !== 'GET' && method !== 'HEAD')
      throw new Problem('registry-unavailable', `${url.host} redirects a request that carries credentials`);
    const next = URL.parse(location, url.href);
    if (next === null) throw new Problem('registry-unavailable', `${url.host} redirects to what is no address`);
    url = next;
  }
  throw new Problem('registry-unavailable', `${request.url.host} redirects more than ${REDIRECTS_MAX} times`);
}

/** Seconds. RFC 9110, section 10.2.3: a number, or a date. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after');
  if (text === null) return undefined;
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.min(Math.max(Math.ceil((date - Date.now()) / 1000), 0), 999_999);
}

/** undici says "fetch failed" and keeps the reason in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no reason given';
  const { cause } = error;
  return cause instanceof Error ? ((cause.message || (cause as NodeJS.ErrnoException).code) ?? error.message) : error.message;
}

/** A whole body of at most `max` bytes. Throws `tooLarge()`, `registry-unavailable`. */
export async function readBody(response: Response, max: number, tooLarge: () => Error): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > max) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('registry-unavailable', `the answer was cut off: ${reasonOf(error)}`, { cause: error });
  }
  return Buffer.concat(parts);
}
