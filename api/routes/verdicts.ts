import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Digest } from '../../src/model/digest.ts';
import { type Envelope, ENVELOPE_TYPE, envelopeOf, IN_TOTO_TYPE } from '../../src/model/dsse.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { Seals } from '../../src/model/seals.ts';
import type { VerdictRecord } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { IMMUTABLE, notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { BILL_FORMATS, type BillFormat, billOf } from '../bills.ts';
import { answersWith, DigestParams } from '../schemas.ts';

/** https://github.com/in-toto/attestation/blob/v1.0/spec/v1/envelope.md#file-naming-convention */
const STATEMENT_MEDIA_TYPE = IN_TOTO_TYPE;

/** The same statement, and a summary of it, signed in the form that cosign and in-toto's tools read. */
const ENVELOPES: readonly { path: string; summary: string; read(record: VerdictRecord, seals: Seals): Envelope }[] = [
  {
    path: 'dsse.json',
    summary: 'The statement in a DSSE envelope: its payload is exactly the bytes of the verdict',
    read: ({ statement }, seals) => envelopeOf(statement, seals.statement),
  },
  {
    path: 'vsa.dsse.json',
    summary: 'A SLSA verification summary of the verdict, in a DSSE envelope',
    read: (_record, seals) => seals.summary,
  },
];

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

    for (const { path, summary, read } of ENVELOPES) {
      app.get(
        `/v1/verdicts/:digest/${path}`,
        {
          schema: {
            tags: ['verdicts'],
            summary,
            params: DigestParams,
            response: answersWith(ENVELOPE_TYPE, 'DSSE v1 envelope; 404 for a verdict from before there were any'),
          },
        },
        async (request, reply) => {
          const record = await find(request.params.digest);
          const envelope = record.seals && read(record, record.seals);
          if (envelope === undefined) throw new Problem('not-found', `the verdict ${record.digest} is from before envelopes were signed`);
          if (notModified(request, reply, `"${record.digest}.${path}"`, IMMUTABLE)) return reply.send();
          return reply.type(ENVELOPE_TYPE).send(canonicalJson(envelope));
        },
      );
    }

    for (const [format, { path, mediaType, summary, fileName }] of Object.entries(BILL_FORMATS)) {
      app.get(
        `/v1/verdicts/:digest/${path}`,
        {
          schema: {
            tags: ['verdicts'],
            summary,
            params: DigestParams,
            response: answersWith(mediaType, 'not signed: made of the signed verdict and its documents, the same bytes each time'),
          },
        },
        async (request, reply) => {
          const record = await find(request.params.digest);
          if (notModified(request, reply, `"${record.digest}.${path}"`, 'public, max-age=86400')) return reply.send();
          const bill = await billOf(deps.blobs, record, format as BillFormat);
          return reply
            .type(mediaType)
            .header('content-disposition', `inline; filename="${fileName(record)}"`)
            .send(await deps.blobs.open(bill));
        },
      );
    }

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

    app.get(
      '/v1/keys/cosign.pub',
      {
        schema: {
          tags: ['verdicts'],
          summary: 'The ECDSA public key that envelopes are signed with, for `cosign --key`',
          response: answersWith('application/x-pem-file', 'SubjectPublicKeyInfo; the ETag is its fingerprint as ssh-keygen prints it'),
        },
      },
      async (request, reply) => {
        const keyId = await deps.envelopeSigner.keyId();
        if (notModified(request, reply, `"${keyId}"`, 'public, max-age=300')) return reply.send();
        return reply.type('application/x-pem-file').send(await deps.envelopeSigner.publicKey());
      },
    );
  };
