import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { type ImageWatch, WatchRequest } from '../../src/model/watch.ts';
import { Problem } from '../../src/problem.ts';
import { parseWatch } from '../../src/steps/parse-watch.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answers, IdParams, ListQuery, WatchesPage, WatchView } from '../schemas.ts';
import { hasToken, requireToken } from '../token.ts';
import { shownAddress } from '../views.ts';

export const watchRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { records } = deps;
    const view = (watch: ImageWatch, whole: boolean): Static<typeof WatchView> => ({
      id: watch.id,
      ...watch.condition,
      webhook: { url: shownAddress(watch.url, whole) },
      createdAt: watch.createdAt,
      links: { self: `${deps.publicUrl}/v1/watches/${watch.id}` },
    });
    const asked = <T>(answer: Promise<T>): Promise<T> => within(deps.patience, 'database-unavailable', answer);
    const missing = (id: string): never => {
      throw new Problem('not-found', `there is no watch ${id}`);
    };

    app.post(
      '/v1/watches',
      {
        onRequest: requireToken(deps.token),
        schema: {
          tags: ['webhooks'],
          summary: 'Asks to be told when a judged image becomes affected, stops being reproducible, or is judged',
          description:
            '`package` with `olderThan`, or `cve`: a webhook `image.affected` for each image that a new verdict, or new data of the security ' +
            'tracker, makes match. `image`, a tag: `verdict.changed` where a newer verdict is worse than the one before, and ' +
            '`image.affected` where new data of the tracker names a fix that the newest image lacks; `events` chooses, and with ' +
            '`verdict.created` each verdict on the tag is told. Each is sent once for each watch, ' +
            'image digest and cause. What matched before the watch was made is answered by GET /v1/images. The same watch asked for ' +
            'again gives the one that is there.',
          security: [{ token: [] }],
          body: WatchRequest,
          response: { ...answers(201, WatchView, 'made; Location names it'), ...answers(200, WatchView, 'was there before') },
        },
      },
      async (request, reply) => {
        const { watch, created } = await asked(records.addWatch({ id: deps.newId(), ...parseWatch(request.body) }));
        const shown = view(watch, true);
        return reply
          .code(created ? 201 : 200)
          .header('location', shown.links.self)
          .send(shown);
      },
    );

    app.get(
      '/v1/watches',
      {
        schema: {
          tags: ['webhooks'],
          summary: 'The watches, oldest first',
          security: [{}, { token: [] }],
          querystring: Type.Object(ListQuery, { additionalProperties: false }),
          response: answers(200, WatchesPage, 'watches'),
        },
      },
      async (request, reply) => {
        const { cursor, limit = 100 } = request.query;
        const { items, next } = await asked(records.watches({ limit, ...(cursor === undefined ? {} : { cursor }) }));
        reply.headers({ 'cache-control': 'no-cache', vary: 'authorization' });
        const whole = deps.token !== undefined && hasToken(request, deps.token);
        return { items: items.map((watch) => view(watch, whole)), ...(next === undefined ? {} : { next }) };
      },
    );

    app.get(
      '/v1/watches/:id',
      {
        schema: {
          tags: ['webhooks'],
          summary: 'One watch',
          security: [{}, { token: [] }],
          params: IdParams,
          response: answers(200, WatchView, 'the watch'),
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        reply.headers({ 'cache-control': 'no-cache', vary: 'authorization' });
        return view((await asked(records.watch(id))) ?? missing(id), deps.token !== undefined && hasToken(request, deps.token));
      },
    );

    app.delete(
      '/v1/watches/:id',
      {
        onRequest: requireToken(deps.token),
        schema: {
          tags: ['webhooks'],
          summary: 'Ends a watch',
          description: 'What it was told already is still delivered.',
          security: [{ token: [] }],
          params: IdParams,
          response: answers(204, Type.Null(), 'ended'),
        },
      },
      async (request, reply) => {
        if (!(await asked(records.removeWatch(request.params.id)))) missing(request.params.id);
        return reply.code(204).send(null);
      },
    );
  };
