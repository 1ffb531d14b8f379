import { type TarHeader, TarFault } from './tar-header.ts';

/** Records of one extended header, as byte strings (one character a byte). POSIX.1-2017, pax, "pax Extended Header". */
export type PaxRecords = Map<string, string>;

const XATTR = 'SCHILY.xattr.';
const XATTR_LIBARCHIVE = 'LIBARCHIVE.xattr.';
const OFFSET = 'GNU.sparse.offset';
const NUMBYTES = 'GNU.sparse.numbytes';
export const SPARSE_MAP = 'GNU.sparse.map';
/** Largest value of an 8-byte octal field. */
const OCTAL_7_DIGITS = 0o7777777;
/** Largest value of a 12-byte octal field: 8 GiB less one. */
const OCTAL_11_DIGITS = 0o77777777777;

/** An integer as Go's strconv.ParseInt reads it in base 10. */
export function parseDecimal(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) throw new TarFault('a number that is not decimal');
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TarFault('a number out of range');
  return value === 0 ? 0 : value; // never -0
}

/** Records of an extended header. Throws {@link TarFault} where Go's `parsePAX` fails. */
export function parsePax(body: string, disagree: (detail: string) => void): PaxRecords {
  const records: PaxRecords = new Map();
  const sparse: string[] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(' ', at);
    const length = space < 0 ? 0 : parseDecimal(body.slice(at, space));
    const end = at + length;
    if (length < 5 || end > body.length || end <= space + 1 || body[end - 1] !== '\n') throw new TarFault('a PAX record of a wrong length');
    const record = body.slice(space + 1, end - 1);
    at = end;
    const equals = record.indexOf('=');
    if (equals <= 0) throw new TarFault('a PAX record without a key');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    const nameLike = key === 'path' || key === 'linkpath' || key === 'uname' || key === 'gname';
    if ((nameLike ? value : key).includes('\0')) throw new TarFault('a NUL in a PAX record');
    if (key === OFFSET || key === NUMBYTES) {
      // Sparse format 0.0 repeats its keys; Go makes the map of format 0.1 out of them.
      if ((key === OFFSET) !== (sparse.length % 2 === 0) || value.includes(',')) throw new TarFault('a sparse map out of order');
      sparse.push(value);
      continue;
    }
    if (records.has(key) && records.get(key) !== value) disagree(`two PAX records for ${key}`);
    records.set(key, value);
  }
  if (sparse.length > 0) records.set(SPARSE_MAP, sparse.join(','));
  return records;
}

/** Applies an extended header to the header it precedes, as Go's `mergePAX`: an empty value keeps the header's own. */
export function mergePax(header: TarHeader, records: PaxRecords, disagree: (detail: string) => void): void {
  for (const [key, value] of records) {
    if (value === '') {
      if (/^(path|linkpath|size|uid|gid)$/.test(key)) disagree(`an empty PAX ${key}, which deletes the field for some readers`);
      continue;
    }
    switch (key) {
      case 'path':
        if (fits(value) && trimmed(value) !== trimmed(header.name)) disagree('PAX path and the name in the header differ');
        header.name = value;
        break;
      case 'linkpath':
        if (fits(value) && value !== header.linkName) disagree('PAX linkpath and the link name in the header differ');
        header.linkName = value;
        break;
      case 'uid':
      case 'gid': {
        const id = parseDecimal(value);
        if (id >= 0 && id <= OCTAL_7_DIGITS && id !== header[key]) disagree(`PAX ${key} ${id}, header ${header[key]}`);
        header[key] = id;
        break;
      }
      case 'size': {
        const size = parseDecimal(value);
        // Readers that disagree here take contents for headers or the reverse (CVE-2025-62518).
        if (size <= OCTAL_11_DIGITS && size !== header.size) disagree(`PAX size ${size}, header ${header.size}`);
        header.size = size;
        break;
      }
      case 'mtime':
        header.mtime = parseTime(value);
        break;
      case 'atime':
      case 'ctime':
        parseTime(value);
        break;
    }
  }
}

/** Whether a writer had no need of a PAX record: ASCII, and no longer than the field of the header. */
function fits(value: string): boolean {
  return value.length <= 100 && /^[\x01-\x7f]*$/.test(value);
}

function trimmed(name: string): string {
  return name.replace(/^(\.\/)+|\/+$/g, '');
}

function parseTime(text: string): number {
  const [seconds = '', fraction = ''] = text.split(/\.(.*)/s);
  parseDecimal(seconds);
  if (!/^[0-9]*$/.test(fraction)) throw new TarFault('a time that does not parse');
  const value = Number(`${seconds}.${fraction.slice(0, 9)}0`);
  return value === 0 ? 0 : value;
}

/**
 * Extended attributes, values in base64. containerd sets `SCHILY.xattr.*` and nothing else; libarchive reads its own key as
 * well, so one that says more or something else is a disagreement.
 */
export function xattrsOf(
  records: PaxRecords,
  nameOf: (bytes: string) => string,
  disagree: (detail: string) => void,
): Record<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR)) continue;
    attributes.set(nameOf(key.slice(XATTR.length)), Buffer.from(value, 'latin1').toString('base64'));
  }
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR_LIBARCHIVE)) continue;
    const name = nameOf(percentDecoded(key.slice(XATTR_LIBARCHIVE.length)));
    if (attributes.get(name)?.replace(/=+$/, '') !== value.replace(/[=\s]+$/, '')) disagree(`${name} as libarchive's attribute alone`);
  }
  if (attributes.size === 0) return undefined;
  const sorted = [...attributes].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.assign(Object.create(null), Object.fromEntries(sorted)) as Record<string, string>;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
