/** The five images of the demonstration, all from one Dockerfile. The end-to-end tests use the same. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { startRegistry } from '../../test/support/registry.ts';
import { makeBase } from './base.ts';
import { startGitServer } from './git-server.ts';
import { makePublisher, type Publisher } from './publisher.ts';
import { layerTar, pullParts, pushBase, pushParts, withLayer, withLayerOnTop, type ImageParts } from './registry-image.ts';
import { makeSource, type DemoSource } from './source.ts';
import { changed, edit, made, readMembers, writeMembers, type Member } from './tar-surgery.ts';

export const DEMO_NAMES = ['honest', 'backdoored', 'stuffed', 'without-source', 'drifted'] as const;
export type DemoName = (typeof DEMO_NAMES)[number];

export type DemoWorld = {
  registry: string;
  repository: string;
  source: DemoSource;
  /** Address of the repository. */
  git: string;
  reference(name: DemoName): string;
  stop(): Promise<void>;
};

const REPOSITORY = 'demo/shop';
/** The instruction that brings the packages makes the layer above the base. */
const PACKAGES_LAYER = 1;

/** Starts a registry and a git server on loopback, builds the honest image as a publisher would, and makes the others out of it. */
export async function makeDemoWorld(options: {
  cache: string;
  scratch: string;
  onLine: (line: string) => void;
  signal?: AbortSignal;
}): Promise<DemoWorld> {
  const { cache, scratch, onLine, signal } = options;
  const base = await makeBase(cache, onLine, signal);
  const registry = await startRegistry();
  const gitServer = await startGitServer(join(scratch, 'repositories'));
  const stop = async (): Promise<void> => {
    await gitServer.stop();
    await registry.stop();
  };
  try {
    const { host } = registry;
    onLine('pushing the base');
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
    const baseTag = base.codename;
    const config = { ...platform, config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['bash'] } };
    await pushBase(host, 'demo/base', baseTag, base, config);
    const source = makeSource(join(scratch, 'repositories', 'shop'), `${host}/demo/base:${baseTag}`);
    const world: DemoWorld = {
      registry: host,
      repository: REPOSITORY,
      source,
      git: `${gitServer.address}/shop.git`,
      reference: (name) => `${host}/${REPOSITORY}:${name}`,
      stop,
    };
    const publisher = await makePublisher(scratch, onLine, signal);
    try {
      await publishAll(world, publisher, onLine);
    } finally {
      await publisher.close();
    }
    return world;
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function publishAll(world: DemoWorld, publisher: Publisher, onLine: (line: string) => void): Promise<void> {
  const { registry: host, repository, source } = world;
  await publisher.publish(checkOut(source, source.later), world.reference('drifted'));
  await publisher.publish(checkOut(source, source.released), world.reference('honest'));
  const honest = await pullParts(host, repository, 'honest');
  await pushParts(host, repository, 'without-source', honest);
  onLine('tampering with the copies');
  await pushParts(host, repository, 'backdoored', await backdoored(host, repository, honest));
  await pushParts(host, repository, 'stuffed', await stuffed(host, repository, honest));
}

function checkOut({ folder }: DemoSource, commit: string): string {
  execFileSync('git', ['checkout', '--quiet', '--detach', commit], { cwd: folder, stdio: 'ignore' });
  return folder;
}

/** A few bytes of the program changed, and the package's own checksums in the image corrected to match. */
async function backdoored(host: string, repository: string, honest: ImageParts): Promise<ImageParts> {
  const members = readMembers(await layerTar(host, repository, honest, PACKAGES_LAYER));
  const nginx = find(members, 'usr/sbin/nginx');
  const bytes = Buffer.from(nginx.content);
  const at = bytes.indexOf('nginx version: ');
  bytes.write('pwned', at, 'latin1');
  const lists = members.filter(
    ({ name, content }) => /^var\/lib\/dpkg\/info\/.*\.md5sums$/.test(name) && content.includes('  usr/sbin/nginx\n'),
  );
  const corrected = lists.reduce(
    (all, { name }) =>
      edit(all, name, (list) =>
        changed(list, { content: Buffer.from(list.content.toString('latin1').replace(md5(nginx.content), md5(bytes)), 'latin1') }),
      ),
    edit(members, nginx.name, (member) => changed(member, { content: bytes })),
  );
  return withLayer(host, repository, honest, PACKAGES_LAYER, writeMembers(corrected));
}

/** Two layers more: a setuid program, a preloaded library and a secret; then one that deletes the secret. */
async function stuffed(host: string, repository: string, honest: ImageParts): Promise<ImageParts> {
  const created = String(honest.config.created ?? '');
  const program = await readFile('/usr/bin/id'); // any program will do
  const key = 'aws_access_key_id = AKIAQ3EGRIYR2XZ7WQ5T\naws_secret_access_key = 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\n';
  const stuffing = [
    made({ name: 'etc/ld.so.preload' }, Buffer.from('/usr/lib/libhelper.so\n')),
    made({ name: 'usr/lib/helper', mode: 0o4755 }, program),
    made({ name: 'root/.aws/', type: '5', mode: 0o700 }),
    made({ name: 'root/.aws/credentials', mode: 0o600 }, Buffer.from(`[default]\n${key}`)),
  ];
  const deletion = [made({ name: 'root/.aws/.wh.credentials' })];
  const first = await withLayerOnTop(host, repository, honest, writeMembers(stuffing), { created, created_by: '/bin/sh -c ./deploy.sh' });
  return withLayerOnTop(host, repository, first, writeMembers(deletion), { created, created_by: '/bin/sh -c rm /root/.aws/credentials' });
}

function find(members: readonly Member[], name: string): Member {
  const found = members.find((member) => member.name === name);
  if (found === undefined) throw new Error(`the layer has no ${name}`);
  return found;
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
