import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { type Digest, digestFromHex, isDigest } from '../../src/model/digest.ts';
import type { ImageSignature } from '../../src/model/seals.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answersWith } from '../schemas.ts';

/** Verdicts on one manifest that are looked at; an image that was judged more often has the same answers in the newest. */
const VERDICTS_MAX = 64;

const documented = {
  url: '/lookaside/{name}@sha256={hex}/signature-{number}',
  params: Type.Object({
    name: Type.String({ description: 'registry and repository', examples: ['registry.example:5000/team/web'] }),
    hex: Type.String({ description: 'of the SHA-256 of the manifest' }),
    number: Type.Integer({ description: 'from 1 on' }),
  }),
};

/** `registry.example:5000/team/web@sha256=…/signature-1` */
const PATH = /^(?<repository>[^@]{1,255})@sha256=(?<hex>[0-9a-f]{64})\/signature-(?<number>[1-9]\d{0,2})$/;

/**
 * A storage of signatures as containers-registries.d(5), "lookaside", describes it: podman, CRI-O and skopeo look here for what policy.json
 * asks for. The name of the registry is part of the path, because they leave it out: `lookaside: …/lookaside/registry.example:5000`.
 */
export const lookasideRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/lookaside/*',
      {
        config: { swaggerTransform: ({ schema }) => ({ schema: { ...schema, params: documented.params }, url: documented.url }) },
        schema: {
          tags: ['verdicts'],
          summary: 'Signatures for policy.json, as podman, CRI-O and skopeo ask for them',
          response: answersWith(
            'application/octet-stream',
            'containers-signature(5); 404 where the newest verdict on that manifest is not good',
          ),
        },
      },
      async (request, reply) => {
        const { repository, hex, number } = PATH.exec((request.params as { '*': string })['*'])?.groups ?? {};
        const digest: Digest = digestFromHex(hex ?? '');
        if (repository === undefined || !isDigest(digest)) throw new Problem('not-found', 'there is no such signature');
        const records = await within(deps.patience, 'database-unavailable', deps.records.sealsOn(repository, digest, VERDICTS_MAX));
        const signature = goodSignatures(records)[Number(number) - 1];
        if (signature === undefined) throw new Problem('not-found', 'there is no such signature');
        // Not for long: the next verdict may be another one.
        if (notModified(request, reply, `"${signature.verdict}.sig"`, 'public, max-age=60')) return reply.send();
        return reply.type('application/octet-stream').send(Buffer.from(signature.message, 'base64'));
      },
    );
  };

/**
 * One for each name that the image was judged by, newest first; none where the newest verdict on it does not pass, whatever older ones said:
 * a signature cannot be called back, but it need not be handed out any more.
 */
function goodSignatures(records: readonly Pick<VerdictRecord, 'digest' | 'seals'>[]): (ImageSignature & { verdict: Digest })[] {
  if (records[0]?.seals?.image === undefined) return [];
  const byName = new Map<string, ImageSignature & { verdict: Digest }>();
  for (const { digest, seals } of records) {
    const image = seals?.image;
    if (image !== undefined && !byName.has(image.reference)) byName.set(image.reference, { ...image, verdict: digest });
  }
  return [...byName.values()];
}
