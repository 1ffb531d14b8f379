import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { digestOf } from '../../src/model/digest.ts';
import { Explanation, Explanations } from '../../src/model/explanation.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { AccountLine, Difference } from '../../src/model/verdict.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { IMMUTABLE, notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { answers, answersWith, DifferencesPage, DifferencesQuery, ExplanationParams, FilesPage, FilesQuery, IdParams } from '../schemas.ts';
import { pageOfLines, readExplanation, rebuildOf, statementOf } from '../stored.ts';
import { find } from './verifications.ts';

const LIMIT = 100;

/** What a verdict rests on, file by file. */
export const fileRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { blobs, publicUrl } = deps;
    const explanations = (id: string): string => `${publicUrl}/v1/verifications/${id}/explanations`;

    app.get(
      '/v1/verifications/:id/files',
      {
        schema: {
          tags: ['verifications'],
          summary: 'The account of every file of the published image',
          params: IdParams,
          querystring: FilesQuery,
          response: answers(200, FilesPage, 'files in the order of their paths'),
        },
      },
      async (request) => {
        const { account } = await verdictOf(deps, request.params.id);
        const { attribution, path, cursor, limit = LIMIT } = request.query;
        const folder = path === undefined || path === '/' ? undefined : path.replace(/\/+$/, '');
        return pageOfLines(blobs, account, { cursor, limit }, (text) => {
          // Canonical JSON has one way to write it: parsing is left out for most of the lines.
          if (attribution !== undefined && !text.includes(`"attribution":"${attribution}"`)) return undefined;
          const line = JSON.parse(text) as AccountLine;
          if (attribution !== undefined && line.attribution !== attribution) return undefined;
          if (folder !== undefined && line.path !== folder && !line.path.startsWith(`${folder}/`)) return undefined;
          return line;
        });
      },
    );

    app.get(
      '/v1/verifications/:id/differences',
      {
        schema: {
          tags: ['verifications'],
          summary: 'What differs between the published and the rebuilt image',
          params: IdParams,
          querystring: DifferencesQuery,
          response: answers(200, DifferencesPage, 'differences in the order of their paths'),
        },
      },
      async (request) => {
        const { differences } = await verdictOf(deps, request.params.id);
        const { cause, class: where, cursor, limit = LIMIT } = request.query;
        return pageOfLines(blobs, differences, { cursor, limit }, (text) => {
          const line = JSON.parse(text) as Difference;
          const wanted = (cause === undefined || line.cause === cause) && (where === undefined || line.class === where);
          if (!wanted || line.explanation === undefined) return wanted ? line : undefined;
          return { ...line, links: { explanation: `${explanations(request.params.id)}/${line.explanation}` } };
        });
      },
    );

    app.get(
      '/v1/verifications/:id/explanations',
      {
        schema: {
          tags: ['verifications'],
          summary: 'Which differing files were looked into, and which packages differ',
          params: IdParams,
          response: answers(200, Explanations, 'for readers: nothing is decided by it'),
        },
      },
      async (request, reply) => {
        const told = await explanationsOf(deps, request.params.id);
        if (notModified(request, reply, `"${digestOf(canonicalJson(told))}"`, IMMUTABLE)) return reply.send();
        return told;
      },
    );

    app.get(
      '/v1/verifications/:id/explanations/:digest',
      {
        schema: {
          tags: ['verifications'],
          summary: 'What differs inside of one file, from the rebuilt to the published side',
          description:
            'Made from hostile bytes, partly by programs that were written for friendly ones; all text is printable. It decides nothing.',
          params: ExplanationParams,
          response: answers(200, Explanation, 'the explanation'),
        },
      },
      async (request, reply) => {
        const { id, digest } = request.params;
        const { files } = await explanationsOf(deps, id);
        const file = files.find(({ document }) => document === digest);
        if (file === undefined) throw new Problem('not-found', 'the verification has no such explanation');
        if (notModified(request, reply, `"${digest}"`, IMMUTABLE)) return reply.send();
        return (await readExplanation(blobs, file.document)).explanation;
      },
    );

    app.get(
      '/v1/verifications/:id/log',
      {
        schema: {
          tags: ['verifications'],
          summary: 'The whole log of the rebuild',
          params: IdParams,
          response: answersWith('text/plain', 'as the builder wrote it: foreign text'),
        },
      },
      async (request, reply) => {
        const rebuild = await rebuildOf(blobs, statementOf(await verdictOf(deps, request.params.id)));
        if (rebuild?.log === undefined) throw new Problem('not-found', 'nothing was built for this verification');
        if (notModified(request, reply, `"${rebuild.log}"`, IMMUTABLE)) return reply.send();
        return reply.type('text/plain; charset=utf-8').send(await blobs.open(rebuild.log));
      },
    );
  };

/** Throws `not-found` where nothing was compared, or nothing looked into. */
async function explanationsOf(deps: Deps, id: string): Promise<Explanations> {
  const rebuild = await rebuildOf(deps.blobs, statementOf(await verdictOf(deps, id)));
  if (rebuild?.explanations === undefined) throw new Problem('not-found', 'nothing was looked into for this verification');
  return rebuild.explanations;
}

/** Throws `not-found` where there is no such verification, or no verdict yet. */
async function verdictOf(deps: Deps, id: string): Promise<VerdictRecord> {
  const { status } = await find(deps, id);
  const record = await deps.records.verdictOf(id);
  if (record === undefined) throw new Problem('not-found', `the verification is ${status} and has no verdict`);
  return record;
}
