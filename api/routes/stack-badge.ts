import { hash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { BADGE_STYLES, badgeSvg, unavailableBadge } from '../../src/steps/draw-badge.ts';
import { drawStackBadge } from '../../src/steps/draw-stack-badge.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answersWith } from '../schemas.ts';
import { nameOf } from './badge.ts';

const IMAGES_MAX = 20; // each is a question to the database
const Reference = Type.String({ minLength: 1, maxLength: 512, examples: ['ghcr.io/example/app:1.2'] });
const CACHE_CONTROL = 'public, max-age=60, stale-while-revalidate=60';

/** One badge for the images of a stack. It counts among the requests of an address, since it asks for many things at once. */
export const stackBadgeRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/badge.svg',
      {
        schema: {
          tags: ['badges'],
          summary: 'One badge for several images: how many can be audited, in the colour of the worst',
          querystring: Type.Object(
            {
              image: Type.Union([Reference, Type.Array(Reference, { minItems: 1, maxItems: IMAGES_MAX })], {
                description: `a reference; as often as there are images, ${IMAGES_MAX} at most`,
              }),
              style: Type.Optional(Type.Enum([...BADGE_STYLES])),
              label: Type.Optional(Type.String({ maxLength: 60, description: 'the left half' })),
            },
            { additionalProperties: true },
          ),
          response: answersWith('image/svg+xml', 'the badge'),
        },
      },
      async (request, reply) => {
        const { image, style = 'flat', label } = request.query;
        const names = [image].flat().map(nameOf);
        reply.type('image/svg+xml; charset=utf-8').header('access-control-allow-origin', '*');
        try {
          const asked = Promise.all(names.map((name) => deps.records.latest(name)));
          const body = badgeSvg(drawStackBadge(await within(deps.patience, 'database-unavailable', asked), label), style, false);
          if (notModified(request, reply, `"${hash('sha256', body, 'hex').slice(0, 32)}"`, CACHE_CONTROL)) return reply.send();
          return reply.send(body);
        } catch (thrown) {
          // As the badge of one image: a picture, and not to be kept.
          request.log.warn({ err: thrown }, 'badge without a database');
          return reply
            .headers({ 'retry-after': '5', 'cache-control': 'no-store' })
            .code(503)
            .send(badgeSvg(unavailableBadge(), style, false));
        }
      },
    );
  };
