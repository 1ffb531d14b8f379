import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Problem } from '../../problem.ts';
import { unxz } from './xz.ts';

/**
 * A stream as it was before it was packed; the end of the name tells how: `.xz`, `.gz`, or neither for as it is.
 * Fails with `archive-untrusted` beyond `max` bytes and for what does not unpack. Pieces and `buffers` as of {@link unxz}.
 */
export async function* decompress(
  name: string,
  packed: AsyncIterable<Uint8Array>,
  max: number,
  buffers?: Buffer[],
): AsyncGenerator<Uint8Array> {
  let size = 0;
  try {
    for await (const chunk of unpack(name, packed, buffers)) {
      size += chunk.length;
      if (size > max) throw new Problem('archive-untrusted', `${name} unpacks to more than ${max} bytes`);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof Problem ? error : new Problem('archive-untrusted', `${name} does not unpack`, { cause: error });
  }
}

function unpack(name: string, packed: AsyncIterable<Uint8Array>, buffers?: Buffer[]): AsyncIterable<Uint8Array> {
  if (name.endsWith('.xz')) return unxz(packed, buffers);
  if (name.endsWith('.gz')) return through(packed, createGunzip({ chunkSize: 256 * 1024 }));
  return packed;
}

async function* through(packed: AsyncIterable<Uint8Array>, unpacker: NodeJS.ReadWriteStream): AsyncGenerator<Uint8Array> {
  const fed = pipeline(Readable.from(packed), unpacker, { end: true });
  fed.catch(() => {}); // told below, or by the reading
  yield* unpacker as unknown as AsyncIterable<Uint8Array>;
  await fed;
}
