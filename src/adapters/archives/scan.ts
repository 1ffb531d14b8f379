import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readAr } from '../../model/ar.ts';
import { makeTarReader } from '../../model/tar.ts';
import type { ScanArchive } from '../../ports.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits, makeMembers, type Members } from './members.ts';
import { compressionOf, unpack } from './unpack.ts';
import { readZip } from './zip.ts';

const HEAD_BYTES = 512;
/** The part of a .deb or of a gem that holds its files. */
const INNER = /^data\.tar(?:\.(?:gz|xz|zst|bz2))?$/;
/** Bytes; a gem is read at once. */
const INNER_BYTES_MAX = 128 * 1024 ** 2;

export { LOOKED_AT_LIMITS } from './members.ts';

export function makeScanArchive(limits: ArchiveLimits = ARCHIVE_LIMITS): ScanArchive {
  return async (file) => {
    const { size } = await stat(file);
    const members = makeMembers(size, limits);
    try {
      if ((await headOf(file)).subarray(0, 4).equals(ZIP)) await readZip(file, members);
      else await readStream(basename(file), createReadStream(file, { highWaterMark: 256 * 1024 }), members);
    } catch {
      members.leave(); // hostile or damaged: what was read before stands, and its digests are what they are
    }
    return { members: members.list, whole: members.whole() };
  };
}

const ZIP = Buffer.from('PK\x03\x04', 'latin1');

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A tar, an ar, or either or a single file compressed. `inner`: within another archive, whose parts are not descended into further. */
async function readStream(name: string, bytes: AsyncIterable<Uint8Array>, members: Members, inner = false): Promise<void> {
  const { head, all } = await withHead(bytes);
  const compression = compressionOf(head);
  if (compression !== undefined) {
    const unpacked = await withHead(spending(unpack(compression, all), members));
    if (isTar(unpacked.head)) return readTar(unpacked.all, members, inner);
    const member = members.begin(name);
    for await (const piece of unpacked.all) member.data(piece);
    return member.end();
  }
  if (isTar(head)) return readTar(spending(all, members), members, inner);
  if (inner || head.toString('latin1', 0, 8) !== '!<arch>\n') return;
  for await (const part of readAr(all)) if (INNER.test(part.name)) await readStream(part.name, part.bytes, members, true);
}

async function readTar(bytes: AsyncIterable<Uint8Array>, members: Members, inner: boolean): Promise<void> {
  let current: ReturnType<Members['begin']> | undefined;
  let parts: Buffer[] | undefined;
  const held: Buffer[] = [];
  const reader = makeTarReader({
    anomaly: () => undefined,
    member({ path, kind, size }) {
      current = kind === 'file' ? members.begin(path) : undefined;
      parts = !inner && kind === 'file' && INNER.test(path.slice(1)) && size <= INNER_BYTES_MAX && held.length === 0 ? [] : undefined;
    },
    data(piece) {
      current?.data(piece);
      parts?.push(Buffer.from(piece));
    },
    close() {
      current?.end();
      if (parts !== undefined) held.push(Buffer.concat(parts));
      [current, parts] = [undefined, undefined];
    },
  });
  for await (const piece of bytes) reader.write(piece);
  reader.end();
  for (const part of held) await readStream('data', (async function* () { yield part; })(), members, true); // prettier-ignore
}

/** POSIX.1-2024 pax, "ustar Interchange Format"; GNU's magic begins alike. */
function isTar(head: Buffer): boolean {
  return head.toString('latin1', 257, 262) === 'ustar';
}

async function* spending(bytes: AsyncIterable<Uint8Array>, members: Members): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    members.spend(piece.length);
    yield piece;
  }
}

/** The first bytes, and everything with them. */
async function withHead(bytes: AsyncIterable<Uint8Array>): Promise<{ head: Buffer; all: AsyncGenerator<Uint8Array> }> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  let done = false;
  while (length < HEAD_BYTES && !done) {
    const next = await iterator.next();
    if (next.done === true) done = true;
    else {
      first.push(Buffer.from(next.value));
      length += next.value.length;
    }
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      if (!done) yield* { [Symbol.asyncIterator]: () => iterator };
    } finally {
      await iterator.return?.();
    }
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTES), all: all() };
}
