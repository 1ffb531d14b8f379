import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { digestOf, hexOf } from '../../src/model/digest.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { Platform } from '../../src/model/oci.ts';
import { VerificationRequest } from '../../src/model/request.ts';
import type { Verification, VerificationJob } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { composeEvent } from '../../src/steps/compose-event.ts';
import { parseRequest, requestKey } from '../../src/steps/parse-request.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { Accepted, answers, IdParams, ListQuery, VerificationsPage, VerificationView } from '../schemas.ts';
import { requireTokenOrIdentity } from '../token.ts';
import { linksOf, viewOf } from '../views.ts';
import { asPreferred, hasEnded, WaitHeaders } from '../wait.ts';
import { findContext } from './contexts.ts';

/** The draft "The Idempotency-Key HTTP Header Field", with or without the quotes of a structured field. */
const Headers = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$', description: 'the same key and body give the same verification' }),
  ),
  ...WaitHeaders,
});

const LIST_LIMIT = 100;

export const verificationRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { records, publicUrl } = deps;
    const closing = new AbortController();
    app.addHook('preClose', async () => closing.abort());

    app.post(
      '/v1/verifications',
      {
        onRequest: requireTokenOrIdentity(deps),
        schema: {
          tags: ['verifications'],
          summary: 'Asks for a verdict on a published image',
          description:
            'The same image, source and rules asked for again give the same verification. A webhook of a later request is told where the ' +
            'verification has ended; while it is under way, the webhook of the first request is the one that counts.',
          security: [{ token: [] }],
          headers: Headers,
          body: VerificationRequest,
          response: {
            ...answers(202, Accepted, 'accepted, or asked for before; Location names it'),
            ...answers(200, VerificationView, 'with `Prefer: wait`: it has ended'),
          },
        },
      },
      async (request, reply) => {
        const body = parseRequest(request.body);
        const key = request.headers['idempotency-key'];
        const bodyDigest = digestOf(canonicalJson(body));
        const verification = (await usedFor(deps, key, bodyDigest)) ?? (await accept(deps, body));
        await tellAlso(deps, body, verification);
        if (key !== undefined) await records.rememberKey(key, bodyDigest, verification.id);
        request.log.info({ verification: verification.id, image: verification.image.reference }, 'verification accepted');
        const reached = await asPreferred(deps, request, reply, verification, closing.signal);
        const links = linksOf(publicUrl, reached);
        reply.header('location', links.self);
        if (hasEnded(reached) && reply.hasHeader('preference-applied')) return reply.code(200).send(viewOf(publicUrl, reached));
        const { id, status, image } = reached;
        return reply.code(202).send({ id, status, image: { reference: image.reference, digest: image.digest }, links });
      },
    );

    app.get(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          summary: 'Verifications, newest first',
          querystring: Type.Object(
            {
              image: Type.Optional(
                Type.String({ minLength: 1, maxLength: 512, description: 'a digest, or part of a reference', examples: ['example/app'] }),
              ),
              ...ListQuery,
            },
            { additionalProperties: false },
          ),
          response: answers(200, VerificationsPage, 'verifications'),
        },
      },
      async (request, reply) => {
        const { image, cursor, limit = LIST_LIMIT } = request.query;
        const { items, next } = await within(deps.patience, 'database-unavailable', records.list(limit, cursor, image));
        reply.header('cache-control', 'no-cache');
        return { items: items.map((one) => viewOf(publicUrl, one)), ...(next === undefined ? {} : { next }) };
      },
    );

    app.get(
      '/v1/verifications/:id',
      {
        schema: {
          tags: ['verifications'],
          summary: 'How a verification stands, and its verdict',
          params: IdParams,
          headers: Type.Object(WaitHeaders),
          response: answers(200, VerificationView, 'the verification'),
        },
      },
      async (request, reply) => {
        const verification = await asPreferred(deps, request, reply, await find(deps, request.params.id), closing.signal);
        const view = viewOf(publicUrl, await withStep(deps, verification));
        const etag = `"${hexOf(digestOf(canonicalJson(view))).slice(0, 32)}"`;
        return notModified(request, reply, etag, 'no-cache') ? reply.send() : view;
      },
    );
  };

/** Throws `not-found`. */
export async function find(deps: Pick<Deps, 'records' | 'patience'>, id: string): Promise<Verification> {
  const verification = await within(deps.patience, 'database-unavailable', deps.records.get(id));
  if (verification === undefined) throw new Problem('not-found', `there is no verification ${id}`);
  return verification;
}

/** With the step that the queue knows of, which is newer than the stored one; the queue may be away. */
export async function withStep(deps: Pick<Deps, 'queue' | 'patience'>, verification: Verification): Promise<Verification> {
  if (verification.status !== 'running' && verification.status !== 'queued') return verification;
  try {
    const step = await within(deps.patience, 'queue-unavailable', deps.queue.currentStep(verification.id));
    return step === undefined ? verification : { ...verification, status: 'running', step };
  } catch {
    return verification;
  }
}

async function usedFor(deps: Deps, key: string | undefined, bodyDigest: ReturnType<typeof digestOf>): Promise<Verification | undefined> {
  if (key === undefined) return undefined;
  const id = await within(deps.patience, 'database-unavailable', deps.records.idempotent(key, bodyDigest));
  const verification = id === undefined ? undefined : await deps.records.get(id);
  if (verification !== undefined) await enqueue(deps, verification);
  return verification;
}

/** Pins the image at once, so that the verdict is about what the tag named when it was asked for. */
async function accept(deps: Deps, body: VerificationRequest): Promise<Verification> {
  const { records, registry } = deps;
  if (body.source !== undefined && 'context' in body.source) await findContext(deps, body.source.context);
  await within(deps.patience, 'database-unavailable', records.ready());
  await within(deps.patience, 'queue-unavailable', deps.queue.ready());
  const [{ reference, digest, manifestDigest, platform }, commit] = await Promise.all([
    registry.resolve(body.image, parsePlatform(body.platform)),
    pinnedCommit(deps, body.source),
  ]);
  const job: VerificationJob = {
    id: deps.newId(),
    request: body,
    ...(commit === undefined ? {} : { commit }),
    image: { reference, digest, manifestDigest, platform },
  };
  const { verification } = await within(deps.patience, 'database-unavailable', records.accept(job, requestKey(job, deps.rules)));
  await enqueue(deps, verification);
  return verification;
}

/** A commit id in full: it names itself. */
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/**
 * The commit that a branch or tag names now, so that the same question asked after a push is another one. A repository that does
 * not answer in time is asked again by the job, which says what is wrong with it.
 */
async function pinnedCommit({ git, patience, logger }: Deps, source: VerificationRequest['source']): Promise<string | undefined> {
  if (source === undefined || 'context' in source || COMMIT.test(source.ref ?? '')) return undefined;
  const where = { url: source.git, ...(source.ref === undefined ? {} : { ref: source.ref }) };
  try {
    return await within(patience, 'source-unavailable', git.pin(where));
  } catch (thrown) {
    logger.info({ err: thrown, source }, 'the source is not pinned yet');
    return undefined;
  }
}

/** What was accepted and never reached the queue gets there when it is asked for again; adding an id twice changes nothing. */
async function enqueue(deps: Deps, { id, request, commit, image, status }: Verification): Promise<void> {
  const job: VerificationJob = { id, request, ...(commit === undefined ? {} : { commit }), image };
  if (status === 'queued') await within(deps.patience, 'queue-unavailable', deps.queue.enqueue(job));
}

/** Another webhook than the one of the first request: what it would have been told then, it is told now. */
async function tellAlso(deps: Deps, { webhook }: VerificationRequest, verification: Verification): Promise<void> {
  const { records, queue, publicUrl, now } = deps;
  if (webhook === undefined || webhook.url === verification.request.webhook?.url) return;
  const { verdict, verdictDigest } = verification;
  if (verdict === undefined || verdictDigest === undefined) return;
  const { type, body } = composeEvent(publicUrl, verification, { verdict, digest: verdictDigest }, now().toISOString());
  // The id tells the address apart, so that asking again does not tell it again.
  const id = `msg_${verification.id}_${hexOf(digestOf(webhook.url)).slice(0, 16)}`;
  if ((await records.delivery(id)) !== undefined) return;
  await records.addDelivery({ id, verification: verification.id, url: webhook.url, event: type, body, status: 'pending', attempts: [] });
  await within(deps.patience, 'queue-unavailable', queue.deliver({ id }));
}

function parsePlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
