import Type from 'typebox';

/**
 * The name of a file as printable text. Names are bytes: a byte that is not part of well-formed UTF-8, a control
 * character, a bidirectional override or a backslash is written `\xNN` (two lower-case hex digits a byte), so that two
 * different names never look or compare equal, and a name can be shown in a terminal, a log, HTML or JSON as it is.
 * Absolute, `/` for the root, no trailing slash.
 */
export const Path = Type.String({ description: 'absolute path; bytes that are not printable UTF-8 as \\xNN' });
export type Path = string;

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;
// What a reader cannot see or is misled by: C0, DEL, C1, line and paragraph separators, zero width and bidi controls.
const HIDDEN = /[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function hexEscape(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += `\\x${byte.toString(16).padStart(2, '0')}`;
  return out;
}

/** Bytes to their printable form; injective. Also right for link targets and any other name out of an image. */
export function textFromBytes(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (PLAIN.test(latin)) return latin;
  let out = '';
  let start = 0;
  while (start < bytes.length) {
    const length = sequenceLength(bytes, start);
    const piece = bytes.subarray(start, start + Math.max(length, 1));
    out += length === 0 ? hexEscape(piece) : strict.decode(piece).replace(HIDDEN, (character) => hexEscape(Buffer.from(character)));
    start += piece.length;
  }
  return out;
}

/** The bytes that {@link textFromBytes} was given. */
export function bytesFromText(text: string): Buffer {
  if (PLAIN.test(text)) return Buffer.from(text, 'latin1');
  const parts: Buffer[] = [];
  for (const part of text.split(/(\\x[0-9a-f]{2})/)) {
    parts.push(/^\\x[0-9a-f]{2}$/.test(part) ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part));
  }
  return Buffer.concat(parts);
}

/** Length of the well-formed UTF-8 sequence at `start` (Unicode 15, table 3-7), 0 where there is none. */
function sequenceLength(bytes: Uint8Array, start: number): number {
  const lead = bytes[start] ?? 0;
  const length =
    lead < 0x80 ? 1 : lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length === 0 || start + length > bytes.length) return 0;
  if (length === 1) return 1;
  try {
    strict.decode(bytes.subarray(start, start + length));
    return length;
  } catch {
    return 0;
  }
}

/** Code-unit order: the same on every machine and in every locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
