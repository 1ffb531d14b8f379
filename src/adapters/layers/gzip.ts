import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { type Engine, run } from './engine.ts';
import type { ByteSource } from './source.ts';

/** A compressed stream that breaks its format; whoever unpacks it fails as well. */
export class CompressionFault extends Error {}

const ID = 0x8b1f;
const DEFLATE = 8;
const FLAG = { crc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 };
/** Bytes of a name or comment; Go's compress/gzip has the same limit. */
const TEXT_MAX = 512;
const OUTPUT_PIECE = 1 << 20;
/** Some layers have a member for each file (eStargz): such members are not worth a trip to the thread pool. */
const SMALL_INPUT = 1 << 15;
const SMALL_OUTPUT = 1 << 18;
const SMALL_OPTIONS = { maxOutputLength: SMALL_OUTPUT, info: true };

/**
 * A gzip stream, RFC 1952: any number of members, each with its CRC and length checked. What stands behind the last member is
 * left in the source. The format is read here and only deflate by zlib, because node:zlib's own reader drops or refuses what
 * follows a member depending on where its pieces happen to end.
 */
export async function* gunzip(source: ByteSource): AsyncGenerator<Buffer> {
  let small = false;
  for (let member = 0; ; member++) {
    const magic = await source.take(2);
    if (magic.length < 2 || magic.readUInt16LE(0) !== ID) {
      source.putBack(magic);
      if (member === 0) throw new CompressionFault('no gzip header');
      return;
    }
    await readHeader(source);
    let crc = 0;
    let length = 0;
    const made = (small ? await inflateSmall(source) : undefined) ?? run(inflater(member), source);
    for await (const piece of made) {
      crc = crc32(piece, crc);
      length += piece.length;
      yield piece;
    }
    const trailer = await source.take(8);
    if (trailer.length < 8) throw new CompressionFault('a gzip member that is cut off');
    if (trailer.readUInt32LE(0) !== crc) throw new CompressionFault('a gzip member whose CRC does not hold');
    if (trailer.readUInt32LE(4) !== length % 2 ** 32) throw new CompressionFault('a gzip member whose length does not hold');
    small = length <= SMALL_OUTPUT;
  }
}

function inflater(member: number): Engine {
  const chunkSize = member === 0 ? OUTPUT_PIECE : SMALL_OUTPUT;
  // Two pieces ahead keep the thread busy while the last one is hashed.
  return createInflateRaw({ chunkSize, readableHighWaterMark: 2 * OUTPUT_PIECE } as object);
}

/** A member that lies in the next piece as a whole, at once; undefined where it does not. */
async function inflateSmall(source: ByteSource): Promise<Buffer[] | undefined> {
  const piece = await source.next();
  if (piece === undefined) return undefined;
  try {
    // With `info`, what comes back is no Buffer; the types don't know.
    const made: unknown = inflateRawSync(piece.subarray(0, SMALL_INPUT), SMALL_OPTIONS);
    const { buffer, engine } = made as { buffer: Buffer; engine: Engine };
    source.putBack(piece.subarray(engine.bytesWritten));
    return [buffer];
  } catch {
    source.putBack(piece);
    return undefined;
  }
}

async function readHeader(source: ByteSource): Promise<void> {
  const fixed = await source.take(8);
  const [method, flags = 0] = fixed;
  if (fixed.length < 8 || method !== DEFLATE) throw new CompressionFault('a gzip header that does not parse');
  if ((flags & FLAG.reserved) !== 0) throw new CompressionFault('a gzip header with reserved flags');
  if ((flags & FLAG.extra) !== 0) {
    const length = await source.take(2);
    if (length.length < 2) throw new CompressionFault('a gzip header that is cut off');
    await source.take(length.readUInt16LE(0));
  }
  for (const flag of [FLAG.name, FLAG.comment]) if ((flags & flag) !== 0) await skipText(source);
  if ((flags & FLAG.crc) !== 0) await source.take(2);
}

async function skipText(source: ByteSource): Promise<void> {
  const text = await source.take(TEXT_MAX);
  const end = text.indexOf(0);
  if (end < 0) throw new CompressionFault('a gzip header with a text that does not end');
  source.putBack(text.subarray(end + 1));
}
