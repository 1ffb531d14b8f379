/** Verifications and their records, made by hand out of a sample verdict and its documents. */
import { seal, type SealPorts } from '../../src/flow/seal.ts';
import { type Digest, digestOf, hexOf } from '../../src/model/digest.ts';
import type { Explanations } from '../../src/model/explanation.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { splitReference } from '../../src/model/purl.ts';
import { PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from '../../src/model/statement.ts';
import type { VerdictRecord, VerificationJob } from '../../src/model/verification.ts';
import type { Blobs, Signer } from '../../src/ports.ts';
import {
  SAMPLE_EVIDENCE,
  SAMPLE_LEFT,
  SAMPLE_LOG,
  SAMPLE_SOURCE,
  sampleDifferences,
  sampleInventory,
  sampleRebuild,
} from './sample-documents.ts';
import { explainedDifference, sampleExplanations } from './sample-explanations.ts';
import { HOSTILE_NAME, sampleAccount, type SampleKind, sampleVerdict } from './sample-verdict.ts';

export const sampleJob = (id: string, reference: string, more: Partial<VerificationJob['request']> = {}): VerificationJob => ({
  id,
  request: { image: reference, source: { git: 'https://git.example.org/shop.git', ref: 'v1.2' }, ...more },
  image: {
    reference,
    digest: digestOf(`index of ${reference}`),
    manifestDigest: digestOf(`manifest of ${reference}`),
    platform: { os: 'linux', architecture: 'amd64' },
  },
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
const put = async (blobs: Blobs, text: string): Promise<Digest> => (await blobs.put(once(text))).digest;
const lines = (values: readonly unknown[]): string => values.map((value) => `${canonicalJson(value)}\n`).join('');

export type SampleSigners = SealPorts & { signer: Pick<Signer, 'sign'> };

/** Stores what a verdict rests on and gives the record that concludes the job. */
export async function sampleRecord(blobs: Blobs, ports: SampleSigners, job: VerificationJob, kind: SampleKind): Promise<VerdictRecord> {
  const verdict = sampleVerdict(kind);
  const account = sampleAccount(verdict);
  const differences = sampleDifferences(kind);
  const files: Explanations['files'] = [];
  for (const explanation of sampleExplanations(kind)) {
    const document = await put(blobs, canonicalJson(explanation));
    files.push({ path: explanation.path, document });
    differences.push(explainedDifference(explanation, document));
  }
  const inventory = sampleInventory(job.image.manifestDigest);
  const rebuild = sampleRebuild(kind, await put(blobs, SAMPLE_LOG.map((each) => `${each}\n`).join('')));
  if (files.length > 0) rebuild.explanations = { tool: 'diffoscope 240', files, ...SAMPLE_LEFT };
  const asked = ['https://rebuilder.example.org/amd64', 'https://other.example.net'].map((url) => ({ url, keys: ['key'] }));
  const reproduced =
    kind !== 'honest'
      ? {}
      : {
          reproduced: {
            by: 1,
            of: 2,
            rebuilders: asked.map(({ url }, index) => ({
              rebuilder: url,
              outcome: index === 0 ? ('reproduced' as const) : ('unavailable' as const),
            })),
          },
        };
  const accountDigest = await put(blobs, lines(account));
  const differencesDigest = await put(blobs, lines(differences));
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: [...new Set([job.image.digest, job.image.manifestDigest])].map((digest) => ({
      name: splitReference(job.image.reference).repository,
      digest: { sha256: hexOf(digest) },
    })),
    predicateType: PREDICATE_TYPE,
    predicate: {
      image: job.image,
      verdict,
      unexplained: account.filter(({ attribution }) => attribution === 'unexplained').map(({ path }) => path),
      differences: {
        total: differences.length,
        byCause: {
          normalised: differences.length === 0 ? 0 : 1,
          'source-drift': 0,
          'package-drift': 0,
          'second-rebuild': 0,
          unknown: Math.max(0, differences.length - 1),
        },
        byClass: {
          noise: differences.length === 0 ? 0 : 1,
          builder: 0,
          base: 0,
          drift: 0,
          varies: 0,
          unrepeated: 0,
          same: Math.max(0, differences.length - 1),
        },
        listed: [],
      },
      ...(kind === 'unsourced'
        ? {}
        : {
            source: SAMPLE_SOURCE,
            buildPlan: {
              builder: 'buildah' as const,
              dockerfile: 'Dockerfile',
              buildArgs: { VERSION: '1.2' },
              platform: job.image.platform,
              bases: [{ reference: 'registry.example.org/base:bookworm', digest: digestOf('base'), manifestDigest: digestOf('base') }],
              format: 'oci' as const,
            },
            builderVersion: 'buildah 1.28.2',
            rebuilds: {
              first: { startedAt: '2026-01-02T10:00:00.000Z', hostName: 'localhost', processors: 2, storage: 'memory' as const },
              ...(kind === 'backdoored' ? { second: { status: 'failed' as const, detail: '<i>no time left</i>' } } : {}),
            },
          }),
      resolvedDependencies:
        kind === 'unsourced'
          ? []
          : [
              {
                uri: 'http://deb.example.org/pool/main/n/nginx/nginx_1.22.1-9_amd64.deb',
                digest: { sha256: hexOf(digestOf('deb')) },
                annotations: { size: 526_000 },
              },
            ],
      archives: SAMPLE_EVIDENCE.archives,
      packages: [
        {
          purl: 'pkg:deb/debian/nginx@1.22.1-9%2Bdeb12u4?arch=amd64',
          status: 'verified',
          deb: digestOf('deb'),
          ...reproduced,
          ...(kind === 'honest' ? { buildinfo: digestOf('buildinfo') } : {}),
        },
        { purl: 'pkg:deb/debian/openssl@3.0.16-1~deb12u1?arch=amd64', status: 'unverified-version' },
      ],
      layers: inventory.layers.map(({ digest }, index) => ({
        digest,
        shown: { files: 4000, bytes: 60_000_000 },
        hidden: { files: index, bytes: index * 1_500_000 },
      })),
      copies: {
        total: 1,
        listed: [
          {
            path: HOSTILE_NAME,
            layer: 2,
            name: 'openssl',
            version: '1.1.1w',
            kind: 'library',
            recognisedBy: ['version-string', 'file-name'],
            purl: 'pkg:generic/openssl@1.1.1w',
            debian: { package: 'pkg:deb/debian/libssl3@3.0.17-1?arch=amd64', version: '3.0.17-1', older: true },
          },
        ],
      },
      ...(kind === 'honest' ? { rebuilders: { atLeast: 1, asked } } : {}),
      rules: [{ name: 'dpkg-log', version: 1, reason: 'The log names the time of each step; what was done is compared.' }],
      byproducts: {
        published: await put(blobs, canonicalJson(inventory)),
        rebuild: await put(blobs, canonicalJson(rebuild)),
        evidence: await put(blobs, canonicalJson(SAMPLE_EVIDENCE)),
        account: accountDigest,
        differences: differencesDigest,
      },
    },
  };
  const bytes = Buffer.from(canonicalJson(statement));
  return {
    digest: digestOf(bytes),
    verification: job.id,
    image: job.image,
    verdict,
    statement: bytes,
    signature: await ports.signer.sign(bytes),
    seals: await seal(ports, statement, bytes, digestOf(bytes)),
    account: accountDigest,
    differences: differencesDigest,
    packages: [
      { name: 'nginx', version: '1.22.1-9+deb12u4', architecture: 'amd64', source: 'nginx', sourceVersion: '1.22.1-9+deb12u4', layer: 1 },
      {
        name: 'openssl',
        version: '3.0.16-1~deb12u1',
        architecture: 'amd64',
        source: 'openssl',
        sourceVersion: '3.0.16-1~deb12u1',
        layer: 0,
      },
    ],
  };
}
