import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { Digest } from '../../src/model/digest.ts';
import type { AccountLine } from '../../src/model/verdict.ts';
import { Problem } from '../../src/problem.ts';
import { folderAt, onlyLayer, treeOf } from '../contents-tree.ts';
import type { Deps } from '../deps.ts';
import { filePage, folderPage } from '../pages/contents.ts';
import { sendPage } from '../pages/document.ts';
import { sayTo } from '../pages/words/index.ts';
import { within } from '../patience.ts';
import { DigestParams } from '../schemas.ts';
import { layersOf, pageOfLines, statementOf } from '../stored.ts';

const EVIDENCE_BYTES_MAX = 256 * 1024 * 1024;

const ContentsQuery = Type.Object({
  path: Type.Optional(Type.String({ maxLength: 16_384 })),
  layer: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
});

/** The files of a judged image, folder by folder. */
export const contentsRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { blobs, records, patience } = deps;
    app.get('/verdicts/:digest/contents', { schema: { params: DigestParams, querystring: ContentsQuery } }, async (request, reply) => {
      const record = await within(patience, 'database-unavailable', records.verdict(request.params.digest as Digest));
      if (record === undefined) throw new Problem('not-found', `there is no verdict ${request.params.digest}`);
      const path = (request.query.path ?? '').replace(/\/+$/, '');
      const say = sayTo(request);
      const { layer } = request.query;
      const place = { statement: statementOf(record), digest: record.digest, path, layer };
      const folder = folderAt(await treeOf(blobs, record.account), path);
      if (folder !== undefined)
        return sendPage(reply, say, folderPage(say, place, layer === undefined ? folder : onlyLayer(folder, layer)));
      const line = await lineOf(blobs, record.account, path);
      if (line === undefined) throw new Problem('not-found', 'the image has no such file');
      const { byproducts } = place.statement.predicate;
      const [layers, evidence] = await Promise.all([
        layersOf(blobs, byproducts.published),
        blobs.read(byproducts.evidence, EVIDENCE_BYTES_MAX),
      ]);
      return sendPage(reply, say, filePage(say, place, line, layers, JSON.parse(evidence.toString('utf8')) as DebianEvidence));
    });
  };

async function lineOf(blobs: Deps['blobs'], account: Digest, path: string): Promise<AccountLine | undefined> {
  // Canonical JSON has one way to write it.
  const written = `"path":${JSON.stringify(path)}`;
  const { items } = await pageOfLines(blobs, account, { cursor: undefined, limit: 1 }, (text) =>
    text.includes(written) ? matching(JSON.parse(text) as AccountLine, path) : undefined,
  );
  return items[0];
}

const matching = (line: AccountLine, path: string): AccountLine | undefined => (line.path === path ? line : undefined);
