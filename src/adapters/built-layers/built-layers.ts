import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digest, hexOf, isDigest } from '../../model/digest.ts';
import type { BuiltLayers } from '../../ports-explain.ts';

/** Bytes on disk of all layers together; the ones that nobody asked for longest go first. */
const ALL_BYTES_MAX = 1024 ** 3;
/** Bytes of one of them: more than what a step of most Dockerfiles installs. */
const LAYER_BYTES_MAX = 256 * 1024 ** 2;

/** Layers as files of a folder, under the hex digits of their digests. Several processes may use it at once. */
export function makeBuiltLayers(folder: string, limits = { all: ALL_BYTES_MAX, layer: LAYER_BYTES_MAX }): BuiltLayers {
  const fileOf = (digest: Digest): string => {
    if (!isDigest(digest)) throw new TypeError('no digest');
    return join(folder, hexOf(digest));
  };
  return {
    async keep({ digest, size }, openLayer) {
      const file = fileOf(digest);
      if (size > limits.layer || (await stat(file).catch(() => undefined)) !== undefined) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await makeRoom(folder, limits.all - size);
      const unfinished = `${file}.${randomUUID()}`;
      try {
        await pipeline(await openLayer(), createWriteStream(unfinished, { mode: 0o600 }));
        await rename(unfinished, file);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
    async open(digest) {
      const file = fileOf(digest);
      const handle = await open(file).catch(() => undefined);
      if (handle === undefined) return undefined;
      const now = new Date();
      await utimes(file, now, now).catch(() => undefined); // it may have gone meanwhile; what is open stays
      return createReadStream(file, { fd: handle });
    },
  };
}

async function makeRoom(folder: string, room: number): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const facts = await stat(join(folder, name)).catch(() => undefined);
      return { name, size: facts?.size ?? 0, used: facts?.mtimeMs ?? 0 };
    }),
  );
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files.sort((a, b) => a.used - b.used)) {
    // What a process that was killed left unfinished has another name, and goes with its turn as well.
    if (bytes <= room) return;
    await rm(join(folder, name), { force: true });
    bytes -= size;
  }
}
