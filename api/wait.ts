/** Waiting for a verdict within one request: the preference `wait`, RFC 7240, section 4.3. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Verification } from '../src/model/verification.ts';
import type { Deps } from './deps.ts';

/** Seconds; proxies close what is silent for longer. */
const WAIT_MAX = 55;
/** Callers that wait at once; whoever comes then is answered as if it had not asked for it: a look every half second each is what the database bears. */
const WAITING_MAX = 100;
let waiting = 0;
/** Milliseconds between looks at the database: a verdict takes a minute, and a look half a millisecond. */
const LOOK = 500;

export const WaitHeaders = {
  prefer: Type.Optional(
    Type.String({
      maxLength: 200,
      description: `\`wait=60\`: answers once the verification has ended, at the latest after so many seconds and never after more than ${WAIT_MAX}`,
      examples: ['wait=60'],
    }),
  ),
};

export const hasEnded = ({ status }: Verification): boolean => status === 'done' || status === 'failed';

/** Seconds that the caller would wait; undefined where it does not say so. What cannot be read is ignored, as the RFC asks. */
export function preferredWait(prefer: string | undefined): number | undefined {
  const [, seconds] = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(prefer ?? '') ?? [];
  return seconds === undefined ? undefined : Math.min(Number(seconds), WAIT_MAX);
}

/** The verification as it stands when it has ended, or when the time that the caller prefers is over. */
export async function asPreferred(
  { records }: Pick<Deps, 'records'>,
  request: FastifyRequest,
  reply: FastifyReply,
  verification: Verification,
  closing: AbortSignal,
): Promise<Verification> {
  const seconds = preferredWait(request.headers['prefer'] as string | undefined);
  if (seconds === undefined || waiting >= WAITING_MAX) return verification;
  reply.header('preference-applied', `wait=${seconds}`);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, closing, AbortSignal.timeout(seconds * 1000)]);
  reply.raw.once('close', () => over.abort());
  let current = verification;
  waiting += 1;
  try {
    while (!hasEnded(current) && !signal.aborted) {
      await sleep(LOOK, undefined, { signal }).catch(() => undefined);
      current = (await records.get(current.id)) ?? current;
    }
    return current;
  } finally {
    waiting -= 1;
  }
}
