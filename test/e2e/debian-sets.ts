/** Honest images of Debian packages, as their publishers would build them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BaseKind, makeBase } from '../../scripts/demo/base.ts';
import type { Publisher } from '../../scripts/demo/publisher.ts';
import { pushBase } from '../../scripts/demo/registry-image.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The system that the others are built on. `slim` is what Debian's official slim image is. */
const BASES = {
  plain: { name: 'base', args: [] },
  slim: { name: 'slim', args: ['--skip=chroot/policy-rc.d', `--customize-hook=sh ${join(import.meta.dirname, 'slim.sh')} "$1"`] },
} as const satisfies Record<string, BaseKind>;

export type DebianSet = { name: string; base: keyof typeof BASES; steps: readonly string[] };

const install = (...packages: string[]): string => `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
const CLEAN = 'rm -rf /var/lib/apt/lists/*';

export const DEBIAN_SETS: readonly DebianSet[] = [
  { name: 'minimal', base: 'plain', steps: [] },
  { name: 'slim', base: 'slim', steps: [`apt-get update && ${install('curl', 'ca-certificates')} && ${CLEAN}`] },
  // The lists and the caches stay, and a second step comes at another moment.
  { name: 'nginx', base: 'plain', steps: [`apt-get update && ${install('nginx')}`, install('openssl', 'cron')] },
  { name: 'postgres', base: 'slim', steps: [`apt-get update && apt-get install -y postgresql && ${CLEAN}`] },
  { name: 'python3', base: 'plain', steps: [`apt-get update && apt-get install -y python3-pip python3-venv && ${CLEAN} && apt-get clean`] },
  {
    name: 'openjdk',
    base: 'slim',
    steps: [`mkdir -p /usr/share/man/man1 && apt-get update && ${install('openjdk-17-jre-headless', 'fontconfig')} && ${CLEAN}`],
  },
  {
    name: 'apache-php',
    base: 'plain',
    steps: [`apt-get update && apt-get install -y apache2 libapache2-mod-php php-mysql openssh-server && ${CLEAN}`],
  },
  // What the table of tamperings begins with: a little of everything.
  {
    name: 'table',
    base: 'plain',
    steps: [
      `apt-get update && ${install('nginx', 'cron', 'sudo', 'ca-certificates', 'python3', 'shared-mime-info')} && ${CLEAN} && apt-get clean`,
    ],
  },
];

/** Builds a set on its base and pushes it as `HOST/debian/NAME:honest`. */
export async function publishSet(
  set: DebianSet,
  options: { registry: string; cache: string; scratch: string; publisher: Publisher; onLine: (line: string) => void },
): Promise<string> {
  const { registry, cache, scratch, publisher, onLine } = options;
  const base = await makeBase(cache, onLine, undefined, BASES[set.base]);
  const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
  await pushBase(registry, 'debian/base', set.base, base, { ...platform, config: { Env: [PATH], Cmd: ['bash'] } });
  const reference = `${registry}/debian/${set.name}:honest`;
  const context = join(scratch, set.name);
  mkdirSync(context, { recursive: true });
  const lines = [`FROM ${registry}/debian/base:${set.base}`, ...set.steps.map((step) => `RUN ${step}`), 'CMD ["bash"]', ''];
  writeFileSync(join(context, 'Dockerfile'), lines.join('\n'));
  await publisher.publish(context, reference);
  return reference;
}
