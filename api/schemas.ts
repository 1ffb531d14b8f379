/** The bodies that the HTTP interface answers with; their names are the names in the OpenAPI document. */
import Type, { type Static, type TSchema } from 'typebox';
import { Digest } from '../src/model/digest.ts';
import { Platform } from '../src/model/oci.ts';
import { DiffNode, Explanation, Explanations } from '../src/model/explanation.ts';
import { RequestedSource, VerificationRequest } from '../src/model/request.ts';
import { Path } from '../src/model/path.ts';
import { AccountLine, ATTRIBUTIONS, CAUSES, Difference, DIFFERENCE_CLASSES, RESULTS, Verdict } from '../src/model/verdict.ts';
import { WATCH_EVENTS, WatchRequest } from '../src/model/watch.ts';
import { ProblemDocument, STATUSES, STEPS } from '../src/model/verification.ts';

const named = <T extends TSchema>(schema: T, id: string): T => ({ ...schema, $id: id });
/** A reference to a schema of {@link SHARED}, with its type. */
const ref = <T extends TSchema>(_schema: T, id: string) => Type.Unsafe<Static<T>>({ $ref: `${id}#` });

export const Image = Type.Object({
  reference: Type.String({ description: 'as normalised', examples: ['docker.io/library/nginx:1.27'] }),
  digest: Type.Unsafe<Digest>({ ...Digest, description: 'what the reference named: an index or a manifest' }),
  manifestDigest: Type.Unsafe<Digest>({ ...Digest, description: 'the manifest of the platform' }),
  platform: Platform,
});

export const Links = Type.Object({
  self: Type.String(),
  page: Type.String(),
  events: Type.String(),
  files: Type.String(),
  differences: Type.String(),
  log: Type.String(),
  summary: Type.String(),
  deliveries: Type.String(),
  badge: Type.String(),
  verdict: Type.Optional(Type.String()),
  signature: Type.Optional(Type.String()),
  envelope: Type.Optional(Type.String({ description: 'the same statement as a DSSE envelope' })),
  vsa: Type.Optional(Type.String({ description: 'SLSA verification summary, as a DSSE envelope' })),
  cyclonedx: Type.Optional(Type.String()),
  spdx: Type.Optional(Type.String()),
  sarif: Type.Optional(Type.String()),
});

export const Accepted = Type.Object({
  id: Type.String(),
  status: Type.Enum([...STATUSES]),
  image: Type.Object({ reference: Type.String(), digest: Digest }),
  links: Links,
});

export const VerificationView = Type.Object({
  id: Type.String(),
  status: Type.Enum([...STATUSES]),
  step: Type.Enum([...STEPS]),
  image: Image,
  request: Type.Object({
    source: Type.Optional(RequestedSource),
    dockerfile: Type.Optional(Type.String()),
    target: Type.Optional(Type.String()),
    buildArgs: Type.Optional(Type.Record(Type.String(), Type.String())),
    asOf: Type.Optional(Type.String()),
  }),
  createdAt: Type.String({ description: 'ISO 8601, UTC' }),
  updatedAt: Type.String({ description: 'ISO 8601, UTC' }),
  verdict: Type.Optional(ref(Verdict, 'Verdict')),
  verdictDigest: Type.Optional(Type.Unsafe<Digest>({ ...Digest, description: 'of the signed statement' })),
  problem: Type.Optional(ref(ProblemDocument, 'Problem')),
  links: Links,
});
export type VerificationView = Static<typeof VerificationView>;

const page = <T extends TSchema>(item: T, id: string) =>
  Type.Object({
    items: Type.Array(ref(item, id)),
    next: Type.Optional(Type.String({ description: 'cursor of the next page; absent on the last one' })),
  });
export const VerificationsPage = page(VerificationView, 'Verification');
export const FilesPage = page(AccountLine, 'AccountLine');
/** A difference as it is stored, with where its explanation is read. */
export const DifferenceView = Type.Object({
  ...Difference.properties,
  links: Type.Optional(Type.Object({ explanation: Type.String() })),
});
export type DifferenceView = Static<typeof DifferenceView>;
export const DifferencesPage = page(DifferenceView, 'Difference');

export const StoredContext = Type.Object({ digest: Digest, size: Type.Integer({ description: 'bytes as sent' }) });

export const FoundImage = Type.Object({
  image: Image,
  verification: Type.String(),
  verdict: Type.Unsafe<Digest>({ ...Digest, description: 'of the signed statement' }),
  result: Type.Enum([...RESULTS]),
  latest: Type.Boolean({ description: 'false where a newer verdict of the same reference and platform exists' }),
  package: Type.Optional(Type.String({ description: 'the binary package that holds it', examples: ['libssl3'] })),
  version: Type.Optional(Type.String({ examples: ['3.0.16-1~deb12u1'] })),
  architecture: Type.Optional(Type.String({ examples: ['amd64'] })),
  source: Type.Optional(Type.String({ examples: ['openssl'] })),
  sourceVersion: Type.Optional(Type.String({ examples: ['3.0.16-1~deb12u1'] })),
  cve: Type.Optional(Type.String({ examples: ['CVE-2024-5535'] })),
  urgency: Type.Optional(Type.String({ description: "the security tracker's word", examples: ['not yet assigned'] })),
  fixed: Type.Optional(Type.String({ description: 'version of the source package that is not affected; absent where there is none yet' })),
  path: Type.Optional(Type.Unsafe<Path>({ ...Path, description: 'the first path at which the layer holds the file' })),
  hidden: Type.Optional(Type.Boolean({ description: 'a later layer took the file away; the image holds it all the same' })),
  layer: Type.Optional(Type.Integer({ description: 'the layer that put it there, from 0 for the lowest' })),
  layerDigest: Type.Optional(Digest),
  line: Type.Optional(Type.Integer({ description: 'line of the Dockerfile that made the layer', examples: [4] })),
  createdBy: Type.Optional(Type.String({ description: "the image's own words for how the layer was made" })),
  page: Type.String(),
});
export type FoundImage = Static<typeof FoundImage>;
export const ImagesPage = Type.Object({
  ...page(FoundImage, 'FoundImage').properties,
  tracker: Type.Optional(
    Type.Object(
      { url: Type.String(), digest: Type.Unsafe<Digest>({ ...Digest, description: 'of the JSON as fetched' }), fetchedAt: Type.String() },
      { description: 'the data that an answer about a CVE rests on; nothing signs it' },
    ),
  ),
});

export const DeliveryView = Type.Object({
  id: Type.String({ description: '`webhook-id` of Standard Webhooks' }),
  url: Type.String({ description: 'the whole address with the API token, without it only its host' }),
  event: Type.Enum(['verdict.created', 'verification.failed', 'image.affected', 'verdict.changed', 'commit.status', 'verdict.attached']),
  status: Type.Enum(['pending', 'delivered', 'failed']),
  body: Type.Optional(Type.String({ description: 'what is sent; with the API token' })),
  attempts: Type.Array(
    Type.Object({
      at: Type.String({ description: 'ISO 8601, UTC' }),
      status: Type.Optional(Type.Integer()),
      answer: Type.Optional(Type.String({ description: 'how the body of the answer begins; with the API token' })),
      error: Type.Optional(Type.String({ description: 'why there was no answer that counts' })),
    }),
  ),
});
export const DeliveriesPage = Type.Object({ items: Type.Array(DeliveryView) });

export const WatchView = Type.Object({
  id: Type.String(),
  package: Type.Optional(Type.String({ examples: ['openssl'] })),
  olderThan: Type.Optional(Type.String({ examples: ['3.0.17-1~deb12u2'] })),
  cve: Type.Optional(Type.String({ examples: ['CVE-2024-5535'] })),
  image: Type.Optional(Type.String({ description: 'as normalised', examples: ['ghcr.io/example/app:1.2'] })),
  events: Type.Optional(Type.Array(Type.Enum([...WATCH_EVENTS]))),
  webhook: Type.Object({ url: Type.String({ description: 'the whole address with the API token, without it only its host' }) }),
  createdAt: Type.String({ description: 'ISO 8601, UTC' }),
  links: Type.Object({ self: Type.String() }),
});
export const WatchesPage = page(WatchView, 'Watch');

/** https://shields.io/badges/endpoint-badge */
export const BadgeEndpoint = Type.Object({
  schemaVersion: Type.Literal(1),
  label: Type.String(),
  message: Type.String(),
  color: Type.String(),
  cacheSeconds: Type.Integer(),
});

/** `limit` and `cursor` of every list. */
export const LIST_LIMIT_MAX = 1000; // some 300 kB of JSON
export const ListQuery = {
  cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,200}$', description: '`next` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX, default: 100 })),
};
export const FilesQuery = Type.Object(
  {
    attribution: Type.Optional(Type.Enum([...ATTRIBUTIONS])),
    path: Type.Optional(Type.String({ maxLength: 4096, description: 'this path and everything below it' })),
    ...ListQuery,
  },
  { additionalProperties: false },
);
export const DifferencesQuery = Type.Object(
  { cause: Type.Optional(Type.Enum([...CAUSES])), class: Type.Optional(Type.Enum([...DIFFERENCE_CLASSES])), ...ListQuery },
  { additionalProperties: false },
);

export const IdParams = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) });
export const ExplanationParams = Type.Object({ ...IdParams.properties, digest: Digest });
export const DigestParams = Type.Object({ digest: Digest });

/** Schemas that others refer to, each under the name that the OpenAPI document gives it. */
export const SHARED: Record<string, TSchema> = {
  VerificationRequest,
  Accepted,
  Verification: VerificationView,
  VerificationsPage,
  Verdict,
  AccountLine,
  FilesPage,
  Difference: DifferenceView,
  DifferencesPage,
  DiffNode,
  Explanation,
  Explanations,
  StoredContext,
  FoundImage,
  ImagesPage,
  Delivery: DeliveryView,
  DeliveriesPage,
  WatchRequest,
  Watch: WatchView,
  WatchesPage,
  BadgeEndpoint,
  Problem: ProblemDocument,
};

/** For a route's `response`: the named schema, and a problem document for everything else. */
export function answers<T extends TSchema>(status: number, schema: T, description: string) {
  const id = Object.keys(SHARED).find((name) => SHARED[name] === schema);
  const body = id === undefined ? schema : ref(schema, id);
  return { [status]: { ...body, description }, default: problemAnswer };
}
const problemAnswer = {
  description: 'RFC 9457 problem document',
  content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } },
};

/** For a route that answers with something else than JSON. */
export function answersWith(mediaType: string, description: string, schema: TSchema = Type.String()) {
  return { 200: { description, content: { [mediaType]: { schema } } }, default: problemAnswer };
}

export const sharedSchemas = (): TSchema[] => Object.entries(SHARED).map(([id, schema]) => named(schema, id));
