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
import { sayTo } from '../pages/words/index.ts';
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
        const say = sayTo(request);
        if (query === '') return reply.redirect(say.to('/'), 302);
        if (isDigest(query) && (await within(patience, 'database-unavailable', records.verdict(query))) !== undefined)
          return reply.redirect(say.to(`/verdicts/${query}`), 302);
        const { items } = await within(patience, 'database-unavailable', records.list(SHOWN, undefined, query));
        const question = isDigest(query) ? { file: query } : Value.Check(PackageName, query) ? { package: query } : undefined;
        const page =
          question === undefined
            ? undefined
            : await within(patience, 'database-unavailable', askFleet(deps, { ...question, limit: SHOWN }));
        const held = question === undefined || page === undefined ? undefined : { question, page };
        return sendPage(reply, say, searchPage(say, query, items, held));
      },
    );

    app.get('/images', { schema: { querystring: Type.Record(Type.String(), Type.String({ maxLength: 512 })) } }, async (request, reply) => {
      // A form sends its empty fields too.
      const asked = Object.fromEntries(Object.entries(request.query).filter(([name, value]) => value !== '' && name !== 'lang'));
      const say = sayTo(request);
      if (Object.keys(asked).length === 0) return sendPage(reply, say, fleetPage(say, {}, undefined));
      try {
        if (!Value.Check(FleetQuery, asked)) return sendPage(reply, say, fleetPage(say, asked, undefined, say.fleet.refused));
        const page = await within(patience, 'database-unavailable', askFleet(deps, { ...asked, limit: SHOWN }));
        return sendPage(reply, say, fleetPage(say, asked, page));
      } catch (thrown) {
        if (!(thrown instanceof Problem) || thrown.status >= 500) throw thrown;
        return sendPage(reply, say, fleetPage(say, asked, undefined, say.english(thrown.message)));
      }
    });

    app.get('/history/*', async (request, reply) => {
      const repository = (request.params as { '*': string })['*'];
      const { items } = await within(patience, 'database-unavailable', records.list(HISTORY_SHOWN, undefined, repository));
      const own = items.filter(
        ({ image: { reference } }) => reference.startsWith(`${repository}:`) || reference.startsWith(`${repository}@`),
      );
      if (own.length === 0) throw new Problem('not-found', 'nobody has asked about an image of this repository yet');
      const say = sayTo(request);
      return sendPage(reply, say, historyPage(say, repository, own));
    });
  };
