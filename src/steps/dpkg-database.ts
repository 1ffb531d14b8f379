import type { Contents, Inventory } from '../model/inventory.ts';
import { type Path, textFromBytes } from '../model/path.ts';

/** dpkg-divert(1): files of any package but `package` that would be at `from` are at `to`. `:` is the administrator's own. */
export type Diversion = { from: Path; to: Path; package: string };
/** dpkg-statoverride(1). Names, or `#` and a number, as they stand in the file. */
export type StatOverride = { user: string; group: string; mode: number; path: Path };
/** dpkg(1), `--path-exclude` and `--path-include`; the last one that matches counts. */
export type PathFilter = { include: boolean; pattern: string };

const LINES_MAX = 10_000; // a desktop has some dozens of either kind

export function parseDiversions(bytes: Uint8Array | undefined): Diversion[] {
  const lines = linesOf(bytes);
  const diversions: Diversion[] = [];
  for (let i = 0; i + 2 < lines.length; i += 3) {
    const [from, to, name] = [lines[i]!, lines[i + 1]!, lines[i + 2]!];
    if (from.startsWith('/') && to.startsWith('/')) diversions.push({ from, to, package: name });
  }
  return diversions;
}

export function parseStatOverrides(bytes: Uint8Array | undefined): StatOverride[] {
  return linesOf(bytes).flatMap((line) => {
    const [, user, group, mode, path] = /^(\S+) (\S+) ([0-7]{1,4}) (\/.*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ user: user!, group: group!, mode: parseInt(mode!, 8), path }];
  });
}

/** The filters of dpkg's own configuration, in the order in which dpkg reads them: dpkg.cfg(5). */
export function pathFilters(inventory: Inventory, contents: Contents): PathFilter[] {
  const folder: PathFilter[] = [];
  const main: PathFilter[] = [];
  for (const { path, digest } of inventory.entries) {
    const isMain = path === '/etc/dpkg/dpkg.cfg';
    if (digest === undefined || (!isMain && !/^\/etc\/dpkg\/dpkg\.cfg\.d\/[A-Za-z0-9_-]+$/.test(path))) continue;
    for (const line of linesOf(contents.get(digest))) {
      const [, kind, pattern] = /^\s*(?:--)?path-(exclude|include)(?:\s*=\s*|\s+)"?([^"]+?)"?\s*$/.exec(line) ?? [];
      if (pattern !== undefined) (isMain ? main : folder).push({ include: kind === 'include', pattern });
    }
  }
  return [...folder, ...main].slice(0, 1000);
}

/** The `path-exclude` that keeps a path out, where the last filter that matches is one. */
export function excludedBy(filters: readonly PathFilter[], path: Path): string | undefined {
  const last = filters.findLast(({ pattern }) => matchesGlob(pattern, path));
  return last === undefined || last.include ? undefined : last.pattern;
}

/** fnmatch(3) without flags for `*` (also over slashes) and `?`; quadratic at worst, whatever the pattern. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p++;
      resume = t;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Names and numbers of `/etc/passwd` or `/etc/group`: the first line of a name counts, as for getpwnam(3). */
export function parseIds(bytes: Uint8Array | undefined): Map<string, number> {
  const ids = new Map<string, number>();
  for (const line of linesOf(bytes)) {
    const [name, , id] = line.split(':');
    if (name !== undefined && name !== '' && id !== undefined && /^[0-9]{1,10}$/.test(id) && !ids.has(name)) ids.set(name, Number(id));
  }
  return ids;
}

function linesOf(bytes: Uint8Array | undefined): string[] {
  if (bytes === undefined) return [];
  const lines = Buffer.from(bytes).toString('latin1').split('\n', LINES_MAX);
  return lines.filter((line) => line !== '').map((line) => textFromBytes(Buffer.from(line, 'latin1')));
}
