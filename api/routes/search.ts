import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import Value from 'typebox/value';
import { isDigest } from '../../src/model/digest.ts';
import { PackageName } from '../../src/model/watch.ts';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { historyPage } from '../pages/history.ts';
import { sendPage } from '../pages/document.ts';
import { fleetPage, searchPage } from '../pages/search.ts';
import { within } from '../patience.ts';
import { askFleet, FleetQuery } from './images.ts';

const SHOWN = 50;
const HISTORY_SHOWN = 200;

/** Forms over what the API answers. */
export const searchRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { records, patience } = deps;

    app.get(
      '/search',
      { schema: { querystring: Type.Object({ q: Type.Optional(Type.String({ maxLength: 512 })) }) } },
      async (request, reply) => {
        const query = (request.query.q ?? '').trim();
        if (query === '') return reply.redirect('/', 302);
        if (isDigest(query) && (await within(patience, 'database-unavailable', records.verdict(query))) !== undefined)
          return reply.redirect(`/verdicts/${query}`, 302);
        const { items } = await within(patience, 'database-unavailable', records.list(SHOWN, undefined, query));
        const question = isDigest(query) ? { file: query } : Value.Check(PackageName, query) ? { package: query } : undefined;
        const page =
          question === undefined
            ? undefined
            : await within(patience, 'database-unavailable', askFleet(deps, { ...question, limit: SHOWN }));
        return sendPage(reply, searchPage(query, items, question === undefined || page === undefined ? undefined : { question, page }));
      },
    );

    app.get('/images', { schema: { querystring: Type.Record(Type.String(), Type.String({ maxLength: 512 })) } }, async (request, reply) => {
      // A form sends its empty fields too.
      const asked = Object.fromEntries(Object.entries(request.query).filter(([, value]) => value !== ''));
      if (Object.keys(asked).length === 0) return sendPage(reply, fleetPage({}, undefined));
      try {
        if (!Value.Check(FleetQuery, asked)) throw new Problem('invalid-request', 'that is no name of a package, no version or no CVE');
        const page = await within(patience, 'database-unavailable', askFleet(deps, { ...asked, limit: SHOWN }));
        return sendPage(reply, fleetPage(asked, page));
      } catch (thrown) {
        if (!(thrown instanceof Problem) || thrown.status >= 500) throw thrown;
        return sendPage(reply, fleetPage(asked, undefined, thrown.message));
      }
    });

    app.get('/history/*', async (request, reply) => {
      const repository = (request.params as { '*': string })['*'];
      const { items } = await within(patience, 'database-unavailable', records.list(HISTORY_SHOWN, undefined, repository));
      const own = items.filter(
        ({ image: { reference } }) => reference.startsWith(`${repository}:`) || reference.startsWith(`${repository}@`),
      );
      if (own.length === 0) throw new Problem('not-found', 'nobody has asked about an image of this repository yet');
      return sendPage(reply, historyPage(repository, own));
    });
  };
