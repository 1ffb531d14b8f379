import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { debianSources } from '../../src/adapters/debian/sources.ts';

/** A folder with programs of Debian's unstable suite and the libraries they need, and how to start one on an older Debian. */
export type SidPrograms = { command(program: string, ...options: string[]): [file: string, options: string[]] };

const CACHE = resolve(import.meta.dirname, '../../node_modules/.cache/conforme-sid');
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.pgp', '/usr/share/keyrings/debian-archive-keyring.gpg'];
const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * Has these packages of unstable unpacked in a folder, once for a checkout: apt fetches them from the machine's own mirror with
 * a configuration of its own and checks Debian's signatures; nothing of the machine is changed. Fails where they are not to be had.
 */
export async function sidPrograms(name: string, packages: readonly string[]): Promise<SidPrograms> {
  const root = join(CACHE, name);
  if (!existsSync(root)) await fetchInto(root, packages);
  const libraries = join(root, 'usr/lib', TRIPLETS[process.arch] ?? process.arch);
  const loader = (await readdir(libraries)).find((file) => /^ld-linux-.*\.so\.\d$/.test(file));
  if (loader === undefined) throw new Error(`no loader in ${libraries}`);
  return {
    command: (program, ...options) => [join(libraries, loader), ['--library-path', libraries, join(root, 'usr/bin', program), ...options]],
  };
}

async function fetchInto(root: string, packages: readonly string[]): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    const [mirror] = (await debianSources(undefined)).archive;
    const keyring = KEYRINGS.find((file) => existsSync(file));
    if (mirror === undefined || keyring === undefined) throw new Error("neither a mirror of Debian's archive nor its keys are here");
    for (const part of ['lists/partial', 'state', 'cache/archives/partial', 'debs', 'root'])
      await mkdir(join(folder, part), { recursive: true });
    await writeFile(join(folder, 'status'), '');
    await writeFile(join(folder, 'sources.list'), `deb [target=Packages signed-by=${keyring}] ${mirror} sid main\n`);
    const settings: Record<string, string> = {
      'Dir::State': join(folder, 'state'),
      'Dir::State::Lists': join(folder, 'lists'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': join(folder, 'cache'),
      'Dir::Etc::SourceList': join(folder, 'sources.list'),
      'Dir::Etc::SourceParts': '/dev/null',
      'APT::Sandbox::User': '', // the folder is nobody else's to read
      'Acquire::Languages': 'none',
    };
    const configuration = join(folder, 'apt.conf');
    await writeFile(configuration, Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`).join('')); // prettier-ignore
    const env = { ...process.env, APT_CONFIG: configuration };
    await run('apt-get', ['update', '-q', '-o', 'APT::Update::Error-Mode=any'], folder, env);
    await run('apt-get', ['download', '-q', ...packages], join(folder, 'debs'), env);
    for (const deb of await readdir(join(folder, 'debs')))
      await run('dpkg-deb', ['--extract', join(folder, 'debs', deb), join(folder, 'root')], folder);
    await rename(join(folder, 'root'), root).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another run was first
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(file: string, options: string[], cwd: string, env = process.env): Promise<void> {
  const child = spawn(file, options, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${file} ${options[0]} failed:\n${said.slice(-4000)}`);
}
