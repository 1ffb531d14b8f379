import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Digest } from '../../src/model/digest.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { IMMUTABLE, notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answersWith, DigestParams } from '../schemas.ts';

/** https://github.com/in-toto/attestation/blob/v1.0/spec/v1/envelope.md#file-naming-convention */
const STATEMENT_MEDIA_TYPE = 'application/vnd.in-toto+json';

export const verdictRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const find = async (digest: string): Promise<VerdictRecord> => {
      const record = await within(deps.patience, 'database-unavailable', deps.records.verdict(digest as Digest));
      if (record === undefined) throw new Problem('not-found', `there is no verdict ${digest}`);
      return record;
    };

    app.get(
      '/v1/verdicts/:digest',
      {
        schema: {
          tags: ['verdicts'],
          summary: 'The statement, exactly the bytes that are signed',
          params: DigestParams,
          response: answersWith(STATEMENT_MEDIA_TYPE, 'in-toto Statement v1; its predicate is documented at /predicates/verdict/v1'),
        },
      },
      async (request, reply) => {
        const record = await find(request.params.digest);
        if (notModified(request, reply, `"${record.digest}"`, IMMUTABLE)) return reply.send();
        return reply.type(STATEMENT_MEDIA_TYPE).send(Buffer.from(record.statement));
      },
    );

    app.get(
      '/v1/verdicts/:digest/signature',
      {
        schema: {
          tags: ['verdicts'],
          summary: 'The detached, armored OpenPGP signature over the statement',
          params: DigestParams,
          response: answersWith('application/pgp-signature', 'RFC 9580, section 6.2'),
        },
      },
      async (request, reply) => {
        const record = await find(request.params.digest);
        if (notModified(request, reply, `"${record.digest}.asc"`, IMMUTABLE)) return reply.send();
        return reply.type('application/pgp-signature').send(record.signature);
      },
    );

    app.get(
      '/v1/keys',
      {
        schema: {
          tags: ['verdicts'],
          summary: 'The armored OpenPGP public key that verdicts are signed with',
          response: answersWith('application/pgp-keys', 'the key; its fingerprint is the ETag'),
        },
      },
      async (request, reply) => {
        const fingerprint = await deps.signer.fingerprint();
        if (notModified(request, reply, `"${fingerprint}"`, 'public, max-age=300')) return reply.send();
        return reply.type('application/pgp-keys').send(await deps.signer.publicKey());
      },
    );
  };
