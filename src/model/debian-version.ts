/**
 * Debian's version numbers and their order: deb-version(7), and what dpkg itself does where the page is silent
 * (lib/dpkg/parsehelp.c, lib/dpkg/version.c).
 */
export type DebianVersion = { epoch: number; upstream: string; revision: string };

const EPOCH_MAX = 2_147_483_647; // dpkg keeps it in a C int
const UPSTREAM = /^[A-Za-z0-9.+~:-]+$/;
const REVISION = /^[A-Za-z0-9.+~]*$/;

/** Undefined for what dpkg refuses. */
export function parseDebianVersion(text: string): DebianVersion | undefined {
  let rest = text;
  let epoch = 0;
  const colon = rest.indexOf(':');
  if (colon >= 0) {
    const digits = rest.slice(0, colon);
    if (!/^[0-9]{1,10}$/.test(digits)) return undefined;
    epoch = Number(digits);
    if (epoch > EPOCH_MAX) return undefined;
    rest = rest.slice(colon + 1);
  }
  const hyphen = rest.lastIndexOf('-');
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (hyphen >= 0 && revision === '') return undefined;
  if (!UPSTREAM.test(upstream) || !/^[0-9]/.test(upstream) || !REVISION.test(revision)) return undefined;
  return { epoch, upstream, revision };
}

/** Negative where `a` is the older, 0 where dpkg takes them for equal (`1.0` and `1.0-0`). Throws `SyntaxError` for no version. */
export function compareDebianVersions(a: string, b: string): number {
  const left = parseDebianVersion(a);
  const right = parseDebianVersion(b);
  if (left === undefined || right === undefined) throw new SyntaxError('no Debian version');
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
  return comparePart(left.upstream, right.upstream) || comparePart(left.revision, right.revision);
}

/** Turns of non-digits (by weight) and digits (by value), the tilde before the end and the end before anything else. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = weight(a, i) - weight(b, j);
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    const from = i;
    const other = j;
    while (isDigit(a, i)) i++;
    while (isDigit(b, j)) j++;
    const left = a.slice(from, i);
    const right = b.slice(other, j);
    if (left.length !== right.length) return left.length < right.length ? -1 : 1;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0x30 && code <= 0x39;
}

function weight(text: string, index: number): number {
  if (index >= text.length || isDigit(text, index)) return 0;
  const code = text.charCodeAt(index);
  if (code === 0x7e) return -1;
  const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return letter ? code : code + 256;
}
