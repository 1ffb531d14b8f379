/** What of an ELF file is read-only data, told by its program headers. ELF specification (gABI) 4.3, chapters 4 and 5. */

export type Range = { start: number; end: number };

const PT_LOAD = 1;
const PF_X = 1;
/** A linker writes some ten; a file with more is read as a whole. */
const HEADERS_MAX = 32;

/**
 * The parts of the file that are loaded and not run, where constants stand: about half of a program. The whole file where the
 * beginning does not hold the program headers, or they make no sense: then nothing is left out.
 */
export function dataRanges(head: Buffer): Range[] {
  const whole = [{ start: 0, end: Number.POSITIVE_INFINITY }];
  const wide = head[4] === 2;
  const little = head[5] === 1;
  if (head.length < 64 || (!wide && head[4] !== 1) || (!little && head[5] !== 2)) return whole;
  const half = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (at: number): number => (little ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const size = (at: number): number => (wide ? Number(little ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at)) : word(at));
  const offset = size(wide ? 32 : 28);
  const entry = half(wide ? 54 : 42);
  const count = half(wide ? 56 : 44);
  if (count === 0 || count > HEADERS_MAX || entry < (wide ? 56 : 32) || offset + count * entry > head.length) return whole;
  const ranges: Range[] = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * entry;
    const flags = word(at + (wide ? 4 : 24));
    if (word(at) !== PT_LOAD || (flags & PF_X) !== 0) continue;
    const start = size(at + (wide ? 8 : 4));
    ranges.push({ start, end: start + size(at + (wide ? 32 : 16)) });
  }
  ranges.sort((a, b) => a.start - b.start);
  const apart = ranges.every(({ start, end }, index) => end >= start && start >= (ranges[index - 1]?.end ?? 0));
  return ranges.length > 0 && apart ? ranges : whole;
}
