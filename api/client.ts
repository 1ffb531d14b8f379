/** The HTTP interface from the caller's side: what the command line speaks. */
import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Static } from 'typebox';
import type { Digest } from '../src/model/digest.ts';
import type { VerificationRequest } from '../src/model/request.ts';
import type { ProblemDocument, Step } from '../src/model/verification.ts';
import type { PackedContext } from './context-tar.ts';
import type { Accepted, VerificationView } from './schemas.ts';

export type AcceptedVerification = Static<typeof Accepted>;

/** What the service answered in place of what was asked for. */
export class ServiceError extends Error {
  readonly problem: ProblemDocument | undefined;

  constructor(message: string, problem?: ProblemDocument, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

export type Seen = { step: (step: Step) => void; log: (line: string) => void };

export type Client = {
  putContext(context: PackedContext): Promise<Digest>;
  verify(request: VerificationRequest): Promise<AcceptedVerification>;
  /** Follows a verification to its end. */
  wait(id: string, seen: Seen): Promise<VerificationView>;
};

const PAUSES = [500, 1000, 2000, 4000, 8000]; // milliseconds between attempts to reach a service that went away

export function makeClient(server: string, token: string | undefined): Client {
  const base = server.replace(/\/+$/, '');
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, { ...init, redirect: 'error' });
    } catch (cause) {
      throw new ServiceError(`${base} does not answer${reasonOf(cause)}`, undefined, { cause });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => undefined)) as ProblemDocument | undefined;
    if (typeof problem?.code !== 'string') throw new ServiceError(`${base} answers ${response.status}`);
    throw new ServiceError(problem.detail ?? problem.title, problem);
  }

  return {
    async putContext({ file, digest }) {
      const body = await openAsBlob(file);
      await ask(`/v1/contexts/${digest}`, { method: 'PUT', body, headers: { ...authorization, 'content-type': 'application/gzip' } });
      return digest;
    },

    async verify(request) {
      const headers = { ...authorization, 'content-type': 'application/json' };
      const response = await ask('/v1/verifications', { method: 'POST', body: JSON.stringify(request), headers });
      return (await response.json()) as AcceptedVerification;
    },

    async wait(id, seen) {
      let position: string | undefined;
      for (let failures = 0; ; failures += 1) {
        try {
          const headers: Record<string, string> = position === undefined ? {} : { 'last-event-id': position };
          const response = await ask(`/v1/verifications/${encodeURIComponent(id)}/events`, { headers });
          for await (const event of eventsOf(response)) {
            failures = 0;
            position = event.id ?? position;
            const data = JSON.parse(event.data) as Record<string, unknown>;
            if (event.event === 'step') seen.step(data['step'] as Step);
            if (event.event === 'log') seen.log(String(data['line']));
            if (event.event !== 'verification') continue;
            const verification = data as unknown as VerificationView;
            if (verification.status === 'done' || verification.status === 'failed') return verification;
          }
        } catch (thrown) {
          const passing = !(thrown instanceof ServiceError) || thrown.problem === undefined || thrown.problem.status >= 500;
          if (!passing || failures >= PAUSES.length) throw thrown;
        }
        await sleep(PAUSES[Math.min(failures, PAUSES.length - 1)]);
      }
    },
  };
}

type ServerEvent = { event: string; data: string; id?: string };

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, as far as this service uses it. */
async function* eventsOf(response: Response): AsyncGenerator<ServerEvent> {
  if (response.body === null) return;
  let rest = '';
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map<string, string>();
      for (const line of block.split('\n')) {
        const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
        if (name !== '') fields.set(name, value);
      }
      const data = fields.get('data');
      const id = fields.get('id');
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', data, ...(id === undefined ? {} : { id }) };
    }
  }
}

/** Undici says "fetch failed" and keeps the reason to itself. */
function reasonOf(thrown: unknown): string {
  const code = (thrown as { cause?: { code?: unknown } }).cause?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}
