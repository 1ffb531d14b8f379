import type { Entry } from '../model/inventory.ts';
import type { Source, SourceFile, SourceHistoryFile } from '../model/rebuild.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';
import { isPrivileged, isWorldWritable } from './privileges.ts';
import { isSensitive } from './sensitive-places.ts';

/** The commit, or the digest of the uploaded context. */
export function revisionOf({ location }: Source): string {
  return location.kind === 'git' ? location.commit : location.digest;
}

/**
 * The bytes of a file in the source. Bytes alone are not enough: a script that lies in the repository as a test must not
 * become a cron job. Where there is a rebuild, it has to put the same file there; where there is none, the name has to be the
 * same, and the file must neither carry privileges nor lie in a place where it decides over others.
 */
export function sourceAccounts(file: Case, madeByRebuild: (entry: Entry) => boolean): (entry: Entry) => Account | undefined {
  const { sourceTree, rebuilt } = file;
  if (sourceTree === undefined) return () => undefined;
  const revision = revisionOf(sourceTree.source);
  const byDigest = Map.groupBy(
    sourceTree.files.filter(({ size, digest }) => digest !== undefined && size > 0),
    ({ digest }) => digest,
  );
  const byTarget = Map.groupBy(
    sourceTree.files.filter(({ target }) => target !== undefined),
    ({ target }) => target,
  );
  return (entry) => {
    const candidates =
      entry.kind === 'symlink' ? byTarget.get(entry.target) : entry.digest === undefined ? undefined : byDigest.get(entry.digest);
    if (candidates === undefined) return undefined;
    const named = candidates.find(({ path }) => baseName(path) === baseName(entry.path));
    if (entry.kind === 'symlink' && named === undefined) return undefined;
    const from = named ?? candidates[0];
    if (from === undefined) return undefined;
    if (rebuilt !== undefined ? !madeByRebuild(entry) : !isPlausible(entry, named)) return undefined;
    return { attribution: 'source', evidence: { sourcePath: from.path, revision } };
  };
}

function isPlausible(entry: Entry, named: SourceFile | undefined): boolean {
  return named !== undefined && !isPrivileged(entry) && !isWorldWritable(entry) && !isSensitive(entry.path);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Where another commit of the same repository has these bytes under the same name, the newest such commit. */
export function otherCommits(file: Case): (entry: Pick<Entry, 'path' | 'digest' | 'size'>) => SourceHistoryFile | undefined {
  const history = Map.groupBy(file.sourceTree?.history ?? [], ({ digest }) => digest);
  const now = new Set(file.sourceTree?.files.map(({ digest }) => digest));
  return ({ path, digest, size }) => {
    if (digest === undefined || size === 0 || now.has(digest)) return undefined;
    return history.get(digest)?.find((one) => baseName(one.path) === baseName(path));
  };
}
