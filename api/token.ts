import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../src/problem.ts';
import type { Deps } from './deps.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** RFC 6750, section 2.1. */
const sentBy = (request: FastifyRequest): string | undefined => /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];

/** Compared as hashes, so that the time taken tells nothing about the token or its length. */
export function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return true;
  const sent = sentBy(request);
  return sent !== undefined && timingSafeEqual(sha256(sent), sha256(token));
}

/** An `onRequest` hook: nothing of the body is read before. */
export function requireToken(token: string | undefined): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    if (!hasToken(request, token)) throw new Problem('unauthorized', 'send the API token as "Authorization: Bearer …"');
  };
}

/** The same, and an identity token is enough. For what a pipeline does: it may ask, and neither read nor change what belongs to others. */
export function requireTokenOrIdentity({ token, identify }: Pick<Deps, 'token' | 'identify'>): (request: FastifyRequest) => Promise<void> {
  const onlyToken = requireToken(token);
  return async (request) => {
    const sent = sentBy(request);
    // RFC 7519: three parts with dots between. A token of our own has none.
    if (identify === undefined || sent === undefined || sent.split('.').length !== 3 || hasToken(request, token)) return onlyToken(request);
    const found = await identify(sent);
    if ('refused' in found) throw new Problem('unauthorized', `the identity token is refused: ${found.refused}`);
    request.log.info(found.identity, 'signed in by an identity token');
  };
}
