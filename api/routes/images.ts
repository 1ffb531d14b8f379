import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { parseDebianVersion } from '../../src/model/debian-version.ts';
import { Digest, digestOf } from '../../src/model/digest.ts';
import type { FleetItem, FleetPage, PageRequest } from '../../src/model/fleet.ts';
import { Cve, PackageName, PackageVersion } from '../../src/model/watch.ts';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answers, type FoundImage, ImagesPage, LIST_LIMIT_MAX, ListQuery } from '../schemas.ts';

export const FleetQuery = Type.Object(
  {
    package: Type.Optional(PackageName),
    olderThan: Type.Optional(PackageVersion),
    cve: Type.Optional(Cve),
    file: Type.Optional(Type.Unsafe<Digest>({ ...Digest, description: 'SHA-256 of the bytes of a regular file, in any layer' })),
    ...ListQuery,
  },
  { additionalProperties: false },
);
type FleetQuery = Static<typeof FleetQuery>;

/** In nearly every layer of every image, and no evidence of anything. */
const EMPTY_FILE = digestOf('');

export const imageRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/images',
      {
        schema: {
          tags: ['images'],
          summary: 'Judged images that hold a package or a file, or that a CVE affects',
          description:
            'Asks everything that was ever judged; one of `package`, `cve` and `file` is needed. An item is one place in one image: the ' +
            'layer that put it there, with its line of the Dockerfile where known. Newest verdicts come first; `latest` is false ' +
            'where a newer verdict of the same reference exists. A package is found by the name of the binary or of the source ' +
            'package, and compared by the version of the one that has the name. A version that dpkg refuses counts as older. A package ' +
            'whose files are there counts, whatever state the database claims, and so does one that was found by the hashes of its files. ' +
            'A CVE is looked up in the data of the security tracker as last fetched, which `tracker` names: an image is affected where its ' +
            'source package is older than the fixed version of its release, or where there is no fix yet (no `fixed`).',
          querystring: FleetQuery,
          response: answers(200, ImagesPage, 'images'),
        },
      },
      async (request, reply) => {
        const { next, items, tracker } = await within(deps.patience, 'database-unavailable', askFleet(deps, request.query));
        reply.header('cache-control', 'no-cache');
        return {
          items: items.map((item) => viewOf(deps.publicUrl, item)),
          ...(next === undefined ? {} : { next }),
          ...(tracker === undefined ? {} : { tracker }),
        };
      },
    );
  };

/** Throws `invalid-request`, and `not-found` for a CVE without data. */
export async function askFleet(
  { records }: Pick<Deps, 'records'>,
  { package: name, olderThan, cve, file, cursor, limit = 100 }: FleetQuery,
): Promise<FleetPage> {
  const page: PageRequest = { limit: Math.min(limit, LIST_LIMIT_MAX), ...(cursor === undefined ? {} : { cursor }) };
  const refuse = (detail: string): never => {
    throw new Problem('invalid-request', detail);
  };
  if ([name, cve, file].filter((value) => value !== undefined).length !== 1)
    refuse('querystring: one of package, cve and file is needed, and no more');
  if (olderThan !== undefined && name === undefined) refuse('querystring/olderThan: goes with package');
  if (olderThan !== undefined && parseDebianVersion(olderThan) === undefined) refuse('querystring/olderThan: is no Debian version');
  if (file === EMPTY_FILE) refuse('querystring/file: is the empty file, which every image holds');
  if (file !== undefined) return records.imagesWithFile(file, page);
  if (cve !== undefined) return (await records.imagesWithCve(cve, page)) ?? withoutData();
  return records.imagesWithPackage({ name: name ?? '', ...(olderThan === undefined ? {} : { olderThan }) }, page);
}

/** "No image" would be a false comfort. */
function withoutData(): never {
  throw new Problem('not-found', 'no data of the security tracker was fetched yet; see CONFORME_SECURITY_TRACKER_URL');
}

function viewOf(publicUrl: string, { package: held, issue, ...item }: FleetItem): FoundImage {
  const { name, ...versions } = held ?? {};
  return {
    ...item,
    ...(name === undefined ? {} : { package: name, ...versions }),
    ...issue,
    page: `${publicUrl}/verifications/${item.verification}`,
  };
}
