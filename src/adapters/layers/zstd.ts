import { constants, createZstdDecompress } from 'node:zlib';
import { type Engine, run } from './engine.ts';
import { CompressionFault } from './gzip.ts';
import type { ByteSource } from './source.ts';

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5; // and any four bits
const OUTPUT_PIECE = 1 << 20;
/** Base-2 logarithm of the largest window: 128 MiB, the most that `zstd -d` takes without being told. */
const WINDOW_LOG_MAX = 27;

/**
 * A Zstandard stream, RFC 8878: any number of frames. What stands behind the last frame is left in the source. Frames are
 * told apart here, because node:zlib ends at the first one unless a piece ends exactly where it does.
 */
export async function* unzstd(source: ByteSource): AsyncGenerator<Buffer> {
  const engine = createZstdDecompress({
    chunkSize: OUTPUT_PIECE,
    readableHighWaterMark: 2 * OUTPUT_PIECE,
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  } as object) as unknown as Engine;
  const frames = framesOf(source);
  yield* run(engine, {
    next: async () => (await frames.next()).value ?? undefined,
    putBack(rest) {
      if (rest.length > 0) throw new CompressionFault('a Zstandard frame that ends before its last block');
    },
  });
}

/** The bytes of the stream in pieces none of which crosses the end of a frame; throws where a frame is cut off. */
async function* framesOf(source: ByteSource): AsyncGenerator<Buffer, undefined> {
  for (let count = 0; ; count++) {
    const magic = await source.take(4);
    const number = magic.length < 4 ? 0 : magic.readUInt32LE(0);
    if (number >>> 4 === SKIPPABLE) {
      const size = await exactly(source, 4);
      yield* copy(source, [magic, size], size.readUInt32LE(0));
    } else if (number === FRAME) {
      yield* frame(source, magic);
    } else {
      source.putBack(magic);
      if (count === 0) throw new CompressionFault('no Zstandard frame');
      return undefined;
    }
  }
}

/** One frame, RFC 8878 section 3.1.1. Blocks are gathered so that the engine gets pieces worth their trip. */
async function* frame(source: ByteSource, magic: Buffer): AsyncGenerator<Buffer> {
  const descriptor = await exactly(source, 1);
  const flags = descriptor[0] ?? 0;
  const single = (flags & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >>> 6] ?? 0;
  const idBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const parts: Buffer[] = [magic, descriptor, await exactly(source, (single ? 0 : 1) + idBytes + sizeBytes)];
  let gathered = 0;
  for (let last = false; !last;) {
    const header = await exactly(source, 3);
    const block = header.readUIntLE(0, 3);
    last = (block & 1) === 1;
    const type = (block >>> 1) & 3;
    if (type === 3) throw new CompressionFault('a Zstandard block of a reserved type');
    const body = await exactly(source, type === 1 ? 1 : block >>> 3); // RLE has one byte whatever its size
    parts.push(header, body);
    gathered += body.length;
    if (last && (flags & 4) !== 0) parts.push(await exactly(source, 4)); // checksum
    if (last || gathered > OUTPUT_PIECE / 4) {
      yield Buffer.concat(parts.splice(0));
      gathered = 0;
    }
  }
}

async function* copy(source: ByteSource, head: Buffer[], count: number): AsyncGenerator<Buffer> {
  yield Buffer.concat(head);
  for (let left = count; left > 0;) {
    const piece = await source.next();
    if (piece === undefined) throw new CompressionFault('a Zstandard frame that is cut off');
    source.putBack(piece.subarray(left));
    yield piece.subarray(0, left);
    left -= Math.min(left, piece.length);
  }
}

async function exactly(source: ByteSource, count: number): Promise<Buffer> {
  const bytes = await source.take(count);
  if (bytes.length < count) throw new CompressionFault('a Zstandard frame that is cut off');
  return bytes;
}
