import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../src/problem.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** RFC 6750, section 2.1. Compared as hashes, so that the time taken tells nothing about the token or its length. */
export function hasToken(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) return true;
  const sent = /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return sent !== undefined && timingSafeEqual(sha256(sent), sha256(token));
}

/** An `onRequest` hook: nothing of the body is read before. */
export function requireToken(token: string | undefined): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    if (!hasToken(request, token)) throw new Problem('unauthorized', 'send the API token as "Authorization: Bearer …"');
  };
}
