/**
 * JSON with the keys of every object in code-unit order and no white space, so that equal values give equal bytes
 * (RFC 8785 for the values that are used here: no number of ours needs more than ECMAScript's own formatting).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).filter(([, member]) => member !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    // A name such as "__proto__" out of a hostile document must become a member like any other.
    const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [key, member] of entries) sorted[key] = member;
    return sorted;
  });
}
