import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Digest } from '../../src/model/digest.ts';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answers, DigestParams, StoredContext } from '../schemas.ts';
import { checkedTar } from '../tar-check.ts';
import { requireTokenOrIdentity } from '../token.ts';

const LINGER = 10_000; // milliseconds

/** Only what came in here is a context: no other stored document can be built from by naming its digest. */
const nameOf = (digest: Digest): string => `context/v1/${digest}`;

export const contextRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    // The bytes are checked to be a tar, whatever they are called; they are never whole in memory.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    app.put(
      '/v1/contexts/:digest',
      {
        onRequest: requireTokenOrIdentity(deps),
        schema: {
          tags: ['verifications'],
          summary: 'Uploads a build context',
          description: `A tar, optionally compressed with gzip, of at most ${deps.contextBytesMax} bytes. The digest is that of the bytes as sent.`,
          security: [{ token: [] }],
          params: DigestParams,
          consumes: ['application/x-tar', 'application/gzip', 'application/octet-stream'],
          response: answers(201, StoredContext, 'stored'),
        },
      },
      async (request, reply) => {
        lingerAfter(reply.raw, request.raw);
        const expected = request.params.digest as Digest;
        const announced = Number(request.headers['content-length'] ?? 0);
        if (announced > deps.contextBytesMax) throw new Problem('too-large', `a build context has at most ${deps.contextBytesMax} bytes`);
        const payload = request.body as Readable | undefined;
        if (payload === undefined || payload === null) throw new Problem('invalid-context', 'the body is empty');
        // Not destroyed where it is refused half-way: the answer would be lost with the connection.
        const bytes = checkedTar(payload.iterator({ destroyOnReturn: false }));
        const stored = await deps.blobs.put(bytes, { expected, max: deps.contextBytesMax });
        await deps.blobs.link(nameOf(expected), expected);
        return reply.code(201).send(stored);
      },
    );
  };

/**
 * A caller that is answered before it has sent everything reads the answer only if it can go on sending for a while: what comes is
 * thrown away, and the connection closed where it does not end. RFC 9112, section 9.6.
 */
function lingerAfter(response: ServerResponse, incoming: IncomingMessage): void {
  response.once('finish', () => {
    if (incoming.complete) return;
    const timer = setTimeout(() => incoming.socket.destroy(), LINGER).unref();
    incoming.once('close', () => clearTimeout(timer));
    incoming.resume();
  });
}

/** Throws `context-missing`. */
export async function findContext(deps: Pick<Deps, 'blobs' | 'patience'>, digest: Digest): Promise<void> {
  const known = await within(deps.patience, 'blobs-unavailable', deps.blobs.resolve(nameOf(digest)));
  if (known !== digest) throw new Problem('context-missing', `/source/context: PUT it to /v1/contexts/${digest} first`);
}
