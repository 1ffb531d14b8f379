import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../src/problem.ts';

const MINUTE = 60_000;
/** A request that sets work going counts as so many that read. */
const WORK_COUNTS_AS = 10;
/** Addresses that are remembered; the one that was seen longest ago is forgotten first. */
const ADDRESSES_MAX = 20_000;
/** Of an IPv6 address, bits that name a subscriber. */
const SUBSCRIBER_BITS = 64;

/**
 * Bounds what one address asks for, with the headers of draft-ietf-httpapi-ratelimit-headers-05 in every answer and `too-many-requests` beyond.
 * Counted in this process, before anything of a request is read. Callers on this machine are not counted: they are its own
 * programs, or a reverse proxy behind which all others would be one address. Neither are badges, which image proxies fetch for
 * everybody, nor the questions of whoever supervises the service.
 */
export async function limitRates(app: FastifyInstance, perMinute: number): Promise<void> {
  if (perMinute === 0) return;
  await app.register(rateLimit, { global: false, cache: ADDRESSES_MAX, enableDraftSpec: true });
  const limiter = app.rateLimit({
    timeWindow: MINUTE,
    max: (request) => (asksForWork(request) ? Math.max(1, Math.floor(perMinute / WORK_COUNTS_AS)) : perMinute),
    keyGenerator: (request) => `${asksForWork(request) ? 'work' : 'read'} ${normalizeIP(request.ip, SUBSCRIBER_BITS)}`,
    allowList: isExempt,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new Problem('too-many-requests', `${max} such requests a minute are answered for one address`, {
        retryAfter: Math.max(1, Math.ceil(ttl / 1000)),
      }),
  });
  app.addHook('onRequest', limiter);
}

const asksForWork = ({ method }: FastifyRequest): boolean => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';

function isExempt({ ip, url }: FastifyRequest): boolean {
  return /^(?:::ffff:)?127\.|^::1$/.test(ip) || /^\/(?:badge\/|healthz$|readyz$|metrics$)/.test(url);
}
