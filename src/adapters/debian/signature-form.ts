/**
 * Whether a file is a signature, or a message and its signature, and nothing more. Libraries look for such blocks anywhere, which is how
 * bytes that nobody signed can lie in a file whose signature holds. RFC 9580, sections 4.2, 6.2 and 7.
 */

/** Bytes. Three keys sign Debian's files, with some 850 bytes each. */
const SIGNATURE_BYTES_MAX = 16 * 1024;
const SIGNATURE_TAG = 2;
const BEGIN_MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----';
const BEGIN = '-----BEGIN PGP SIGNATURE-----';
const END = '-----END PGP SIGNATURE-----';
/** GnuPG 1 gave its version. */
const HEADER = /^(?:Version|Comment): [ -~]{0,80}$/;

/** A message signed in the clear: text before and behind it, or between its parts, is nobody's. */
export function isSignedMessage(bytes: Uint8Array): boolean {
  const lines = linesOf(Buffer.from(bytes).toString('latin1'));
  // Inside the text such a line begins with `- `.
  const marks = lines.flatMap((line, index) => (line.startsWith('-----') ? [index] : []));
  const [first, second, ...rest] = marks;
  if (first !== 0 || second === undefined || rest.length !== 1 || lines[0] !== BEGIN_MESSAGE) return false;
  return isArmored(lines.slice(second));
}

/** Signature packets, armored or not. */
export function isSignature(bytes: Uint8Array): boolean {
  if (bytes.length > SIGNATURE_BYTES_MAX) return false;
  const text = Buffer.from(bytes).toString('latin1');
  return text.startsWith('-----') ? isArmored(linesOf(text)) : areSignatures(bytes);
}

function linesOf(text: string): string[] {
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

function isArmored(lines: readonly string[]): boolean {
  if (lines[0] !== BEGIN || lines.at(-1) !== END || lines.length > SIGNATURE_BYTES_MAX / 64) return false;
  const body = lines.slice(1, -1);
  while (HEADER.test(body[0] ?? '')) body.shift();
  if (body.shift() !== '') return false;
  if (/^=[A-Za-z0-9+/]{4}$/.test(body.at(-1) ?? '')) body.pop(); // a checksum, which nobody needs any more
  const base64 = body.join('');
  const packets = Buffer.from(base64, 'base64');
  return body.every((line) => line.length <= 76) && packets.toString('base64') === base64 && areSignatures(packets);
}

function areSignatures(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    const next = endOfSignature(bytes, at);
    if (next === undefined || next > bytes.length) return false;
    at = next;
  }
  return at > 0;
}

/** Where a signature packet ends that begins here; undefined for any other, and for lengths that signatures do not have. */
function endOfSignature(bytes: Uint8Array, at: number): number | undefined {
  const [header = 0, a = 0, b = 0, c = 0, d = 0, e = 0] = bytes.subarray(at, at + 6);
  if ((header & 0xc0) === 0xc0) {
    if ((header & 0x3f) !== SIGNATURE_TAG) return undefined;
    if (a < 192) return at + 2 + a;
    if (a < 224) return at + 3 + (((a - 192) << 8) | b) + 192;
    return a === 255 ? at + 6 + bytesToNumber(b, c, d, e) : undefined;
  }
  if ((header & 0xc0) !== 0x80 || ((header >> 2) & 0x0f) !== SIGNATURE_TAG) return undefined;
  if ((header & 3) === 0) return at + 2 + a;
  if ((header & 3) === 1) return at + 3 + ((a << 8) | b);
  return (header & 3) === 2 ? at + 5 + bytesToNumber(a, b, c, d) : undefined;
}

function bytesToNumber(...bytes: number[]): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
