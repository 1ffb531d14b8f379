import { createHash, type Hash } from 'node:crypto';
import { type Digest, digestFromHex } from '../../model/digest.ts';
import { Problem } from '../../problem.ts';

/** Bytes that are written at once, so that small pieces don't each cost a system call. */
const GATHERED = 1 << 18;

/** The pieces of a stream, gathered; `hash` and the limit see them on the way. Throws `too-large`. */
export async function* gathered(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, hash: Hash, max: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let waiting = 0;
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > max) throw new Problem('too-large', `more than ${max} bytes`);
    parts.push(part);
    waiting += part.length;
    if (waiting < GATHERED) continue;
    const piece = joined(parts, waiting);
    hash.update(piece);
    yield piece;
    parts = [];
    waiting = 0;
  }
  if (waiting === 0) return;
  const piece = joined(parts, waiting);
  hash.update(piece);
  yield piece;
}

/** A large piece that came as one is not copied. */
function joined(parts: Uint8Array[], size: number): Buffer {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? Buffer.from(only.buffer, only.byteOffset, only.length) : Buffer.concat(parts, size);
}

/** Throws `digest-mismatch` where the bytes are not the ones that were announced. */
export function checkExpected(found: Digest, expected: Digest | undefined): void {
  if (expected !== undefined && found !== expected)
    throw new Problem('digest-mismatch', `the bytes have the digest ${found}, not ${expected}`);
}

/** What comes out of the store, checked again: bytes that rotted there must never be signed. */
export async function* verified(bytes: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const part of bytes) {
    hash.update(part);
    yield part;
  }
  if (digestFromHex(hash.digest('hex')) !== digest) throw new Problem('blobs-unavailable', `the stored blob ${digest} is damaged`);
}

/** A whole stream of at most `max` bytes. Throws `too-large`. */
export async function collect(bytes: AsyncIterable<Uint8Array>, max: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > max) throw new Problem('too-large', `a stored document of more than ${max} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** The name of a link as a name that any file system and any bucket takes. */
export function linkKey(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
