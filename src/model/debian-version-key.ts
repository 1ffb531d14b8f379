import { parseDebianVersion } from './debian-version.ts';

// Characters of one run in dpkg's order: the tilde before the end of the run, letters after it, everything else last.
const TILDE = 0x01;
const END = 0x02;
const LETTER = 0x03; // A to Z, a to z
const OTHER = 0x40; // by code: + - . :
/** A count up to this is one byte; above it the byte itself and four more. */
const SHORT_MAX = 254;

/**
 * A key for a version whose order as bytes is dpkg's order of versions (deb-version(7), lib/dpkg/version.c): two keys are equal where
 * dpkg takes the versions for equal. An index of a database that compares bytes thus answers "older than". What dpkg refuses has
 * the empty key, which comes before every other: nothing shows that it is new enough.
 *
 * Written are the epoch, then for upstream version and revision in turn: each run of non-digits and the end of it, each number as
 * the count of its digits and the digits. At the end of a part there is one more end of a run.
 */
export function debianVersionKey(text: string): Uint8Array {
  const version = parseDebianVersion(text);
  if (version === undefined) return new Uint8Array();
  const bytes: number[] = [];
  count(bytes, version.epoch);
  part(bytes, version.upstream);
  part(bytes, version.revision);
  return Uint8Array.from(bytes);
}

function part(bytes: number[], text: string): void {
  let i = 0;
  do {
    for (; i < text.length && !isDigit(text.charCodeAt(i)); i++) bytes.push(weight(text.charCodeAt(i)));
    bytes.push(END);
    while (text[i] === '0') i++;
    const from = i;
    while (i < text.length && isDigit(text.charCodeAt(i))) i++;
    count(bytes, i - from);
    for (let at = from; at < i; at++) bytes.push(text.charCodeAt(at));
  } while (i < text.length);
  bytes.push(END);
}

/** Order-preserving, for 0 to 2^32 - 1. */
function count(bytes: number[], value: number): void {
  if (value <= SHORT_MAX) bytes.push(value);
  else bytes.push(SHORT_MAX + 1, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function weight(code: number): number {
  if (code === 0x7e) return TILDE;
  if (code >= 0x41 && code <= 0x5a) return LETTER + code - 0x41;
  if (code >= 0x61 && code <= 0x7a) return LETTER + 26 + code - 0x61;
  return OTHER + code;
}
