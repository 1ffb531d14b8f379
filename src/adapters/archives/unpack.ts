import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGICS: Record<Compression, Buffer> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  bzip2: Buffer.from('BZh'),
};

/** By its first bytes. */
export function compressionOf(head: Buffer): Compression | undefined {
  const known = Object.entries(MAGICS) as [Compression, Buffer][];
  return known.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0];
}

/** Bytes; what `xz -9` needs, and no dictionary beyond. */
const PROGRAMS = {
  xz: ['xz', '--decompress', '--stdout', '--memlimit-decompress=128MiB'],
  bzip2: ['bzip2', '--decompress', '--stdout'],
} as const;

/** What the bytes are unpacked. Fails for what is damaged; the reader may stop at any point. */
export async function* unpack(compression: Compression, packed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  if (compression === 'gzip' || compression === 'zstd') {
    const unpacker = compression === 'gzip' ? createGunzip() : createZstdDecompress();
    const fed = pipeline(Readable.from(packed), unpacker);
    fed.catch(() => undefined); // told by the reading
    try {
      yield* unpacker as AsyncIterable<Buffer>;
      await fed;
    } finally {
      unpacker.destroy();
    }
    return;
  }
  const [command, ...args] = PROGRAMS[compression];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: process.env.PATH ?? '' } });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  ended.catch(() => undefined);
  pipeline(Readable.from(packed), child.stdin).catch(() => undefined); // a program that ends early closes its input
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
    if ((await ended) !== 0) throw new Error(`${command} could not unpack it`);
  } finally {
    child.kill('SIGKILL');
  }
}
