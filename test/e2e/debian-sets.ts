/** Honest images of Debian packages, as their publishers would build them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BaseKind, makeBase } from '../../scripts/demo/base.ts';
import type { Publisher } from '../../scripts/demo/publisher.ts';
import { pullBlob, pullParts, pushBase, pushParts, type ImageParts } from '../../scripts/demo/registry-image.ts';
import { digestOf, hexOf } from '../../src/model/digest.ts';
import { pushBlob } from '../support/push.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The system that the others are built on. `slim` is what Debian's official slim image is. */
const BASES = {
  plain: { name: 'base', args: [] },
  slim: { name: 'slim', args: ['--skip=chroot/policy-rc.d', `--customize-hook=sh ${join(import.meta.dirname, 'slim.sh')} "$1"`] },
} as const satisfies Record<string, BaseKind>;

export type DebianSet = { name: string; base: keyof typeof BASES; steps: readonly string[] };

const install = (...packages: string[]): string => `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
const CLEAN = 'rm -rf /var/lib/apt/lists/*';

/** The set that the table of tamperings begins with has a little of everything. */
export const TABLE = 'nginx';

export const DEBIAN_SETS: readonly DebianSet[] = [
  { name: 'minimal', base: 'plain', steps: [] },
  { name: 'slim', base: 'slim', steps: [`apt-get update && ${install('curl', 'ca-certificates')} && ${CLEAN}`] },
  {
    name: 'nginx',
    base: 'plain',
    steps: [
      `apt-get update && ${install('nginx', 'ca-certificates', 'python3')} && ${CLEAN}`,
      // At another moment, in another order.
      `apt-get update && ${install('cron', 'sudo', 'shared-mime-info')} && ${CLEAN} && apt-get clean`,
    ],
  },
  { name: 'postgres', base: 'slim', steps: [`apt-get update && apt-get install -y postgresql && ${CLEAN}`] },
  // The lists, the caches and the packages themselves stay.
  { name: 'python3', base: 'plain', steps: [`apt-get update && ${install('python3-pip', 'python3-venv')}`, install('openssl')] },
  {
    name: 'openjdk',
    base: 'slim',
    // Slim images lack the folder, and update-alternatives of Debian 12 fails without it.
    steps: [`mkdir -p /usr/share/man/man1 && apt-get update && ${install('default-jre-headless', 'fontconfig')} && ${CLEAN}`],
  },
  {
    name: 'apache-php',
    base: 'plain',
    steps: [`apt-get update && apt-get install -y apache2 libapache2-mod-php php-mysql openssh-server && ${CLEAN}`],
  },
];

type Options = { registry: string; cache: string; scratch: string; publisher: Publisher; onLine: (line: string) => void };

/** Pushes a set as `HOST/debian/NAME:honest`; built on its base, unless the same was built within the day. */
export async function publishSet(set: DebianSet, options: Options): Promise<string> {
  const { registry, cache, scratch, publisher, onLine } = options;
  const base = await makeBase(cache, onLine, undefined, BASES[set.base]);
  const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
  await pushBase(registry, 'debian/base', set.base, base, { ...platform, config: { Env: [PATH], Cmd: ['bash'] } });
  const repository = `debian/${set.name}`;
  const reference = `${registry}/${repository}:honest`;
  const kept = join(cache, `set-${set.name}-${hexOf(digestOf(JSON.stringify([base.digest, set.steps]))).slice(0, 16)}`);
  if (existsSync(join(kept, 'image.json'))) {
    const parts = JSON.parse(readFileSync(join(kept, 'image.json'), 'utf8')) as ImageParts;
    for (const { digest } of parts.manifest.layers) await pushBlob(registry, repository, readFileSync(join(kept, hexOf(digest))));
    await pushParts(registry, repository, 'honest', parts);
    return reference;
  }
  const context = join(scratch, set.name);
  mkdirSync(context, { recursive: true });
  const lines = [`FROM ${registry}/debian/base:${set.base}`, ...set.steps.map((step) => `RUN ${step}`), 'CMD ["bash"]', ''];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  await publisher.publish(context, reference);
  const parts = await pullParts(registry, repository, 'honest');
  // What was built on older bases is of no use any more.
  for (const old of readdirSync(cache)) if (old.startsWith(`set-${set.name}-`)) rmSync(join(cache, old), { recursive: true, force: true });
  mkdirSync(kept);
  for (const { digest } of parts.manifest.layers) writeFileSync(join(kept, hexOf(digest)), await pullBlob(registry, repository, digest));
  writeFileSync(join(kept, 'image.json'), JSON.stringify(parts));
  return reference;
}
