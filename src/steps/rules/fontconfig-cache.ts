import type { Rule, Side } from './rule.ts';

// fontconfig src/fcint.h, struct _FcCache on 64 bits: magic 0, version 4, size 8, dir 16, dirs 24, dirs_count 32, set 40,
// checksum 48, checksum_nano 56. The checksums are the folder's mtime.
const MAGIC = 0xfc02fc04;
const HEADER = 64; // bytes

function fonts({ bytes }: Side): Buffer | undefined {
  if (bytes === undefined || bytes.length < HEADER) return undefined;
  const data = Buffer.from(bytes);
  if (data.readUInt32LE(0) !== MAGIC) return undefined;
  return data.fill(0, 48, 64);
}

function sameFonts(published: Side, other: Side): boolean {
  const a = fonts(published);
  const b = fonts(other);
  return a !== undefined && b !== undefined && a.equals(b);
}

export const fontconfigCache: Rule = {
  name: 'fontconfig-cache',
  version: 1,
  reason:
    'fontconfig notes the mtime of each font folder in its cache; the rest of the cache is compared where its bytes were kept, its size otherwise',
  applies: (path) => /^\/var\/cache\/fontconfig\/[0-9a-f]{32}-le64\.cache-\d+$/.test(path),
  equal: (a, b) => (a.bytes === undefined || b.bytes === undefined ? a.facts.size === b.facts.size : sameFonts(a, b)),
  regenerates: sameFonts,
  form: (side) => side.bytes === undefined || fonts(side) !== undefined,
  formOnly: (side) => side.bytes === undefined,
  followsPackages: true,
};
