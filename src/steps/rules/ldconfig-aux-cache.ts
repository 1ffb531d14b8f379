import { alwaysAt, equalBy, isPlain, type Rule, type Side } from './rule.ts';

// glibc elf/cache.c, struct aux_cache_file: magic, count, length of the strings; then entries of 48 bytes; then the strings.
const MAGIC = 'glibc-ld.so.auxcache-';
const HEADER = 32; // bytes
const ENTRY = 48; // bytes: inode, ctime, size, device (8 each), flags, soname, isa level (4 each), 4 of padding
const SIZE_MAX = 16 * 1024 * 1024; // bytes; a desktop's is under 200 kB

/** What ldconfig found: size, kind, soname and level of each library, without inode, ctime and device. */
function libraries({ bytes }: Side): string[] | undefined {
  if (bytes === undefined || bytes.length < HEADER || bytes.length > SIZE_MAX) return undefined;
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!data.toString('latin1', 0, 24).startsWith(MAGIC)) return undefined;
  const count = data.readUInt32LE(24);
  const stringsLength = data.readUInt32LE(28);
  const strings = HEADER + count * ENTRY;
  if (strings + stringsLength !== data.length) return undefined;
  const found: string[] = [];
  for (let at = HEADER; at < strings; at += ENTRY) {
    const soname = strings + data.readUInt32LE(at + 36);
    const end = soname < data.length ? data.indexOf(0, soname) : -1;
    if (end < 0) return undefined;
    found.push(
      `${data.readBigUInt64LE(at + 16)} ${data.readInt32LE(at + 32)} ${data.readUInt32LE(at + 40)} ${data.toString('latin1', soname, end)}`,
    );
  }
  return found.sort();
}

const compared = equalBy(libraries);

export const ldconfigAuxCache: Rule = {
  name: 'ldconfig-aux-cache',
  version: 1,
  reason: 'ldconfig notes inode numbers and times of the libraries it saw; their sizes, sonames and kinds are compared',
  applies: alwaysAt('/var/cache/ldconfig/aux-cache'),
  admits: (facts) => isPlain(facts) && facts.uid === 0 && facts.gid === 0 && facts.mode === 0o600,
  // The loader never reads this file. Where its bytes were not kept, the size still says that there are as many libraries.
  equal: (a, b, context) => (a.bytes === undefined || b.bytes === undefined ? a.facts.size === b.facts.size : compared(a, b, context)),
  regenerates: compared,
  form: (side) => side.bytes === undefined || libraries(side) !== undefined,
  formOnly: (side) => side.bytes === undefined,
  followsPackages: true,
};
