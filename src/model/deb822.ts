/**
 * Stanzas of fields, as in `/var/lib/dpkg/status`, Packages, Release and apt's `.sources` files: deb822(5). Field names are
 * case-insensitive and therefore lower-case here. Continuation lines are joined by a newline, without their first blank.
 */
export type Stanza = ReadonlyMap<string, string>;

/** Bounds against hostile input; the largest real stanza (a kernel's in Packages) is under 100 kB, the most fields are about 40. */
const STANZA_CHARACTERS_MAX = 4 * 1024 * 1024; // Release files of large suites: 300 kB
const FIELDS_MAX = 256;

// Printable US-ASCII without colon; neither `#` (a comment) nor `-` (a PGP marker) begins a name. deb822(5).
const FIELD_NAME = /^[!-"$-,.-9;-~][!-9;-~]*$/;

/** One stanza. Throws `SyntaxError` for what deb822(5) does not allow: a line without a name, a name twice, too much. */
export function parseStanza(text: string, only?: ReadonlySet<string>): Stanza {
  if (text.length > STANZA_CHARACTERS_MAX) throw new SyntaxError(`a stanza of ${text.length} characters`);
  const fields = new Map<string, string>();
  const seen = new Set<string>();
  let name: string | undefined;
  let lines: string[] = [];
  let wanted = false;
  const end = (): void => {
    if (name !== undefined && wanted) fields.set(name, lines.join('\n'));
  };
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const stop = newline < 0 ? text.length : newline;
    const first = text.charCodeAt(start);
    if (first === 0x23) {
      // a comment, gone without a trace
    } else if (first === 0x20 || first === 0x09) {
      if (name === undefined) throw new SyntaxError('a continuation line before the first field');
      if (wanted) lines.push(text.slice(start + 1, stop).trimEnd());
    } else {
      end();
      const colon = text.indexOf(':', start);
      if (colon < 0 || colon > stop) throw new SyntaxError('a line that is no field');
      name = text.slice(start, colon).toLowerCase();
      if (seen.has(name)) throw new SyntaxError(`the field ${name.slice(0, 80)} stands twice`);
      if (!FIELD_NAME.test(name)) throw new SyntaxError('a field with a name that is not allowed');
      if (seen.size === FIELDS_MAX) throw new SyntaxError(`more than ${FIELDS_MAX} fields`);
      seen.add(name);
      wanted = only === undefined || only.has(name);
      lines = wanted ? [text.slice(colon + 1, stop).trim()] : [];
    }
    start = stop + 1;
  }
  end();
  return fields;
}

/** A text of stanzas, cut at its blank lines; each piece is one `parseStanza` can read or refuse by itself. */
export function* splitStanzas(text: string): Generator<string> {
  const blank = /\n[ \t]*(?=\n)/g; // dpkg takes a line of blanks for an empty one
  let start = 0;
  for (let match = blank.exec(text); match !== null; match = blank.exec(text)) {
    const piece = text.slice(start, match.index + 1);
    if (piece.trim() !== '') yield piece;
    start = blank.lastIndex + 1;
  }
  const rest = text.slice(start);
  if (rest.trim() !== '') yield rest;
}

/**
 * The stanzas of a large, trusted (signed) file as it streams by; memory is one stanza and one chunk. With `only`, other
 * fields are checked and dropped. Throws `SyntaxError` as {@link parseStanza} does.
 */
export async function* readStanzas(source: AsyncIterable<Uint8Array>, only?: ReadonlySet<string>): AsyncGenerator<Stanza> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const text = rest + decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let cut = text.indexOf('\n\n'); cut >= 0; cut = text.indexOf('\n\n', start)) {
      const piece = text.slice(start, cut + 1);
      if (piece.trim() !== '') yield parseStanza(piece.trimStart(), only);
      start = cut + 2;
    }
    rest = text.slice(start);
    if (rest.length > STANZA_CHARACTERS_MAX) throw new SyntaxError('a stanza that does not end');
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield parseStanza(rest.trimStart(), only);
}
