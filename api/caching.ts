import type { FastifyReply, FastifyRequest } from 'fastify';

/** A year: what is named by its digest never changes. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';

/** Sets the validators and tells whether the caller has the bytes already (RFC 9110, 13.1.2); then 304 was set. */
export function notModified(request: FastifyRequest, reply: FastifyReply, etag: string, cacheControl: string): boolean {
  reply.headers({ etag, 'cache-control': cacheControl });
  const sent = request.headers['if-none-match'];
  if (sent === undefined) return false;
  const tags = sent.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (!tags.includes('*') && !tags.includes(etag)) return false;
  reply.code(304);
  return true;
}
