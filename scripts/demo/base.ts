import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { debianEntries } from '../../src/adapters/debian/sources.ts';
import { type Digest, digestFromHex } from '../../src/model/digest.ts';
import { run } from './run.ts';

/** A minimal Debian as one gzipped layer. */
export type BaseLayer = { path: string; digest: Digest; size: number; diffId: Digest; codename: string };

/** A day later the archive may hold newer packages than the ones in here. */
const FRESH_MILLISECONDS = 24 * 3600 * 1000;

/** A base of another kind: its files in the folder are called so, and mmdebstrap gets these arguments as well. */
export type BaseKind = { name: string; args: readonly string[] };

/** Made by mmdebstrap from the machine's own apt sources, of the machine's own release; kept in `folder` for a day. */
export async function makeBase(
  folder: string,
  onLine: (line: string) => void,
  signal?: AbortSignal,
  kind: BaseKind = { name: 'base', args: [] },
): Promise<BaseLayer> {
  const description = join(folder, `${kind.name}.json`);
  const path = join(folder, `${kind.name}.tar.gz`);
  try {
    if (Date.now() - (await stat(description)).mtimeMs < FRESH_MILLISECONDS) {
      return { ...(JSON.parse(await readFile(description, 'utf8')) as BaseLayer), path };
    }
  } catch {
    // none yet
  }
  await mkdir(folder, { recursive: true });
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const tar = join(folder, `${kind.name}.${process.pid}.tar`);
  // A fixed time, so that two bases of the same packages are one.
  const epoch = String(Math.floor(Date.now() / FRESH_MILLISECONDS) * (FRESH_MILLISECONDS / 1000));
  try {
    // Nothing of this machine's own name and name servers.
    const clean = '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"';
    const args = ['--variant=minbase', clean, ...kind.args, codename, tar, ...(await sourcesList(codename))];
    await run('mmdebstrap', args, { env: { SOURCE_DATE_EPOCH: epoch }, onLine, ...(signal === undefined ? {} : { signal }) });
    onLine('compressing the base');
    const plain = createHash('sha256');
    const packed = createHash('sha256');
    let size = 0;
    await pipeline(
      createReadStream(tar),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          plain.update(chunk);
          yield chunk;
        }
      },
      createGzip({ level: 1 }),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          packed.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(`${tar}.gz`),
    );
    await rename(`${tar}.gz`, path);
    const base = { digest: digestFromHex(packed.digest('hex')), size, diffId: digestFromHex(plain.digest('hex')), codename };
    await writeFile(description, JSON.stringify(base));
    return { ...base, path };
  } finally {
    for (const left of [tar, `${tar}.gz`]) await rm(left, { force: true });
  }
}

/** The lines of the machine's sources that are of its own release and Debian's main. */
async function sourcesList(codename: string): Promise<string[]> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const found = [
    ...debianEntries('sources.list', await read('/etc/apt/sources.list')),
    ...debianEntries('debian.sources', await read('/etc/apt/sources.list.d/debian.sources')),
  ].filter(({ suite }) => suite === codename || suite.startsWith(`${codename}-`));
  if (found.length === 0) throw new Error(`the apt sources of this machine name no archive of ${codename}`);
  return found.map(({ address, suite }) => `deb ${address} ${suite} main`);
}
