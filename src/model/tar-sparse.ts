import { BLOCK, parseNumeric, TarFault } from './tar-header.ts';
import { parseDecimal, type PaxRecords, SPARSE_MAP } from './tar-pax.ts';

/** Where data lies in a sparse file; everything between is a hole that reads as zeros. In bytes. */
export type Fragment = { offset: number; length: number };

/** Go's limit is the size of a special file; this is the same, in entries of at least four bytes. */
const FRAGMENTS_MAX = 1 << 18;
const LINE_BLOCKS_MAX = (1 << 20) / BLOCK;

/** Whether a PAX header announces a sparse file, and which way its map is stored. GNU tar manual, "Storing Sparse Files". */
export function sparseVersion(records: PaxRecords): 'none' | 'in-records' | 'in-data' | 'unknown' {
  const major = records.get('GNU.sparse.major') ?? '';
  const minor = records.get('GNU.sparse.minor') ?? '';
  if (major === '0' && (minor === '0' || minor === '1')) return 'in-records';
  if (major === '1' && minor === '0') return 'in-data';
  if (major !== '' || minor !== '') return 'unknown';
  return (records.get(SPARSE_MAP) ?? '') === '' ? 'none' : 'in-records';
}

/** The size of the file with its holes, where the records say it. */
export function sparseSize(records: PaxRecords): number | undefined {
  const size = records.get('GNU.sparse.size') || records.get('GNU.sparse.realsize');
  return size ? parseDecimal(size) : undefined;
}

/** PAX formats 0.0 and 0.1. */
export function mapFromRecords(records: PaxRecords): Fragment[] {
  const count = parseDecimal(records.get('GNU.sparse.numblocks') ?? '');
  const text = records.get(SPARSE_MAP) ?? '';
  const numbers = text === '' ? [] : text.split(',');
  if (count < 0 || numbers.length !== 2 * count) throw new TarFault('a sparse map of another length than stated');
  return pairs(numbers);
}

/**
 * PAX format 1.0: the map stands before the data, in decimal lines, padded to a block. Takes block after block and gives the
 * map with the one that completes it.
 */
export function makeLineMap(): (block: string) => Fragment[] | undefined {
  const blocks: string[] = [];
  let newlines = 0;
  let wanted = 1;
  return (block) => {
    blocks.push(block);
    if (blocks.length > LINE_BLOCKS_MAX) throw new TarFault('a sparse map that is too long');
    newlines += block.split('\n').length - 1;
    if (newlines < wanted) return undefined;
    const text = blocks.join('');
    const count = parseDecimal(text.slice(0, text.indexOf('\n')));
    if (count < 0 || count > FRAGMENTS_MAX) throw new TarFault('a sparse map that is too long');
    wanted = 1 + 2 * count;
    return newlines < wanted ? undefined : pairs(text.split('\n').slice(1, wanted));
  };
}

function pairs(numbers: string[]): Fragment[] {
  const fragments: Fragment[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    fragments.push({ offset: parseDecimal(numbers[i] ?? ''), length: parseDecimal(numbers[i + 1] ?? '') });
  }
  return fragments;
}

/** The old GNU format: four entries in the header, 21 in each block that follows while `extended` says so. */
export function mapFromBlock(block: Uint8Array, isHeader: boolean): { fragments: Fragment[]; extended: boolean; realSize: number } {
  const text = Buffer.from(block.buffer, block.byteOffset, BLOCK).toString('latin1');
  const start = isHeader ? 386 : 0;
  const count = isHeader ? 4 : 21;
  const fragments: Fragment[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * 24;
    if (text[at] === '\0') break;
    fragments.push({ offset: parseNumeric(text.slice(at, at + 12)), length: parseNumeric(text.slice(at + 12, at + 24)) });
  }
  const extended = text.charCodeAt(start + count * 24) > 0;
  return { fragments, extended, realSize: isHeader ? parseNumeric(text.slice(483, 495)) : 0 };
}

/** Throws {@link TarFault} where fragments overlap, go backwards, leave the file, or are not what is stored. */
export function checkFragments(fragments: Fragment[], size: number, stored: number): void {
  if (fragments.length > FRAGMENTS_MAX) throw new TarFault('a sparse map that is too long');
  let end = 0;
  let total = 0;
  for (const { offset, length } of fragments) {
    if (offset < end || length < 0 || offset + length > size) throw new TarFault('a sparse map that does not fit the file');
    end = offset + length;
    total += length;
  }
  if (size < 0 || total !== stored) throw new TarFault('a sparse map that does not fit the stored bytes');
}
