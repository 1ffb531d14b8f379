/**
 * What apt's lists unpack to that it has packed as lz4, as a digest made while they pass: such a file has bytes of its own, and the
 * archive's index names those that it unpacks to. LZ4 frame format 1.6.1 and LZ4 block format, as far as liblz4 writes them for apt, which
 * asks for nothing particular: linked blocks of 64 KiB, no checksums. No other form is read, so that nothing can lie in what readers skip.
 */
import { createHash } from 'node:crypto';
import { type Digest, digestFromHex } from '../../model/digest.ts';

/** Takes a file's bytes in pieces that are only borrowed; `end` gives nothing where it is no such file, or more than is unpacked. */
export type Unpacker = { data(bytes: Buffer): void; end(): Digest | undefined };

/** Magic number, flags (version 1, nothing else), block size, and the checksum of both. */
const FRAME = Buffer.from('04224d184040c0', 'hex');
const BLOCK_BYTES_MAX = 64 * 1024;
const WINDOW_BYTES = 64 * 1024;
/** The bit of a block's size that says that it is not packed. */
const PLAIN = 0x80000000;
/** Bytes of all lists of one layer, unpacked: a bound on the time that hostile ones take. sid has 60 MB, an index of all its files 900 MB. */
const LAYER_UNPACKED_BYTES_MAX = 2 ** 31;
const LIST = /^\/var\/lib\/apt\/lists\/[^/]+\.lz4$/;

/** For the files of one layer, by their names. */
export function makeUnpack(max = LAYER_UNPACKED_BYTES_MAX): (path: string) => Unpacker | undefined {
  let left = max;
  return (path) => (LIST.test(path) ? makeUnpacker((bytes) => (left -= bytes) >= 0) : undefined);
}

function makeUnpacker(mayUnpack: (bytes: number) => boolean): Unpacker {
  const hash = createHash('sha256');
  const packed = Buffer.alloc(BLOCK_BYTES_MAX);
  const window = Buffer.alloc(WINDOW_BYTES + BLOCK_BYTES_MAX);
  let state: 'frame' | 'size' | 'block' | 'ended' | 'invalid' = 'frame';
  let wanted = FRAME.length;
  let filled = 0;
  let plain = false;
  /** Bytes that came before and may be referred to: the first of `window`. */
  let before = 0;

  function block(): boolean {
    const end = plain ? before + packed.copy(window, before, 0, wanted) : unpackBlock(packed.subarray(0, wanted), window, before);
    if (end === undefined || !mayUnpack(end - before)) return false;
    hash.update(window.subarray(before, end));
    const from = Math.max(0, end - WINDOW_BYTES);
    window.copyWithin(0, from, end);
    before = end - from;
    return true;
  }

  function next(): typeof state {
    if (state === 'frame' || state === 'block') {
      const good = state === 'frame' ? packed.subarray(0, wanted).equals(FRAME) : block();
      wanted = 4;
      return good ? 'size' : 'invalid';
    }
    const size = packed.readUInt32LE(0);
    if (size === 0) return 'ended';
    plain = size >= PLAIN;
    wanted = plain ? size - PLAIN : size;
    return wanted > 0 && wanted <= BLOCK_BYTES_MAX ? 'block' : 'invalid';
  }

  return {
    data(bytes) {
      for (let at = 0; at < bytes.length && state !== 'invalid';) {
        if (state === 'ended') return void (state = 'invalid');
        const taken = bytes.copy(packed, filled, at, at + wanted - filled);
        at += taken;
        filled += taken;
        if (filled < wanted) return;
        filled = 0;
        state = next();
      }
    },
    end: () => (state === 'ended' ? digestFromHex(hash.digest('hex')) : undefined),
  };
}

/** Unpacks one block behind the `at` bytes of `out` that it may refer to, and gives where it ends; undefined for what is no block of 64 KiB. */
function unpackBlock(block: Buffer, out: Buffer, at: number): number | undefined {
  const limit = at + BLOCK_BYTES_MAX;
  let read = 0;
  let end = at;
  /** A length of 15 goes on in bytes, up to the first that is not 255. */
  const length = (short: number): number => {
    let sum = short;
    if (short < 15) return sum;
    for (let byte = 255; byte === 255 && read < block.length && sum <= BLOCK_BYTES_MAX;) sum += byte = block[read++]!;
    return sum;
  };
  while (read < block.length) {
    const token = block[read++]!;
    const literals = length(token >> 4);
    if (read + literals > block.length || end + literals > limit) return undefined;
    block.copy(out, end, read, read + literals);
    read += literals;
    end += literals;
    if (read === block.length) return end; // the last sequence has no match
    if (read + 2 > block.length) return undefined;
    const offset = block.readUInt16LE(read);
    read += 2;
    const match = length(token & 15) + 4;
    if (offset === 0 || offset > end || end + match > limit) return undefined;
    if (offset >= match) out.copyWithin(end, end - offset, end - offset + match);
    else for (let index = 0; index < match; index++) out[end + index] = out[end + index - offset]!;
    end += match;
  }
  return undefined;
}
