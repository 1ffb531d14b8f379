import type { Digest } from '../model/digest.ts';
import type { Download } from '../model/download.ts';
import type { Entry } from '../model/inventory.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';

/** Something fetched, or a member of it. */
export type DownloadedFile = { download: Download; member?: string };

/** What the rebuild fetched, and what was in it, by SHA-256. What is pinned anywhere counts as pinned. */
export function downloadedFiles(file: Pick<Case, 'downloads'>): {
  pinned: ReadonlyMap<Digest, DownloadedFile>;
  unpinned: ReadonlyMap<Digest, DownloadedFile>;
} {
  const pinned = new Map<Digest, DownloadedFile>();
  const unpinned = new Map<Digest, DownloadedFile>();
  for (const download of file.downloads) {
    const files = download.pinned === undefined ? unpinned : pinned;
    const add = (to: Map<Digest, DownloadedFile>, digest: Digest, one: DownloadedFile): void =>
      void (to.has(digest) || to.set(digest, one));
    add(download.pinsMembersOnly === true ? unpinned : files, download.digest, { download });
    for (const { path, digest } of download.members) add(files, digest, { download, member: path });
  }
  for (const digest of pinned.keys()) unpinned.delete(digest);
  return { pinned, unpinned };
}

/**
 * The bytes of something that was fetched during the rebuild and that the source pins, or of a member of it. That says nothing of a file's rights: a
 * setuid program and a capability are the work of a step, whatever the archive says of them.
 */
export function downloadAccounts(file: Case, madeByRebuild: (entry: Entry) => boolean): (entry: Entry) => Account | undefined {
  const { pinned } = downloadedFiles(file);
  if (pinned.size === 0) return () => undefined;
  return (entry) => {
    const found = entry.digest === undefined || entry.size === 0 ? undefined : pinned.get(entry.digest);
    const place = found?.download.pinned;
    if (found === undefined || place === undefined || givesRights(entry) || !madeByRebuild(entry)) return undefined;
    const { download, member } = found;
    return {
      attribution: 'download',
      evidence: { url: download.url, ...(member === undefined ? {} : { member }), pinnedIn: place.path, line: place.line },
    };
  };
}

function givesRights({ mode, xattrs }: Entry): boolean {
  return (mode & 0o6000) !== 0 || xattrs !== undefined;
}
