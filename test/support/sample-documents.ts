/** The documents that a sample verdict rests on. */
import type { DebianEvidence } from '../../src/model/debian.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { Inventory } from '../../src/model/inventory.ts';
import { debianPurl } from '../../src/model/purl.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Difference } from '../../src/model/verdict.ts';
import { HOSTILE_NAME, type SampleKind } from './sample-verdict.ts';

const BIDI_LINE = 'STEP 3/4: RUN echo \u202egnp.exe <img src=x onerror=alert(1)> \u001b[31mred\u001b[0m';

export const SAMPLE_LOG = ['STEP 1/4: FROM base', 'STEP 2/4: RUN apt-get update', BIDI_LINE, `COMMIT ${'z'.repeat(3_000)}</script>`];

export const SAMPLE_SOURCE = {
  location: {
    kind: 'git' as const,
    url: 'https://git.example.org/shop.git',
    ref: 'v1.2',
    commit: '3f786850e387550fdab836ed7e6dc881de23001b',
  },
  evidence: 'request' as const,
};

const SAMPLE_DOCKERFILE = {
  path: 'Dockerfile',
  digest: digestOf('Dockerfile'),
  steps: [{ line: 4, instruction: 'RUN', text: 'RUN make install && echo "<b>done</b>"', stage: 0 }],
};

export function sampleDifferences(kind: SampleKind): Difference[] {
  return kind === 'unsourced'
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
}

/** What stands beside the explained files. */
export const SAMPLE_LEFT = {
  left: [{ reason: 'larger than 24 MiB', files: 2 }],
  packages: {
    listed: [
      { name: 'libssl3', architecture: 'amd64', rebuilt: '3.0.17-1~deb12u2', published: '3.0.16-1~deb12u1' },
      { name: 'netcat-openbsd', architecture: 'amd64', published: '1.219-1' },
    ],
    more: 0,
  },
};

const layer = (index: number, createdBy: string): Inventory['layers'][number] => ({
  digest: digestOf(`layer ${index}`),
  diffId: digestOf(`diff ${index}`),
  mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
  size: 31_000_000 / (index + 1),
  uncompressedSize: 83_000_000 / (index + 1),
  entries: 5321,
  createdBy,
});

export function sampleInventory(manifestDigest: Digest): Inventory {
  return {
    manifestDigest: manifestDigest,
    configDigest: digestOf('config'),
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
    layers: [
      layer(0, '/bin/sh -c #(nop) ADD file:base.tar in /'),
      layer(1, 'RUN apt-get update && apt-get install -y --no-install-recommends nginx python3-minimal'),
      layer(2, `COPY "<script>alert(2)</script>\u202e" /srv/www/${'y'.repeat(2_000)} # buildkit`),
    ],
    entries: [],
    hidden: [],
    anomalies: [],
    contents: [],
  };
}

/** `log`: the blob of {@link SAMPLE_LOG}. */
export function sampleRebuild(kind: SampleKind, log: Digest): Rebuild {
  const built: Rebuild['outcome'] =
    kind === 'unsourced'
      ? { status: 'not-comparable', reason: 'no-source', detail: 'no source is known', lastLog: [] }
      : { status: 'built', inventory: digestOf('rebuilt'), manifestDigest: digestOf('rebuilt manifest') };
  return {
    resolvedDependencies: [],
    outcome: built,
    finishedAt: '2025-11-24T00:29:00.000Z',
    ...(kind === 'unsourced' ? {} : { source: SAMPLE_SOURCE, log, dockerfile: SAMPLE_DOCKERFILE }),
  };
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

export const SAMPLE_EVIDENCE: DebianEvidence = {
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
