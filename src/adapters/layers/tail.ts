/**
 * How a file of PostgreSQL's log ends, noted while it passes: where its last byte lies that is not zero, and some bytes before that. A segment has
 * 16 MiB, mostly zeros, and whether anything of it is ever replayed is seen from the last record alone.
 */
import type { FileFacts } from '../../model/inventory.ts';

/** Takes a file's bytes in pieces that are only borrowed. */
export type Tail = { data(bytes: Buffer): void; end(): NonNullable<FileFacts['tail']> };

/** Bytes. The record of a checkpoint has 114, and the head of a page that may lie within it 24. */
const TAIL_BYTES = 256;
const SEGMENT = /^\/var\/lib\/postgresql\/\d+\/main\/pg_wal\/[0-9A-F]{24}$/;

/** For a file by its name; undefined for what is no such segment. */
export function tailFor(path: string): Tail | undefined {
  return SEGMENT.test(path) ? makeTail() : undefined;
}

function makeTail(): Tail {
  let at = 0;
  let end = 0;
  let kept: Buffer = Buffer.alloc(0);
  return {
    data(bytes) {
      let length = bytes.length;
      while (length > 0 && bytes[length - 1] === 0) length -= 1;
      if (length > 0) {
        const zeros = Buffer.alloc(Math.min(at - end, TAIL_BYTES));
        kept = Buffer.concat([kept, zeros, bytes.subarray(Math.max(0, length - TAIL_BYTES), length)]).subarray(-TAIL_BYTES);
        end = at + length;
      }
      at += bytes.length;
    },
    end: () => ({ end, base64: kept.toString('base64') }),
  };
}
