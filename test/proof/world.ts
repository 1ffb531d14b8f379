/** What the proof's images are published from and judged by: one base, one registry, and a repository of packages that moves on in between. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeBase } from '../../scripts/demo/base.ts';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { makePublisher, type Publisher } from '../../scripts/demo/publisher.ts';
import { pushBase } from '../../scripts/demo/registry-image.ts';
import { needsBuildkit, publishWithBuildkit } from '../support/buildkit.ts';
import { LocalArchive, makeDeb, makeKey } from '../support/debian-archive.ts';
import { startRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { SnapshotArchive } from '../support/snapshot-archive.ts';
import { CACHE, startAsUser, type Started } from '../e2e/world.ts';
import type { ProofRow } from './table.ts';

const DAY = 24 * 3600_000;
const stamp = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');

/** How an image was published, and what a rebuild of it has to come to. */
export type Way = {
  tag: 'kit-epoch' | 'kit' | 'buildah-epoch' | 'buildah';
  builder: 'buildkit' | 'buildah';
  dockerfile: 'Dockerfile' | 'epoch.Dockerfile';
};
const WAYS: Record<Way['tag'], Way> = {
  'kit-epoch': { tag: 'kit-epoch', builder: 'buildkit', dockerfile: 'epoch.Dockerfile' },
  kit: { tag: 'kit', builder: 'buildkit', dockerfile: 'Dockerfile' },
  'buildah-epoch': { tag: 'buildah-epoch', builder: 'buildah', dockerfile: 'epoch.Dockerfile' },
  buildah: { tag: 'buildah', builder: 'buildah', dockerfile: 'Dockerfile' },
};

/** Both builders, one of them with an epoch, in turns. */
export function waysOf(row: ProofRow, index: number): Way[] {
  const kit: Way[] = needsBuildkit.skip === undefined ? [index % 2 === 0 ? WAYS['kit-epoch'] : WAYS.kit] : [];
  if (row.onlyBuildkit === true) return kit;
  return [...kit, index % 2 === 0 ? WAYS.buildah : WAYS['buildah-epoch']];
}

const INSTALL = /^INSTALL ?(.*)$/;
/** What differs in any two installations, and what people remove who want the same image twice. */
const CLEAN =
  ' && rm -rf /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/*.log /var/log/apt';

export type ProofWorld = {
  registry: string;
  service: Started;
  /** Builds a row's image in one way and pushes it, with the packages of twenty days ago. */
  publish(row: ProofRow, way: Way): Promise<{ reference: string; source: { git: string; ref: string } }>;
  stop(): Promise<void>;
};

export async function makeProofWorld(folder: string): Promise<ProofWorld> {
  const begun = Date.now();
  // Not the usual address of loopback, which no proxy is asked for.
  const [registry, mirror, snapshot, base] = await Promise.all([
    startRegistry(),
    LocalArchive.start('127.0.0.2'),
    SnapshotArchive.start(),
    makeBase(CACHE, () => undefined),
  ]);
  const git = await startGitServer(join(folder, 'repositories'));
  const publisher: Publisher = await makePublisher(folder, () => undefined);
  const key = await makeKey('proof', { date: new Date('2019-01-01T00:00:00Z') });
  const suite = 'proof';
  const greeter = (version: string) =>
    makeDeb({ name: 'greeter', version, files: { 'usr/bin/greeter': { text: `#!/bin/sh\necho ${version}\n`, mode: 0o755 } } });
  const first = { suite, date: new Date(begun - 20 * DAY), keys: [key], debs: [await greeter('1.0-1')] };
  const debOfToday = await greeter('1.1-1');

  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const config = { os: 'linux', architecture, config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] } };
  await pushBase(registry.host, 'proof/debian', 'stable', base, config);
  mkdirSync(join(folder, 'base'));
  const dated = new TestRepository(join(folder, 'base'));
  dated.commit('The base', {
    Dockerfile: `FROM ${registry.host}/proof/debian:stable\nCOPY proof.gpg /etc/apt/trusted.gpg.d/\nCOPY proof.list /etc/apt/sources.list.d/\n`,
    'proof.gpg': Buffer.from(key.keyring),
    'proof.list': `deb ${mirror.address} ${suite} main\n`,
  });
  await publisher.publish(dated.folder, `${registry.host}/proof/base:1`);
  const service = await startAsUser(join(folder, 'service'), registry.host, { CONFORME_SNAPSHOT_URL: snapshot.url });

  const repositories = new Map<string, { folder: string; commit: string }>();
  const repositoryOf = (row: ProofRow): { folder: string; commit: string } => {
    const known = repositories.get(row.name);
    if (known !== undefined) return known;
    const lines = (clean: string): string =>
      row.lines
        .map((line) => line.replace(/^FROM BASE/, `FROM ${registry.host}/proof/base:1`))
        .map((line) =>
          line.replace(
            INSTALL,
            `RUN apt-get update && apt-get install -y --no-install-recommends greeter $1 && rm -rf /var/lib/apt/lists/*${clean}`,
          ),
        ) // prettier-ignore
        .join('\n');
    const repository = new TestRepository(join(folder, 'repositories', row.name));
    const commit = repository.commit(row.name, { ...row.files, Dockerfile: `${lines('')}\n`, 'epoch.Dockerfile': `${lines(CLEAN)}\n` });
    const made = { folder: repository.folder, commit };
    repositories.set(row.name, made);
    return made;
  };
  /** The mirror as it is while somebody publishes: what it has is twenty days old. */
  const goBack = async (): Promise<void> => {
    mirror.files.clear();
    snapshot.reset();
    await mirror.publish(first);
    await snapshot.publish(stamp(begun - 19 * DAY), first);
  };
  /** The packages move on, and the mirror keeps nothing of what was. */
  const moveOn = async (): Promise<void> => {
    const date = new Date(Date.now() + 1000);
    const second = { suite, date, keys: [key], debs: [debOfToday] };
    mirror.files.clear();
    await mirror.publish(second);
    await snapshot.publish(stamp(date.getTime() + 1000), second);
  };

  return {
    registry: registry.host,
    service,
    async publish(row, way) {
      const { folder: context, commit } = repositoryOf(row);
      const source = { git: `${git.address}/${row.name}/.git`, ref: commit };
      const reference = `${registry.host}/proof/${row.name}:${way.tag}`;
      // Between the state of then and the one of today; the clock of no step shows it.
      const epoch = String(Math.floor((begun - 10 * DAY) / 1000));
      const isDated = way.dockerfile === 'epoch.Dockerfile';
      await goBack();
      try {
        if (way.builder === 'buildkit') {
          await publishWithBuildkit({
            context,
            reference,
            opts: { filename: way.dockerfile, ...(isDated ? { 'build-arg:SOURCE_DATE_EPOCH': epoch } : {}) },
            output: isDated ? { 'rewrite-timestamp': 'true' } : {},
          });
        } else {
          await publisher.publish(context, reference, {
            args: ['--layers', `--file=${way.dockerfile}`, ...(isDated ? [`--timestamp=${epoch}`] : [])],
          });
        }
      } finally {
        await moveOn();
      }
      return { reference, source };
    },
    async stop() {
      await service.stop();
      await publisher.close();
      await git.stop();
      await Promise.all([registry.stop(), mirror.stop(), snapshot.stop()]);
    },
  };
}
