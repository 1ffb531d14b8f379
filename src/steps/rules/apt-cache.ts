import { alwaysAt, isPlain, type Rule, type Side } from './rule.ts';

// apt-pkg/pkgcache.cc: a header of some 700 bytes with this signature (0x98FE76DC, little endian), before hash tables.
const SIGNATURE = [0xdc, 0x76, 0xfe, 0x98] as const;
const SIZE_MIN = 704; // bytes: the header alone
const SIZE_MAX = 512 * 1024 * 1024; // bytes: apt's own APT::Cache-Limit is far below
// Index files of the same archives on two days differ by a few packages.
const SIZE_RATIO_MAX = 1.25;

/** The bytes are kept only where the file is small; its size and the first bytes' kind are looked at in any case. */
function isCache({ facts, bytes }: Side): boolean {
  if (facts.size < SIZE_MIN || facts.size > SIZE_MAX) return false;
  return bytes === undefined || SIGNATURE.every((byte, index) => bytes[index] === byte);
}

export const aptCache: Rule = {
  name: 'apt-cache',
  version: 1,
  reason:
    'apt makes its cache anew whenever it is missing or old; it holds times and addresses of memory, so only form and size are compared',
  applies: alwaysAt('/var/cache/apt/pkgcache.bin', '/var/cache/apt/srcpkgcache.bin'),
  admits: (facts) => isPlain(facts) && facts.uid === 0 && facts.gid === 0 && facts.mode === 0o644,
  equal: (a, b) =>
    isCache(a) && isCache(b) && Math.max(a.facts.size, b.facts.size) <= SIZE_RATIO_MAX * Math.min(a.facts.size, b.facts.size),
  form: isCache,
  formOnly: () => true,
  followsPackages: true,
};
