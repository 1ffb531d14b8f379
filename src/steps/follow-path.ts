import type { Entry } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** Linux: MAXSYMLINKS, path_resolution(7). */
const LINKS_MAX = 40;
/** Parts of all the targets together: forty links may each have a target of 4096 bytes. */
const PARTS_MAX = 20_000;

/** Where a path leads inside the image, and over which symbolic links. */
export type Followed = { entry: Entry; via: Path[] } | { lost: 'missing' | 'loop'; at: Path; via: Path[] };

/** A path inside the image with every symbolic link followed, as the kernel does it for a process whose root the image is. */
export function followPath(entries: ReadonlyMap<Path, Entry>, path: Path): Followed {
  const via: Path[] = [];
  const names: string[] = [];
  const todo = path.split('/').toReversed();
  let parts = todo.length;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      names.pop();
      continue;
    }
    const at = `/${[...names, part].join('/')}`;
    const entry = entries.get(at);
    if (entry === undefined) return { lost: 'missing', at, via };
    if (entry.kind !== 'symlink') {
      names.push(part);
      continue;
    }
    const target = entry.target ?? '';
    const further = target.split('/').toReversed();
    parts += further.length;
    if (via.length >= LINKS_MAX || parts > PARTS_MAX) return { lost: 'loop', at, via };
    via.push(at);
    if (target.startsWith('/')) names.length = 0;
    todo.push(...further);
  }
  const at = `/${names.join('/')}`;
  const entry = entries.get(at);
  return entry === undefined ? { lost: 'missing', at, via } : { entry, via };
}

/** Whether a path is one of these folders, or below one. */
export function isBelow(path: Path, folders: Iterable<Path>): Path | undefined {
  for (const folder of folders) if (path === folder || folder === '/' || path.startsWith(`${folder}/`)) return folder;
  return undefined;
}

/** A path as it stands in a configuration: made absolute, without `.`, `..` and doubled slashes; no link is followed. */
export function absolutePath(path: string, folder: Path): Path {
  const names: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : folder}/${path}`.split('/')) {
    if (part === '..') names.pop();
    else if (part !== '' && part !== '.') names.push(part);
  }
  return `/${names.join('/')}`;
}
