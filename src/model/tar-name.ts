import { type Path, textFromBytes } from './path.ts';

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;

/** A byte string (one character a byte) as printable text, see {@link Path}. */
export function textFromByteString(bytes: string): string {
  return PLAIN.test(bytes) ? bytes : textFromBytes(Buffer.from(bytes, 'latin1'));
}

/**
 * A name of a tar as the path it has below the root: what Go's filepath.Clean and then a join with the root make of it.
 * `escapes` where a `..` goes above the root, which containerd stops at; `dots` where there is any `..`.
 */
export function cleanName(bytes: string): { path: Path; escapes: boolean; dots: boolean } {
  const parts: string[] = [];
  let escapes = false;
  let dots = false;
  for (const part of bytes.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else {
      dots = true;
      if (parts.pop() === undefined) escapes = true;
    }
  }
  return { path: textFromByteString(`/${parts.join('/')}`), escapes, dots };
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * What a name means in a layer. OCI image specification 1.1, layer.md "Whiteouts". `invalid` is a whiteout of the directory
 * itself or of its parent, which containerd refuses; `reserved` is one of aufs' own names.
 */
export function whiteoutOf(path: Path): { whiteout: 'file' | 'opaque'; path: Path } | 'invalid' | 'reserved' | undefined {
  const slash = path.lastIndexOf('/');
  const base = path.slice(slash + 1);
  if (!base.startsWith(WHITEOUT)) return undefined;
  const parent = path.slice(0, slash);
  if (base === OPAQUE) return { whiteout: 'opaque', path: parent === '' ? '/' : parent };
  const hidden = base.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') return 'invalid';
  if (hidden.startsWith(WHITEOUT)) return 'reserved';
  return { whiteout: 'file', path: `${parent}/${hidden}` };
}
