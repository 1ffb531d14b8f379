import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Digest } from '../../src/model/digest.ts';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { sendPage } from '../pages/document.ts';
import { downloadsPage, packagesPage, rulesPage } from '../pages/lists.ts';
import { sayTo } from '../pages/words/index.ts';
import { within } from '../patience.ts';
import { DigestParams } from '../schemas.ts';
import { statementOf } from '../stored.ts';

const PAGES = { packages: packagesPage, downloads: downloadsPage, rules: rulesPage };

/** What a verdict rests on, each list on a page of its own. */
export const listRoutes =
  ({ records, patience }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const [name, pageOf] of Object.entries(PAGES)) {
      app.get(`/verdicts/:digest/${name}`, { schema: { params: DigestParams } }, async (request, reply) => {
        const { digest } = request.params;
        const record = await within(patience, 'database-unavailable', records.verdict(digest as Digest));
        if (record === undefined) throw new Problem('not-found', `there is no verdict ${digest}`);
        const say = sayTo(request);
        return sendPage(reply, say, pageOf(say, digest, statementOf(record)));
      });
    }
  };
