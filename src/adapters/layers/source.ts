import { Readable } from 'node:stream';

/**
 * Pieces of at least this many bytes go to the decompressor: each costs a trip to the thread pool and back, and at this
 * size the trip is no longer measurable.
 */
const PIECE = 1 << 18;

/** Bytes that can be put back, so that what stands behind a compressed member is read by whoever comes next. */
export type ByteSource = {
  /** The next piece, as large as is at hand; undefined at the end. */
  next(): Promise<Buffer | undefined>;
  putBack(bytes: Buffer): void;
  /** Exactly this many bytes, or fewer at the end. For headers. */
  take(count: number): Promise<Buffer>;
  /** No more is wanted: ends the connection that the bytes come from. */
  close(): void;
};

/** `onBytes` sees every byte once, in order, before anything is made of it. */
export function makeByteSource(bytes: AsyncIterable<Uint8Array>, onBytes: (piece: Buffer) => void): ByteSource {
  const iterator = bytes[Symbol.asyncIterator]();
  let waiting: Buffer | undefined;
  let ahead: Promise<Buffer | undefined> | undefined;

  async function gather(): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    let size = 0;
    while (size < PIECE) {
      const { value, done } = await iterator.next();
      if (done === true) break;
      parts.push(value);
      size += value.length;
    }
    const [only] = parts;
    if (size === 0) return undefined;
    if (parts.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.length);
    return Buffer.concat(parts, size);
  }

  async function next(): Promise<Buffer | undefined> {
    if (waiting !== undefined) {
      const piece = waiting;
      waiting = undefined;
      return piece;
    }
    const piece = await (ahead ?? gather());
    if (piece === undefined) return undefined;
    // The network fills the next piece while this one is decompressed.
    ahead = gather();
    ahead.catch(() => undefined); // thrown where it is awaited
    onBytes(piece);
    return piece;
  }

  function putBack(piece: Buffer): void {
    if (piece.length > 0) waiting = waiting === undefined ? piece : Buffer.concat([piece, waiting]);
  }

  async function take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let size = 0;
    while (size < count) {
      const piece = await next();
      if (piece === undefined) break;
      parts.push(piece.subarray(0, count - size));
      putBack(piece.subarray(count - size));
      size += Math.min(piece.length, count - size);
    }
    return Buffer.concat(parts);
  }

  function close(): void {
    if (bytes instanceof Readable) bytes.destroy();
    else iterator.return?.().catch(() => undefined);
  }

  return { next, putBack, take, close };
}
