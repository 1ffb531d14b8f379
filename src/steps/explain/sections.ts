import { digestOf } from '../../model/digest.ts';
import { elfParts } from '../../model/elf.ts';
import type { DifferingParts, ExplainedSide } from '../../model/explanation.ts';
import { differingParts } from './parts.ts';

/** A table may name the whole file a thousand times; sections of an honest one do not overlap, segments mostly lie in one another once. */
const HASHED_PER_BYTE = 3;

/** Which sections of two ELF files differ in size or bytes; undefined where a side is none. */
export function differingSections(rebuilt: Uint8Array, published: Uint8Array): DifferingParts | undefined {
  const [ours, theirs] = [sectionsOf(rebuilt), sectionsOf(published)];
  if (ours === undefined || theirs === undefined || ours.length + theirs.length === 0) return undefined;
  return differingParts(ours, theirs);
}

function sectionsOf(bytes: Uint8Array): (ExplainedSide & { name: string })[] | undefined {
  let left = HASHED_PER_BYTE * bytes.length;
  return elfParts(bytes)?.map(({ name, offset, size }) => {
    const inside = offset + size <= bytes.length && size <= left;
    if (!inside) return { name, size };
    left -= size;
    return { name, size, digest: digestOf(bytes.subarray(offset, offset + size)) };
  });
}
