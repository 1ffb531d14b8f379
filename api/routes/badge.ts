import { hash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { formatReference, parseReference, ReferenceSyntaxError } from '../../src/model/reference.ts';
import { Problem } from '../../src/problem.ts';
import {
  BADGE_METRICS,
  BADGE_STYLES,
  type Badge,
  badgeEndpoint,
  type BadgeMetric,
  type BadgeStyle,
  type BadgeSubject,
  type BadgeWords,
  badgeSvg,
  drawBadge,
  ENGLISH_BADGE,
  unavailableBadge,
} from '../../src/steps/draw-badge.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { FR_BADGE } from '../pages/words/fr-badge.ts';
import { type Language, LANGUAGES } from '../pages/words/index.ts';
import { within } from '../patience.ts';
import { statementOf } from '../stored.ts';

/** Image proxies keep a badge as long as this says: short, so that a new verdict is seen within minutes. */
const CACHE_CONTROL = 'public, max-age=60, stale-while-revalidate=60';
/** Milliseconds that a verdict is answered from memory. What may change at any moment is asked for each time. */
const REMEMBERED = 2_000;
const REMEMBERED_MAX = 1_000; // badges of some 2 kB

const Query = Type.Object(
  {
    style: Type.Optional(Type.Enum([...BADGE_STYLES])),
    metric: Type.Optional(
      Type.Enum([...BADGE_METRICS], { description: 'what it says; `verdict`, the default, is `auditable` and `result` together' }),
    ),
    label: Type.Optional(Type.String({ maxLength: 60, description: 'the left half', examples: ['audit'] })),
    lang: Type.Optional(Type.Enum([...LANGUAGES], { description: 'of its words; English where nothing is asked for' })),
    logo: Type.Optional(Type.Boolean({ description: 'a mark that says the same as the colour' })),
  },
  { additionalProperties: true },
);
/** How the OpenAPI document writes the wildcard: the reference has slashes of its own. */
const documented = {
  url: '/badge/{reference}',
  params: Type.Object({
    reference: Type.String({ description: 'an image reference, then `.svg` or `.json`', examples: ['ghcr.io/example/app:1.2.svg'] }),
  }),
};

const BADGE_WORDS: Record<Language, BadgeWords> = { en: ENGLISH_BADGE, fr: FR_BADGE };

type Drawn = { type: string; body: string; etag: string; at: number };

export const badgeRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const drawn = new Map<string, Drawn>();
    const now = (): number => deps.now().getTime();

    app.get(
      '/badge/*',
      {
        config: { swaggerTransform: ({ schema }) => ({ schema: { ...schema, params: documented.params }, url: documented.url }) },
        schema: {
          tags: ['badges'],
          summary: 'The badge of an image: SVG, or JSON for a shields.io endpoint badge',
          description: 'An image that nobody has asked about is grey. The reference may have a port, a tag and a digest.',
          querystring: Query,
          response: {
            200: {
              description: 'the badge',
              content: { 'image/svg+xml': { schema: Type.String() }, 'application/json': { schema: { $ref: 'BadgeEndpoint#' } } },
            },
            default: {
              description: 'RFC 9457 problem document',
              content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
            },
          },
        },
      },
      async (request, reply) => {
        const [, text, form] = /^(.+)\.(svg|json)$/.exec((request.params as { '*': string })['*']) ?? [];
        if (text === undefined || (form !== 'svg' && form !== 'json')) throw new Problem('not-found', 'a badge ends in .svg or .json');
        const { style = 'flat', metric = 'verdict', label, lang = 'en', logo = false } = request.query;
        const words = BADGE_WORDS[lang];
        const key = JSON.stringify([form, style, metric, label, lang, logo, text]);
        const known = drawn.get(key);
        if (known !== undefined && now() - known.at < REMEMBERED) return answer(known);

        const name = nameOf(text);
        let subject: BadgeSubject;
        try {
          subject = await within(deps.patience, 'database-unavailable', subjectOf(deps, name, metric));
        } catch (thrown) {
          // An image, because a README shows nothing else; with 503 and no-store, because proxies would keep it.
          request.log.warn({ err: thrown }, 'badge without a database');
          reply.headers({ 'retry-after': '5', 'cache-control': 'no-store' }).code(503);
          const { type, body } = render(unavailableBadge(words), form, style, logo);
          return reply.type(type).send(body);
        }
        const made: Drawn = { ...render(drawBadge(subject, metric, label, words), form, style, logo), at: now() };
        drawn.delete(key);
        if (subject?.status === 'done') {
          drawn.set(key, made);
          const oldest = drawn.keys().next();
          if (drawn.size > REMEMBERED_MAX && oldest.done !== true) drawn.delete(oldest.value);
        }
        return answer(made);

        function answer({ type, body, etag }: Drawn) {
          reply.header('access-control-allow-origin', '*');
          if (notModified(request, reply, etag, CACHE_CONTROL)) return reply.send();
          return reply.type(type).send(body);
        }
      },
    );
  };

async function subjectOf({ records }: Pick<Deps, 'records'>, name: string, metric: BadgeMetric): Promise<BadgeSubject> {
  const latest = await records.latest(name);
  if (metric !== 'packages' || latest?.verdictDigest === undefined) return latest;
  const record = await records.verdict(latest.verdictDigest);
  if (record === undefined) return latest;
  const { packages } = statementOf(record).predicate;
  return { ...latest, packages: { verified: packages.filter(({ status }) => status === 'verified').length, total: packages.length } };
}

/** What the database knows an image by: its digest where the reference has one, else the reference as normalised. */
export function nameOf(text: string): string {
  try {
    const reference = parseReference(text);
    return reference.digest ?? formatReference(reference);
  } catch (thrown) {
    if (thrown instanceof ReferenceSyntaxError) throw new Problem('invalid-reference', thrown.message, { cause: thrown });
    throw thrown;
  }
}

function render(badge: Badge, form: 'svg' | 'json', style: BadgeStyle, logo: boolean): Omit<Drawn, 'at'> {
  const body = form === 'svg' ? badgeSvg(badge, style, logo) : JSON.stringify(badgeEndpoint(badge));
  const type = form === 'svg' ? 'image/svg+xml; charset=utf-8' : 'application/json; charset=utf-8';
  return { type, body, etag: `"${hash('sha256', body, 'hex').slice(0, 32)}"` };
}
