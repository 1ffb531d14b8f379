/** The HTTP interface from the caller's side: what the command line speaks, by the types of the OpenAPI document. */
import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import createClient from 'openapi-fetch';
import type { Digest } from '../src/model/digest.ts';
import type { VerificationRequest } from '../src/model/request.ts';
import type { ProblemDocument, Step } from '../src/model/verification.ts';
import { isView } from './checked-view.ts';
import type { PackedContext } from './context-tar.ts';
import type { components, paths } from './openapi.d.ts';
import type { VerificationView } from './schemas.ts';
import { eventsOf } from './server-events.ts';

export type AcceptedVerification = components['schemas']['Accepted'];

/** What the service answered in place of what was asked for. */
export class ServiceError extends Error {
  readonly problem: ProblemDocument | undefined;

  constructor(message: string, problem?: ProblemDocument, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

export type Seen = { step: (step: Step) => void; log: (line: string) => void };

/** What is made of a verdict, each with its path below `/v1/verdicts/{digest}`. */
export const VERDICT_DOCUMENTS = {
  statement: '/v1/verdicts/{digest}',
  signature: '/v1/verdicts/{digest}/signature',
  sarif: '/v1/verdicts/{digest}/sarif.json',
  cyclonedx: '/v1/verdicts/{digest}/cyclonedx.json',
  spdx: '/v1/verdicts/{digest}/spdx.json',
} as const satisfies Record<string, keyof paths>;
export type VerdictDocument = keyof typeof VERDICT_DOCUMENTS;

export type Client = {
  putContext(context: PackedContext): Promise<Digest>;
  verify(request: VerificationRequest): Promise<AcceptedVerification>;
  /** Follows a verification to its end. */
  wait(id: string, seen: Seen): Promise<VerificationView>;
  /** Undefined where there is none. */
  verification(id: string): Promise<VerificationView | undefined>;
  /** The newest of a reference as normalised, or of an image's digest; undefined where nobody asked about it. */
  latest(image: string): Promise<VerificationView | undefined>;
  document(verdict: string, which: VerdictDocument): Promise<Buffer>;
  /** Armored. */
  publicKey(): Promise<string>;
};

const PAUSES = [500, 1000, 2000, 4000, 8000]; // milliseconds between attempts to reach a service that went away
/** Of a list that is searched for one reference: others contain it as a part. */
const LISTED = 1000;

export function makeClient(server: string, token: string | undefined): Client {
  const base = server.replace(/\/+$/, '');
  // A redirect could lead the token elsewhere.
  const api = createClient<paths>({ baseUrl: base, redirect: 'error' });
  api.use({
    onRequest({ request }) {
      if (token !== undefined && request.method !== 'GET') request.headers.set('authorization', `Bearer ${token}`);
    },
    async onResponse({ response }) {
      if (response.ok) return;
      const problem = (await response.json().catch(() => undefined)) as ProblemDocument | undefined;
      if (typeof problem?.code !== 'string') throw new ServiceError(`${base} answers ${response.status}`);
      throw new ServiceError(problem.detail ?? problem.title, problem);
    },
    onError({ error }) {
      return error instanceof ServiceError
        ? error
        : new ServiceError(`${base} does not answer${reasonOf(error)}`, undefined, { cause: error });
    },
  });

  const client: Client = {
    async putContext({ file, digest }) {
      const body = await openAsBlob(file);
      await api.PUT('/v1/contexts/{digest}', {
        params: { path: { digest } },
        body: body as never, // the document calls it a string of bytes
        bodySerializer: (bytes) => bytes,
        headers: { 'content-type': 'application/gzip' },
      });
      return digest;
    },

    async verify(request) {
      return answered((await api.POST('/v1/verifications', { body: request })).data);
    },

    async wait(id, seen) {
      let position: string | undefined;
      for (let failures = 0; ; failures += 1) {
        let ended: components['schemas']['Verification'] | undefined;
        try {
          const header = position === undefined ? {} : { 'last-event-id': position };
          const { data } = await api.GET('/v1/verifications/{id}/events', { params: { path: { id }, header }, parseAs: 'stream' });
          for await (const event of eventsOf(data as ReadableStream<Uint8Array> | null | undefined)) {
            failures = 0;
            position = event.id ?? position;
            const told = JSON.parse(event.data) as Record<string, unknown>;
            if (event.event === 'step') seen.step(told['step'] as Step);
            if (event.event === 'log') seen.log(String(told['line']));
            if (event.event !== 'verification') continue;
            const verification = told as unknown as components['schemas']['Verification'];
            if (verification.status !== 'done' && verification.status !== 'failed') continue;
            ended = verification;
            break;
          }
        } catch (thrown) {
          const passing = !(thrown instanceof ServiceError) || thrown.problem === undefined || thrown.problem.status >= 500;
          if (!passing || failures >= PAUSES.length) throw thrown;
        }
        if (ended !== undefined) return viewOf(ended);
        await sleep(PAUSES[Math.min(failures, PAUSES.length - 1)]);
      }
    },

    async verification(id) {
      try {
        return viewOf(answered((await api.GET('/v1/verifications/{id}', { params: { path: { id } } })).data));
      } catch (thrown) {
        if (thrown instanceof ServiceError && (thrown.problem?.status === 404 || thrown.problem?.status === 400)) return undefined;
        throw thrown;
      }
    },

    async latest(image) {
      for (let cursor: string | undefined; ;) {
        const query = { image, limit: LISTED, ...(cursor === undefined ? {} : { cursor }) };
        const { items, next } = answered((await api.GET('/v1/verifications', { params: { query } })).data);
        const found = items.find((one) => [one.image.reference, one.image.digest, one.image.manifestDigest].includes(image));
        if (found !== undefined || next === undefined) return found === undefined ? undefined : viewOf(found);
        cursor = next;
      }
    },

    async document(verdict, which) {
      const { data } = await api.GET(VERDICT_DOCUMENTS[which], { params: { path: { digest: verdict } }, parseAs: 'arrayBuffer' });
      return Buffer.from(answered(data));
    },

    async publicKey() {
      return answered((await api.GET('/v1/keys', { parseAs: 'text' })).data);
    },
  };
  return client;
}

/** Every answer but a good one was thrown by then. */
function answered<T>(data: T | undefined): T {
  if (data === undefined) throw new ServiceError('the service answers with nothing');
  return data;
}

/** What the service says of a verification, where it has the form of its document. Of a digest that says no more than that it is a string. */
function viewOf(verification: components['schemas']['Verification']): VerificationView {
  const view = verification as VerificationView;
  let fine = false;
  try {
    fine = isView(view);
  } catch {
    // A part of it is not there.
  }
  if (!fine) throw new ServiceError('the service answers with a verification of a form that this version does not read');
  return view;
}

/** Undici says "fetch failed" and keeps the reason to itself. */
function reasonOf(thrown: unknown): string {
  const code = (thrown as { cause?: { code?: unknown } }).cause?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}
