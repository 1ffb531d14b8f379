import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { compareDebianVersions, parseDebianVersion } from '../../src/model/debian-version.ts';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answers, ImagesPage } from '../schemas.ts';

const Query = Type.Object(
  {
    package: Type.String({
      pattern: '^[a-z0-9][a-z0-9+.-]{1,127}$',
      description: 'name of a binary or a source package; Debian policy 5.6.7',
      examples: ['openssl'],
    }),
    olderThan: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9.+:~-]{1,128}$', description: 'a version; order of deb-version(7)', examples: ['3.0.17-1'] }),
    ),
  },
  { additionalProperties: false },
);

export const imageRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/images',
      {
        schema: {
          tags: ['images'],
          summary: 'Judged images that hold a package, in any version or in one older than another',
          querystring: Query,
          response: answers(200, ImagesPage, 'images'),
        },
      },
      async (request) => {
        const { package: name, olderThan } = request.query;
        if (olderThan !== undefined && parseDebianVersion(olderThan) === undefined)
          throw new Problem('invalid-request', 'querystring/olderThan: is no Debian version');
        const found = await within(deps.patience, 'database-unavailable', deps.records.imagesWithPackage(name));
        return {
          items: found
            .filter(({ version }) => olderThan === undefined || isOlder(version, olderThan))
            .map(({ image, verification, name: held, version, layer }) => ({
              image,
              verification,
              package: held,
              version,
              ...(layer === undefined ? {} : { layer }),
              page: `${deps.publicUrl}/verifications/${verification}`,
            })),
        };
      },
    );
  };

/** A version that does not parse was written by whoever made the image: nothing shows that it is new enough. */
function isOlder(version: string, than: string): boolean {
  return parseDebianVersion(version) === undefined || compareDebianVersions(version, than) < 0;
}
