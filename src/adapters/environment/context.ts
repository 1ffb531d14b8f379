import { constants, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { runInEnvironment, type Ended } from './environment.ts';
import type { Job } from './jobs.ts';
import type { Limits } from './limits.ts';

const DOCKERFILE_BYTES_MAX = 1024 ** 2;

/** Unpacks a build context where no name in it, however made, can lead anywhere else; with `touch`, every time is that of unpacking. */
export async function unpackContext(
  folder: string,
  tar: Readable,
  { touch, ...run }: { touch: boolean; job: Job; limits: Limits; onOutput: (chunk: Buffer) => void; signal?: AbortSignal },
): Promise<Ended> {
  const to = '/job/context';
  const options = ['--no-same-owner', '--preserve-permissions', '--warning=no-timestamp', ...(touch ? ['--touch'] : [])];
  return runInEnvironment({
    ...run,
    command: ['tar', '--extract', '--file=-', `--directory=${to}`, ...options],
    mounts: [{ access: 'write', from: folder, to }],
    stdin: await plainTar(tar),
  });
}

/** The context as a plain tar; gzip is told by its first bytes (RFC 1952). */
async function plainTar(tar: Readable): Promise<Readable> {
  const chunks = tar.iterator() as AsyncIterableIterator<Buffer>;
  const first = await chunks.next();
  const all = Readable.from(
    (async function* () {
      if (first.done !== true) yield first.value;
      yield* chunks;
    })(),
    { objectMode: false },
  );
  if (first.done === true || first.value[0] !== 0x1f || first.value[1] !== 0x8b) return all;
  const plain = createGunzip();
  pipeline(all, plain).catch((error: unknown) => plain.destroy(error as Error));
  return plain;
}

/** A file of a folder that was filled inside of the environment; no link on the way is followed out of it. */
export async function readInside(folder: string, path: string): Promise<string | undefined> {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.includes('..')) return undefined;
  let handle;
  try {
    handle = await open(join(folder, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    // Through the descriptor: a folder of the path may be a link as well.
    const real = await realpath(`/proc/self/fd/${handle.fd}`);
    const stat = await handle.stat();
    if (!real.startsWith(`${await realpath(folder)}/`) || !stat.isFile() || stat.size > DOCKERFILE_BYTES_MAX) return undefined;
    return await handle.readFile('utf8');
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
