import type { Entry } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** Directories that Debian lets be links: a merged /usr, and what base-files' postinst makes of two of its own. */
const ALIASES: ReadonlyMap<Path, readonly string[]> = new Map<Path, readonly string[]>([
  ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libo32', '/libx32'].map((path): [Path, string[]] => [
    path,
    [`usr${path}`, `/usr${path}`],
  ]),
  ['/var/run', ['/run']],
  ['/var/lock', ['/run/lock']],
]);
const HOPS_MAX = 40; // Linux: MAXSYMLINKS

/** Where dpkg puts a path, following links that stand for directories. */
export type Resolve = (path: Path) => Path;

/** Those of Debian's links for directories that the image has, exactly as Debian makes them. */
export function aliasesOf(entries: ReadonlyMap<Path, Entry>): { path: Path; target: string }[] {
  return [...ALIASES].flatMap(([path, targets]) => {
    const entry = entries.get(path);
    return entry?.kind === 'symlink' && entry.target !== undefined && targets.includes(entry.target)
      ? [{ path, target: entry.target }]
      : [];
  });
}

/** Directories of Debian that are links of another kind in the image: nothing below them is where packages put it. */
export function strangeAliases(entries: ReadonlyMap<Path, Entry>): Entry[] {
  return [...ALIASES].flatMap(([path, targets]) => {
    const entry = entries.get(path);
    return entry?.kind === 'symlink' && !targets.includes(entry.target ?? '') ? [entry] : [];
  });
}

/** Resolves the folders of a path (not its last part) through these links; a ring of links is left as it is. */
export function makeResolve(links: ReadonlyMap<Path, string>): Resolve {
  const known = new Map<Path, Path>();
  const folder = (path: Path, hops: number): Path => {
    if (path === '' || path === '/') return '';
    const found = known.get(path);
    if (found !== undefined) return found;
    const cut = path.lastIndexOf('/');
    const parent = folder(path.slice(0, cut), hops);
    const plain = `${parent}${path.slice(cut)}`;
    const target = links.get(plain);
    const resolved = target === undefined || hops >= HOPS_MAX ? plain : folder(absolute(parent, target), hops + 1);
    known.set(path, resolved);
    return resolved;
  };
  return (path) => {
    const cut = path.lastIndexOf('/');
    return path === '/' ? '/' : `${folder(path.slice(0, cut), 0)}${path.slice(cut)}`;
  };
}

function absolute(parent: Path, target: string): Path {
  const parts: string[] = target.startsWith('/') ? [] : parent.split('/').filter(Boolean);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '' : `/${parts.join('/')}`;
}
