/** Verdicts made by hand, for tests of what shows them. Names and lines are as hostile as an image can make them. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import { digestOf, hexOf, type Digest } from '../../src/model/digest.ts';
import type { Inventory } from '../../src/model/inventory.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { debianPurl } from '../../src/model/purl.ts';
import { textFromBytes } from '../../src/model/path.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import { PREDICATE_TYPE, type Statement, STATEMENT_TYPE } from '../../src/model/statement.ts';
import { type AccountLine, type Attribution, ATTRIBUTIONS, type Difference, type Finding, type Verdict } from '../../src/model/verdict.ts';
import type { VerdictRecord, VerificationJob } from '../../src/model/verification.ts';
import type { Blobs, Signer } from '../../src/ports.ts';

export const HOSTILE_NAME = '/usr/lib/<script>alert(1)</script>"\'&';
const BIDI_LINE = 'STEP 3/4: RUN echo \u202egnp.exe <img src=x onerror=alert(1)> \u001b[31mred\u001b[0m';

const counts = (given: Partial<Record<Attribution, number>>): Record<Attribution, number> =>
  Object.fromEntries(ATTRIBUTIONS.map((name) => [name, given[name] ?? 0])) as Record<Attribution, number>;

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

const replaced: Finding = {
  code: 'packaged-file-replaced',
  severity: 'critical',
  paths: ['/usr/sbin/nginx'],
  message: '/usr/sbin/nginx is not the file that Debian signed in nginx 1.22.1-9+deb12u4.',
  layer: 1,
  line: 4,
  evidence: { package: 'nginx 1.22.1-9+deb12u4', expected: digestOf('signed'), found: digestOf('found') },
  advice: 'Do not run this image. Rebuild it from its source on a machine that you trust and compare.',
};
const named: Finding = {
  code: 'setuid-program',
  severity: 'high',
  paths: [HOSTILE_NAME, textFromBytes(Buffer.from('/usr/lib/caf\xe9\u202e', 'latin1'))],
  message: `A setuid program ${HOSTILE_NAME} belongs to no package.`,
  evidence: { '<b>owner</b>': 'root', mode: '4755' },
  advice: 'Remove it, or install it from a package.',
};
const secret: Finding = {
  code: 'deleted-secret',
  severity: 'medium',
  paths: ['/root/.netrc'],
  message: 'A later layer deletes /root/.netrc, and the layer below still holds it.',
  layer: 2,
  evidence: {},
  advice: 'Change the secret, and use a secret mount of the builder.',
};

const runs = (kind: SampleKind): NonNullable<Verdict['runs']> => [
  {
    by: 'entry-point',
    command: 'nginx',
    path: '/usr/sbin/nginx',
    digest: digestOf('nginx'),
    package: 'pkg:deb/debian/nginx@1.22.1-9%2Bdeb12u4?arch=amd64',
    version: '1.22.1-9+deb12u4',
    ...(kind === 'backdoored'
      ? { attribution: 'unexplained', statement: 'not the file of nginx 1.22.1-9+deb12u4: its bytes are not those that Debian signed' }
      : { attribution: 'debian-official', statement: 'nginx 1.22.1-9+deb12u4, the bytes that Debian signed' }),
  },
  { by: 'argument', command: HOSTILE_NAME, statement: `${HOSTILE_NAME} is not in the image` },
];

export type SampleKind = 'honest' | 'partly' | 'backdoored' | 'unsourced';

export function sampleVerdict(kind: SampleKind): Verdict {
  const freshness = { judgedAt: '2025-11-24T00:30:00.000Z', rules: '1', policy: 'default@1' };
  const base = { 'debian-official': 6812, 'debian-generated': 214, source: 12, volatile: 9 };
  const bytes = { 'debian-official': 141_000_000, 'debian-generated': 3_900_000, source: 48_000, volatile: 210_000 };
  const executables = { 'debian-official': 941, source: 1 };
  const verdict = (
    more: Pick<Verdict, 'result' | 'auditable' | 'summary' | 'findings'> & { reason?: Verdict['reason'] },
    accounted: number,
    extra: Partial<Record<Attribution, number>> = {},
  ): Verdict => {
    const { reason, ...rest } = more;
    return {
      ...rest,
      ...(reason === undefined ? {} : { reason }),
      coverage: {
        files: counts({ ...base, ...extra }),
        bytes: counts({ ...bytes, ...(extra.unexplained === undefined ? {} : { unexplained: 9_400_000 }) }),
        executables: counts({ ...executables, ...(extra.unexplained === undefined ? {} : { unexplained: 2 }) }),
        accounted,
        ...(more.auditable === 'yes' ? { reproduced: { packages: 1, of: 1, files: 1427, bytes: 2_400_000 } } : {}),
      },
      runs: runs(kind),
      freshness,
    };
  };
  switch (kind) {
    case 'honest':
      return verdict(
        { result: 'equivalent', auditable: 'yes', summary: 'Every file is accounted for, and our rebuild is the same.', findings: [] },
        1,
      );
    case 'partly':
      return verdict(
        { result: 'explained', auditable: 'partly', summary: '31 files rest on our rebuild alone.', findings: [secret] },
        0.9956,
        { rebuilt: 31 },
      );
    case 'backdoored':
      return verdict(
        {
          result: 'suspicious',
          auditable: 'no',
          summary: '/usr/sbin/nginx is not the program that Debian signed.',
          findings: [secret, replaced, named],
        },
        0.9995,
        { unexplained: 3 },
      );
    case 'unsourced':
      return verdict(
        {
          result: 'not-comparable',
          reason: 'no-source',
          auditable: 'partly',
          summary: 'Nobody says what the image was built from; 12 of its files are accounted for by nothing.',
          findings: [],
        },
        0.9983,
        { source: 0, unexplained: 12 },
      );
  }
}

const samplePackage = (name: string, version: string) => ({
  name,
  version,
  architecture: 'amd64',
  source: name,
  sourceVersion: version,
  state: 'installed',
  purl: debianPurl(name, version, 'amd64'),
});

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
const put = async (blobs: Blobs, text: string): Promise<Digest> => (await blobs.put(once(text))).digest;
const lines = (values: readonly unknown[]): string => values.map((value) => `${canonicalJson(value)}\n`).join('');

/** The account of a sample: one file for each attribution that it counts, and those named in its findings. */
export function sampleAccount(verdict: Verdict): AccountLine[] {
  const line = (path: string, attribution: Attribution): AccountLine => ({
    path,
    kind: 'file',
    size: 1234,
    digest: digestOf(path),
    layer: 0,
    code: path.includes('/lib/') || path.includes('bin/'),
    attribution,
    evidence: attribution === 'debian-official' ? { package: 'pkg:deb/debian/nginx@1.22.1-9?arch=amd64' } : {},
  });
  const bad = verdict.findings.flatMap(({ paths, severity }) => (severity === 'medium' ? [] : paths));
  const rest = ATTRIBUTIONS.filter((name) => verdict.coverage.files[name] > 0 && name !== 'unexplained').flatMap((name) =>
    [1, 2, 3].map((number) => line(`/usr/share/${name}/${number}`, name)),
  );
  return [...bad.map((path) => line(path, 'unexplained')), ...rest];
}

/** Stores what a verdict rests on and gives the record that concludes the job. */
export async function sampleRecord(
  blobs: Blobs,
  signer: Pick<Signer, 'sign'>,
  job: VerificationJob,
  kind: SampleKind,
): Promise<VerdictRecord> {
  const verdict = sampleVerdict(kind);
  const account = sampleAccount(verdict);
  const differences: Difference[] =
    kind === 'unsourced'
      ? []
      : [
          { path: '/var/log/dpkg.log', aspects: ['content'], cause: 'normalised', class: 'noise', rule: 'dpkg-log@1' },
          ...(kind === 'backdoored'
            ? [
                {
                  path: HOSTILE_NAME,
                  aspects: ['presence' as const],
                  cause: 'unknown' as const,
                  class: 'same' as const,
                  detail: '<b>only</b> in the published image',
                },
              ]
            : []),
        ];
  const layer = (index: number, createdBy: string): Inventory['layers'][number] => ({
    digest: digestOf(`layer ${index}`),
    diffId: digestOf(`diff ${index}`),
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    size: 31_000_000 / (index + 1),
    uncompressedSize: 83_000_000 / (index + 1),
    entries: 5321,
    createdBy,
  });
  const inventory: Inventory = {
    manifestDigest: job.image.manifestDigest,
    configDigest: digestOf('config'),
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    layers: [
      layer(0, '/bin/sh -c #(nop) ADD file:base.tar in /'),
      layer(1, 'RUN apt-get update && apt-get install -y --no-install-recommends nginx python3-minimal'),
      layer(2, 'COPY "<script>alert(2)</script>" /srv/www/'),
    ],
    entries: [],
    hidden: [],
    anomalies: [],
    contents: [],
  };
  const built: Rebuild['outcome'] =
    kind === 'unsourced'
      ? { status: 'not-comparable', reason: 'no-source', detail: 'no source is known', lastLog: [] }
      : { status: 'built', inventory: digestOf('rebuilt'), manifestDigest: digestOf('rebuilt manifest') };
  const source = {
    location: {
      kind: 'git' as const,
      url: 'https://git.example.org/shop.git',
      ref: 'v1.2',
      commit: '3f786850e387550fdab836ed7e6dc881de23001b',
    },
    evidence: 'request' as const,
  };
  const log = ['STEP 1/4: FROM base', 'STEP 2/4: RUN apt-get update', BIDI_LINE, 'COMMIT'];
  const rebuild: Rebuild = {
    resolvedDependencies: [],
    outcome: built,
    finishedAt: '2025-11-24T00:29:00.000Z',
    ...(kind === 'unsourced' ? {} : { source, log: await put(blobs, log.map((each) => `${each}\n`).join('')) }),
  };
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
  const evidence: DebianEvidence = {
    applies: true,
    gatheredAt: '2025-11-24T00:20:00.000Z',
    archives: [
      {
        id: 'debian bookworm',
        origin: 'Debian',
        suite: 'oldstable',
        codename: 'bookworm',
        date: '2025-11-20T10:00:00.000Z',
        inRelease: digestOf('InRelease'),
        signers: ['4CB50190207B4758A3F73A796ED0E7B82643E131'],
      },
    ],
    packages: [
      {
        ...samplePackage('nginx', '1.22.1-9+deb12u4'),
        status: 'verified',
        chain: {
          archive: 'debian bookworm',
          component: 'main',
          packages: digestOf('Packages'),
          deb: digestOf('deb'),
          size: 526_000,
          path: 'pool/main/n/nginx/nginx_1.22.1-9+deb12u4_amd64.deb',
          contents: digestOf('contents'),
        },
      },
      { ...samplePackage('openssl', '3.0.16-1~deb12u1'), status: 'unverified-version' },
    ],
  };
  const accountDigest = await put(blobs, lines(account));
  const differencesDigest = await put(blobs, lines(differences));
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: job.image.reference, digest: { sha256: hexOf(job.image.manifestDigest) } }],
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
            source,
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
      archives: evidence.archives,
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
        evidence: await put(blobs, canonicalJson(evidence)),
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
    signature: await signer.sign(bytes),
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
