import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Digest } from '../../src/model/digest.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { Difference } from '../../src/model/verdict.ts';
import type { VerdictRecord, Verification } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { treeOf } from '../contents-tree.ts';
import type { Deps } from '../deps.ts';
import { documentOf, sendProblem, toProblem } from '../errors.ts';
import { FAVICON, type PageContent, sendPage } from '../pages/document.ts';
import { overviewPage } from '../pages/overview.ts';
import { problemPage } from '../pages/problem.ts';
import { type VerdictDetails, verificationPage } from '../pages/verification.ts';
import { type Say, sayTo } from '../pages/words/index.ts';
import { within } from '../patience.ts';
import { DigestParams, IdParams } from '../schemas.ts';
import { layersOf, pageOfLines, readExplanation, rebuildOf, statementOf } from '../stored.ts';
import { nameOf } from './badge.ts';
import { contentsRoutes } from './contents.ts';
import { listRoutes } from './lists.ts';
import { searchRoutes } from './search.ts';
import { find, withStep } from './verifications.ts';

const RECENT = 50;
const LOG_LINES_SHOWN = 40;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const DIFFERENCES_SHOWN = 100;
/** Characters of JSON; each becomes some two on the page. */
const EXPLANATIONS_SHOWN = 12_000;

/** What people look at. Where a program would get a problem document, a browser gets a page. */
export const pageRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.setErrorHandler((error, request, reply) => {
      if (!(request.headers.accept ?? '').includes('text/html')) return sendProblem(request, reply, error);
      const { problem } = toProblem(error);
      if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'page failed');
      const say = sayTo(request);
      return sendPage(reply.code(problem.status), say, problemPage(say, documentOf(problem, request.id)), 'no-store');
    });

    app.get(
      '/',
      { schema: { querystring: Type.Object({ cursor: Type.Optional(Type.String({ maxLength: 200 })) }) } },
      async (request, reply) => {
        const { items, next } = await within(deps.patience, 'database-unavailable', deps.records.list(RECENT, request.query.cursor));
        const say = sayTo(request);
        return sendPage(reply, say, overviewPage(say, items, next));
      },
    );

    app.get('/favicon.svg', async (_request, reply) =>
      reply.type('image/svg+xml').header('cache-control', 'public, max-age=86400').send(FAVICON),
    );

    // Where a badge in a README leads: the tag stays, its newest verification is asked for each time.
    app.get('/verifications/latest/*', async (request, reply) => {
      const found = await within(
        deps.patience,
        'database-unavailable',
        deps.records.latest(nameOf((request.params as { '*': string })['*'])),
      );
      if (found === undefined) throw new Problem('not-found', 'nobody has asked about this image yet');
      return reply.header('cache-control', 'no-cache').redirect(sayTo(request).to(`/verifications/${found.id}`), 302);
    });

    const show = async (
      say: Say,
      request: FastifyRequest,
      verification: Verification,
      record: VerdictRecord | undefined,
    ): Promise<PageContent> => {
      // What is missing for the moment leaves a gap on the page; the verdict itself is in the database.
      const orElse = <T>(fallback: T, promise: Promise<T>): Promise<T> =>
        promise.catch((thrown: unknown) => {
          request.log.warn({ err: thrown, verification: verification.id }, 'the page lacks a part');
          return fallback;
        });
      return verificationPage(say, {
        publicUrl: deps.publicUrl,
        verification: await withStep(deps, verification),
        details: record === undefined ? undefined : await detailsOf(deps, record, orElse),
        deliveries: await orElse([], deps.records.deliveriesOf(verification.id)),
      });
    };

    app.get('/verifications/:id', { schema: { params: IdParams } }, async (request, reply) => {
      const verification = await find(deps, request.params.id);
      const record = verification.status === 'done' ? await deps.records.verdictOf(verification.id) : undefined;
      const say = sayTo(request);
      return sendPage(reply, say, await show(say, request, verification, record));
    });

    // Of one verdict for ever: what a statement, a bill of materials or a ticket refers to.
    app.get('/verdicts/:digest', { schema: { params: DigestParams } }, async (request, reply) => {
      const record = await within(deps.patience, 'database-unavailable', deps.records.verdict(request.params.digest as Digest));
      if (record === undefined) throw new Problem('not-found', `there is no verdict ${request.params.digest}`);
      const say = sayTo(request);
      return sendPage(reply, say, await show(say, request, await find(deps, record.verification), record));
    });
    await app.register(contentsRoutes(deps));
    await app.register(listRoutes(deps));
    await app.register(searchRoutes(deps));
  };

async function detailsOf(
  deps: Deps,
  record: VerdictRecord,
  orElse: <T>(fallback: T, promise: Promise<T>) => Promise<T>,
): Promise<VerdictDetails> {
  const { blobs } = deps;
  const statement = statementOf(record);
  const rebuild = await orElse(undefined, rebuildOf(blobs, statement));
  const { byCause, byClass } = statement.predicate.differences;
  const which = (byClass?.same ?? 0) > 0 ? { class: 'same' } : byCause.unknown > 0 ? { cause: 'unknown' } : {};
  const [layers, lastLog, differences, fingerprint, tree] = await Promise.all([
    orElse([], layersOf(blobs, statement.predicate.byproducts.published)),
    orElse([], rebuild?.log === undefined ? Promise.resolve([]) : lastLines(deps, rebuild.log)),
    orElse([], differencesOf(deps, record, which)),
    orElse('', deps.signer.fingerprint()),
    orElse(undefined, treeOf(blobs, record.account)),
  ]);
  const explanations = await orElse(new Map(), explanationsOf(deps, differences));
  return { record, statement, rebuild, layers, lastLog, differences, explanations, fingerprint, tree };
}

/** Explanations of these differences, the first that the page has room for. */
async function explanationsOf({ blobs }: Deps, differences: readonly Difference[]): Promise<Map<Digest, Explanation>> {
  const shown = new Map<Digest, Explanation>();
  let room = EXPLANATIONS_SHOWN;
  for (const { explanation: document } of differences) {
    if (document === undefined || room <= 0) continue;
    const { explanation, characters } = await readExplanation(blobs, document);
    if (characters <= room) shown.set(document, explanation);
    room -= characters;
  }
  return shown;
}

async function lastLines({ blobs }: Deps, log: Digest): Promise<string[]> {
  const lines = (await blobs.read(log, LOG_BYTES_MAX)).toString('utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').slice(-LOG_LINES_SHOWN);
}

/** The gravest where there are any, then those without a known cause: nothing else deserves attention then. */
async function differencesOf(
  { blobs }: Deps,
  { differences }: VerdictRecord,
  which: { class?: string; cause?: string },
): Promise<Difference[]> {
  const { items } = await pageOfLines(blobs, differences, { cursor: undefined, limit: DIFFERENCES_SHOWN }, (text) => {
    const line = JSON.parse(text) as Difference;
    return (which.class ?? line.class) === line.class && (which.cause ?? line.cause) === line.cause ? line : undefined;
  });
  return items;
}
