import { textFromBytes } from './path.ts';

/**
 * The sections of an ELF file by its own section headers, or its segments where it has none. System V ABI, gABI 4.2, chapters 4 and 5:
 * https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
 * Only for telling a reader what differs: a header can name anything, and what it names may lie anywhere, also twice.
 */
export type ElfPart = { name: string; offset: number; size: number };

/** A program of a C++ compiler with a section for each function has some thousands; a table of 65,535 is not worth a reader's time. */
const PARTS_MAX = 4096;
const NAME_BYTES_MAX = 64;
const SHT_NOBITS = 8; // takes no room in the file
const PT_NAMES = ['NULL', 'LOAD', 'DYNAMIC', 'INTERP', 'NOTE', 'SHLIB', 'PHDR', 'TLS'];

/** Undefined for what is no ELF file or ends before its header does. Never throws, whatever the bytes are. */
export function elfParts(bytes: Uint8Array): ElfPart[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[4] === 2;
  if (bytes.length < (wide ? 64 : 52) || view.getUint32(0) !== 0x7f454c46 || (bytes[4] !== 1 && !wide)) return undefined;
  const little = bytes[5] !== 2;
  const half = (at: number): number => view.getUint16(at, little);
  const word = (at: number): number => view.getUint32(at, little);
  // What does not fit into 53 bits lies outside of every file, rounded or not.
  const address = (at: number): number => (wide ? Number(view.getBigUint64(at, little)) : word(at));
  const read: Reader = { bytes, word, address, wide };
  const sections = sectionsOf(read, {
    at: address(wide ? 40 : 32),
    entry: half(wide ? 58 : 46),
    count: half(wide ? 60 : 48),
    names: half(wide ? 62 : 50),
  });
  if (sections.length > 0) return sections;
  return segmentsOf(read, { at: address(wide ? 32 : 28), entry: half(wide ? 54 : 42), count: half(wide ? 56 : 44) });
}

type Reader = { bytes: Uint8Array; wide: boolean; word: (at: number) => number; address: (at: number) => number };
type Table = { at: number; entry: number; count: number };

/** Positions of the entries of a table that lie in the file as a whole. */
function* entriesOf({ bytes }: Reader, { at, entry, count }: Table, least: number): Generator<number> {
  if (entry < least || at === 0) return;
  for (let index = 0; index < Math.min(count, PARTS_MAX); index += 1) {
    const start = at + index * entry;
    if (start + entry > bytes.length) return;
    yield start;
  }
}

function sectionsOf(read: Reader, table: Table & { names: number }): ElfPart[] {
  const { word, address, wide } = read;
  const least = wide ? 64 : 40;
  const first = entriesOf(read, { ...table, count: 1 }, least).next().value;
  // With 65,280 sections and more, the first one holds their number and where their names are.
  const count = table.count === 0 && first !== undefined ? address(first + (wide ? 32 : 20)) : table.count;
  const namesIndex = table.names === 0xffff && first !== undefined ? word(first + (wide ? 40 : 24)) : table.names;
  const headers = [...entriesOf(read, { ...table, count }, least)].map((start) => ({
    name: word(start),
    type: word(start + 4),
    offset: address(start + (wide ? 24 : 16)),
    size: address(start + (wide ? 32 : 20)),
  }));
  const names = headers[namesIndex];
  return headers.flatMap(({ name, type, offset, size }, index) =>
    type === 0 ? [] : [{ name: nameAt(read.bytes, names, name) || `section ${index}`, offset, size: type === SHT_NOBITS ? 0 : size }],
  );
}

/** A name ends with a zero byte, or with the table, or where nobody would read on. */
function nameAt(bytes: Uint8Array, table: { offset: number; size: number } | undefined, at: number): string {
  if (table === undefined || at >= table.size) return '';
  const start = table.offset + at;
  const found = bytes.subarray(start, Math.min(start + NAME_BYTES_MAX, table.offset + table.size));
  const end = found.indexOf(0);
  return textFromBytes(end === -1 ? found : found.subarray(0, end));
}

function segmentsOf(read: Reader, table: Table): ElfPart[] {
  const { word, address, wide } = read;
  return [...entriesOf(read, table, wide ? 56 : 32)].map((start, index) => ({
    name: `segment ${index} ${PT_NAMES[word(start)] ?? `0x${word(start).toString(16)}`}`,
    offset: address(start + (wide ? 8 : 4)),
    size: address(start + (wide ? 32 : 16)),
  }));
}
