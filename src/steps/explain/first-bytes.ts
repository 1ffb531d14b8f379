import type { Explanation } from '../../model/explanation.ts';

const SHOWN = 96; // bytes of either side: six lines of a hex view
const LINE = 16;
const STRIDE = 64 * 1024;

/** Where two files begin to differ, with some bytes around; undefined where they do not. */
export function firstDifferingBytes(rebuilt: Uint8Array, published: Uint8Array): Explanation['bytes'] {
  const length = Math.min(rebuilt.length, published.length);
  let offset = 0;
  while (offset < length && Buffer.compare(rebuilt.subarray(offset, offset + STRIDE), published.subarray(offset, offset + STRIDE)) === 0)
    offset += STRIDE;
  while (offset < length && rebuilt[offset] === published[offset]) offset += 1;
  offset = Math.min(offset, length);
  if (offset === length && rebuilt.length === published.length) return undefined;
  // A line before it, so that the place can be recognised.
  const from = Math.max(0, Math.floor(offset / LINE) * LINE - LINE);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(from, from + SHOWN)).toString('hex');
  return { offset, from, rebuilt: hex(rebuilt), published: hex(published) };
}
