/** Real packages out of the archive that this machine's apt uses, by a configuration of apt that touches nothing of the machine's. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianEntries } from '../../src/adapters/debian/sources.ts';

const run = promisify(execFile);

/** The .debs of these packages (or apt patterns) with all that they depend on, of the machine's own release, in `folder`. */
export async function downloadDebs(
  folder: string,
  packages: readonly string[],
  { architecture = 'amd64', foreign = [] }: { architecture?: string; foreign?: string[] } = {},
): Promise<string[]> {
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(folder, 'archives/partial'), { recursive: true });
  await writeFile(join(folder, 'sources.list'), (await sourcesLines()).join(''));
  const options = [
    `Dir::Etc::SourceList=${folder}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${folder}/lists`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${folder}/archives`,
    'Dir::State::status=/dev/null',
    `APT::Architecture=${architecture}`,
    ...[architecture, ...foreign].map((one) => `APT::Architectures::=${one}`),
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
  ];
  const apt = (...args: string[]) => run('apt-get', ['-qq', ...options.flatMap((one) => ['-o', one]), ...args], { maxBuffer: 2 ** 26 });
  await apt('update');
  await apt('-y', '--no-install-recommends', '--download-only', 'install', ...packages);
  const names = (await readdir(join(folder, 'archives'))).filter((name) => name.endsWith('.deb')).sort();
  return names.map((name) => join(folder, 'archives', name));
}

/** The machine's own sources of its own release; a third party's may be out of reach. */
export async function sourcesLines(): Promise<string[]> {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const files = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];
  return (await Promise.all(files.map(async (path) => debianEntries(path, await read(path)))))
    .flat()
    .filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`))
    .map(({ address, suite }) => `deb ${address} ${suite} main\n`);
}
