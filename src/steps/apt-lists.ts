import { APT_LISTS, type AptList, listName, stemOf, stemOfRepository, type VerifiedList } from '../model/apt-lists.ts';
import type { AptRepository } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import type { Contents, Inventory } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** Release files of an image that are looked into: more archives than any image asks, and a bound on the time that their keys take. */
const RELEASES_MAX = 64;

/** The Release files among an image's apt lists, in the order of their paths. Bounded: of more, the rest is nobody's. */
export function aptLists(inventory: Inventory, contents: Contents, repositories: readonly AptRepository[]): AptList[] {
  const files = new Map<Path, Digest>();
  for (const { path, kind, digest } of inventory.entries)
    if (kind === 'file' && digest !== undefined && path.startsWith(APT_LISTS) && !path.includes('/', APT_LISTS.length))
      files.set(path, digest);
  const named = repositories.flatMap((repository) => {
    const stem = stemOfRepository(repository);
    return stem === undefined ? [] : [{ repository, stem }];
  });
  const bytesOf = (path: Path): Uint8Array | undefined => contents.get(files.get(path) ?? ('' as Digest));
  const lists: AptList[] = [];
  for (const path of files.keys()) {
    const stem = stemOf(path);
    const bytes = bytesOf(path);
    if (stem === undefined || bytes === undefined) continue;
    if (lists.length === RELEASES_MAX) break;
    const signature = path.endsWith('_InRelease') ? undefined : bytesOf(`${path}.gpg`);
    lists.push({
      path,
      bytes,
      ...(signature === undefined ? {} : { signature }),
      indexes: new Set([...files.keys()].flatMap((one) => (one.startsWith(stem) ? [one.slice(stem.length)] : []))),
      // Names of hosts are the same in capitals.
      repositories: named.filter((one) => one.stem.toLowerCase() === stem.toLowerCase()).map(({ repository }) => repository),
    });
  }
  return lists;
}

/** Which bytes belong to each of apt's lists, by what is verified: Release files, their signatures, and the indexes that they name. */
export function verifiedLists(lists: readonly VerifiedList[]): ReadonlyMap<Path, ReadonlySet<Digest>> {
  const digests = new Map<Path, Set<Digest>>();
  const add = (path: Path, digest: Digest): void => void digests.set(path, (digests.get(path) ?? new Set()).add(digest));
  for (const { path, digest, signature, indexes } of lists) {
    const stem = stemOf(path);
    if (stem === undefined) continue;
    add(path, digest);
    if (signature !== undefined) add(`${path}.gpg`, signature);
    for (const index of indexes) add(`${stem}${listName(index.path)}`, index.digest);
  }
  return digests;
}
