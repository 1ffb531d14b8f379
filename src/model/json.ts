/**
 * JSON with the keys of every object in code-unit order and no white space, so that equal values give equal bytes
 * (RFC 8785 for the values that are used here: no number of ours needs more than ECMAScript's own formatting). Written out
 * by hand: a replacer of `JSON.stringify` copies every object, and an inventory has a hundred thousand.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** Values of one list that {@link canonicalJsonPieces} writes at once. */
const PIECE = 1000;

/** The same text in pieces, so that a document with a list of a hundred thousand values is never whole in memory as text. */
export function* canonicalJsonPieces(value: unknown): Generator<string> {
  if (value === null || typeof value !== 'object') return yield canonicalJson(value);
  if (Array.isArray(value)) {
    yield '[';
    for (let start = 0; start < value.length; start += PIECE)
      yield `${start > 0 ? ',' : ''}${value
        .slice(start, start + PIECE)
        .map(canonicalJson)
        .join(',')}`;
    return yield ']';
  }
  let before = '{';
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(key)}:`;
    yield* canonicalJsonPieces(member);
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}
