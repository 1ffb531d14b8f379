import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { createJob, type Job } from '../../../src/adapters/environment/jobs.ts';
import type { Limits } from '../../../src/adapters/environment/limits.ts';
import { machineArchitecture } from '../../../src/adapters/environment/machine.ts';
import { readSubordinateIds } from '../../../src/adapters/environment/subids.ts';
import type { Digest } from '../../../src/model/digest.ts';
import type { BuildPlan } from '../../../src/model/rebuild.ts';
import type { Builder } from '../../../src/ports-build.ts';

export const ids = await readSubordinateIds();

export const LIMITS: Limits = {
  seconds: 60,
  memoryBytes: 512 * 1024 ** 2,
  diskBytes: 256 * 1024 ** 2,
  processes: 200,
  logBytes: 1024 ** 2,
};

export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'conforme-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function temporaryJob(): Promise<{ job: Job; parent: string } & AsyncDisposable> {
  const folder = await temporaryFolder();
  const job = await createJob(folder.path, ids);
  return {
    job,
    parent: folder.path,
    async [Symbol.asyncDispose]() {
      await job.remove();
      await folder[Symbol.asyncDispose]();
    },
  };
}

type Entry = { name: string; body?: string | Buffer; mode?: number; link?: string; folder?: boolean };

/** A plain tar of small files. */
export async function tarOf(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  const mtime = new Date(1_600_000_000_000);
  for (const { name, body = '', mode = 0o644, link, folder } of entries) {
    if (link !== undefined) tar.entry({ name, type: 'symlink', linkname: link, mtime });
    else if (folder) tar.entry({ name, type: 'directory', mode: 0o755, mtime });
    else tar.entry({ name, mode, mtime }, body);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function sha256(bytes: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export type Base = Parameters<Builder['build']>[0]['bases'][number];

/** A base image of one static program, busybox, under the names of what it can do: made in no time. */
export async function busyboxBase(reference: string): Promise<Base> {
  const applets = 'sh cat ls wget dd sleep echo id mount ps touch mkdir rm nc tail grep head env yes ip hostname true unshare'.split(' ');
  const layer = await tarOf([
    ...['bin', 'etc', 'tmp', 'root'].map((name) => ({ name, folder: true })),
    { name: 'bin/busybox', body: await readFile('/bin/busybox'), mode: 0o755 },
    ...applets.map((name) => ({ name: `bin/${name}`, link: 'busybox' })),
    { name: 'etc/passwd', body: 'root:x:0:0:root:/root:/bin/sh\n' },
    { name: 'etc/group', body: 'root:x:0:\n' },
  ]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: machineArchitecture(),
      os: 'linux',
      created: '2020-01-01T00:00:00Z',
      config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
      history: [{ created: '2020-01-01T00:00:00Z', created_by: 'busybox' }],
    }),
  );
  const blobs = new Map<string, Buffer>([
    [sha256(layer), layer],
    [sha256(config), config],
  ]);
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(layer), size: layer.length }],
  };
  const manifestDigest = sha256(JSON.stringify(manifest));
  return {
    image: {
      reference,
      digest: manifestDigest,
      manifestDigest,
      platform: { os: 'linux', architecture: machineArchitecture() },
      manifest,
      config: JSON.parse(config.toString()),
    },
    openBlob: async ({ digest }) => Readable.from([blobs.get(digest) ?? Buffer.alloc(0)]),
  };
}

export function planOf(base: Base, more: Partial<BuildPlan> = {}): BuildPlan {
  const { reference, digest, manifestDigest, platform } = base.image;
  return {
    builder: 'buildah',
    dockerfile: 'Dockerfile',
    buildArgs: {},
    platform,
    bases: [{ reference, digest, manifestDigest }],
    epoch: 1_700_000_000,
    format: 'oci',
    ...more,
  };
}
