import { access, link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { type Digest, hexOf, isDigest } from '../../model/digest.ts';
import type { Blobs } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { blobsProblem } from './failure.ts';
import { spool } from './spool.ts';
import { collect, linkKey, verified } from './verify.ts';

const READ_MAX = 2 ** 28;
/** Large reads: a blob is read from its beginning to its end. */
const READ_PIECE = 1 << 18;

/**
 * Blobs in a folder: `sha256/ab/abcd…` and, for names, `names/…` with a digest inside. A file appears under its name only
 * when it is whole, by rename or link, so that any number of processes may share the folder.
 */
export function makeFileBlobs(folder: string): Blobs {
  const pathOf = (digest: Digest) => join(folder, 'sha256', hexOf(digest).slice(0, 2), hexOf(digest));
  const nameOf = (name: string) => join(folder, 'names', linkKey(name).slice(0, 2), linkKey(name));
  const temporary = join(folder, 'tmp');

  async function has(digest: Digest): Promise<boolean> {
    try {
      await access(pathOf(digest));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw blobsProblem(error, 'looking for a blob');
    }
  }

  async function openBlob(digest: Digest): Promise<Readable> {
    try {
      const handle = await open(pathOf(digest), 'r');
      const stream = handle.createReadStream({ highWaterMark: READ_PIECE });
      return Readable.from(verified(stream, digest), { objectMode: false });
    } catch (error) {
      if (isMissing(error)) throw new Problem('blob-missing', `there is no blob ${digest}`);
      throw blobsProblem(error, 'opening a blob');
    }
  }

  return {
    async put(bytes, options = {}) {
      const spooled = await spool(temporary, bytes, options);
      const { file, digest, size } = spooled;
      try {
        if (await has(digest)) await spooled.remove();
        else {
          await mkdir(dirname(pathOf(digest)), { recursive: true });
          await rename(file, pathOf(digest));
        }
        return { digest, size };
      } catch (error) {
        await spooled.remove();
        throw blobsProblem(error, 'keeping a blob');
      }
    },
    open: openBlob,
    read: async (digest, max = READ_MAX) => collect(await openBlob(digest), max),
    has,
    async resolve(name) {
      try {
        const text = await readFile(nameOf(name), 'utf8');
        const digest = text.split('\n')[0] ?? '';
        return isDigest(digest) && (await has(digest)) ? digest : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw blobsProblem(error, 'resolving a name');
      }
    },
    async link(name, digest) {
      const file = join(temporary, randomUUID());
      try {
        await mkdir(temporary, { recursive: true, mode: 0o700 });
        await mkdir(dirname(nameOf(name)), { recursive: true });
        const handle = await open(file, 'wx', 0o600);
        await handle.writeFile(`${digest}\n${name}\n`);
        await handle.sync();
        await handle.close();
        await link(file, nameOf(name));
      } catch (error) {
        // Somebody was first; that link stays, unless its blob is gone.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw blobsProblem(error, 'linking a name');
        if ((await this.resolve(name)) === undefined) await rename(file, nameOf(name));
      } finally {
        await rm(file, { force: true }).catch(() => undefined);
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
