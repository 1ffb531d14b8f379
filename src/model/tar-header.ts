/** What a tar stream says that no reader can follow; Go's archive/tar returns ErrHeader and the layer is refused. */
export class TarFault extends Error {}

/** Size of every header and of the unit that contents are padded to, in bytes. POSIX.1-2017, pax, "ustar Interchange Format". */
export const BLOCK = 512;

/** A header block as Go's archive/tar reads it. Names are byte strings: one character (U+0000 to U+00FF) a byte. */
export type TarHeader = {
  type: string;
  name: string;
  linkName: string;
  size: number;
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  deviceMajor: number;
  deviceMinor: number;
  gnu: boolean;
  /** Set where another reader takes another name out of the same block. */
  doubtfulPrefix: boolean;
};

const MAGIC_USTAR = 'ustar\0';
const MAGIC_GNU = 'ustar  \0';
const TRAILER_STAR = 'tar\0';

/** The bytes up to the first NUL. */
export function cString(field: string): string {
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

function parseOctal(field: string): number {
  const text = cString(field.replace(/^[ \0]+|[ \0]+$/g, ''));
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw new TarFault('a number that is not octal');
  return Number.parseInt(text, 8);
}

/** A numeric field: octal, or base-256 in two's complement where the first bit is set (GNU, star). */
export function parseNumeric(field: string): number {
  const first = field.charCodeAt(0);
  if ((first & 0x80) === 0) return parseOctal(field);
  const negative = (first & 0x40) !== 0;
  let value = 0n;
  for (let i = 0; i < field.length; i++) {
    const byte = field.charCodeAt(i) ^ (negative ? 0xff : 0);
    value = (value << 8n) | BigInt(i === 0 ? byte & 0x7f : byte);
  }
  const signed = negative ? -value - 1n : value;
  if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER)) throw new TarFault('a number out of range');
  return Number(signed);
}

/** Some old writers summed signed bytes; both sums are right. */
function checksumHolds(block: Uint8Array, field: string): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] as number);
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const stated = parseOctal(field);
  return stated === unsigned || stated === signed;
}

/**
 * One header block, read as Go's archive/tar reads it (`readHeader` in reader.go), since that is what containerd, Docker,
 * BuildKit and Podman unpack with. Throws {@link TarFault} where Go returns ErrHeader.
 */
export function parseHeader(block: Uint8Array): TarHeader {
  const text = Buffer.from(block.buffer, block.byteOffset, BLOCK).toString('latin1');
  const field = (start: number, length: number) => text.slice(start, start + length);
  if (!checksumHolds(block, field(148, 8))) throw new TarFault('a header whose checksum does not hold');

  const header: TarHeader = {
    type: field(156, 1),
    name: cString(field(0, 100)),
    linkName: cString(field(157, 100)),
    size: parseNumeric(field(124, 12)),
    mode: parseNumeric(field(100, 8)),
    uid: parseNumeric(field(108, 8)),
    gid: parseNumeric(field(116, 8)),
    mtime: parseNumeric(field(136, 12)),
    deviceMajor: 0,
    deviceMinor: 0,
    gnu: field(257, 8) === MAGIC_GNU,
    doubtfulPrefix: false,
  };
  const ustar = field(257, 6) === MAGIC_USTAR;
  if (!ustar && !header.gnu) return header; // Unix V7

  header.deviceMajor = parseNumeric(field(329, 8));
  header.deviceMinor = parseNumeric(field(337, 8));
  const prefix = header.gnu ? gnuPrefix(field) : cString(field(345, field(508, 4) === TRAILER_STAR ? 131 : 155));
  if (prefix !== '') header.name = `${prefix}/${header.name}`;
  header.doubtfulPrefix = header.gnu && prefix !== '';
  return header;
}

/**
 * GNU's format has times where ustar has a prefix. Go 1.7 and older wrote a prefix all the same, so Go reads one where the
 * times do not parse (golang.org/issue/12594); GNU tar does not.
 */
function gnuPrefix(field: (start: number, length: number) => string): string {
  try {
    for (const time of [field(345, 12), field(357, 12)]) if (time[0] !== '\0') parseNumeric(time);
    return '';
  } catch {
    const prefix = cString(field(345, 155));
    return /^[\x00-\x7f]*$/.test(prefix) ? prefix : '';
  }
}
