/** Nesting of what is signed: a link of in-toto needs five. */
const DEPTH_MAX = 32;

/**
 * JSON as OLPC writes it for signing (securesystemslib, "Canonical JSON"; in-toto specification 1.0, section 4.2): keys in the
 * order of their bytes, no white space, in strings a backslash before `"` and `\` and nothing else escaped, no fractions.
 * Throws a RangeError for what it has no form for.
 */
export function olpcCanonicalJson(value: unknown, depth = 0): string {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deeply');
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError('a number that is no integer');
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => olpcCanonicalJson(item, depth + 1)).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `{${members.map(([key, member]) => `${olpcCanonicalJson(key)}:${olpcCanonicalJson(member, depth + 1)}`).join(',')}}`;
}
