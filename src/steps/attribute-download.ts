import type { Entry } from '../model/inventory.ts';
import type { Account } from './attribute-debian.ts';
import type { Case } from './case.ts';

export type Download = { url: string; line?: number };

/** What the rebuild fetched, by SHA-256: whether a step of the Dockerfile names that digest decides if it was pinned. */
export function downloads(file: Case): { pinned: ReadonlyMap<string, Download>; unpinned: ReadonlyMap<string, Download> } {
  const pinned = new Map<string, Download>();
  const unpinned = new Map<string, Download>();
  const steps = file.rebuild.dockerfile?.steps ?? [];
  for (const { uri, digest } of file.rebuild.resolvedDependencies) {
    if (digest === undefined || !/^[0-9a-f]{64}$/.test(digest.sha256) || !/^https?:/.test(uri)) continue;
    const step = steps.find(({ text }) => text.toLowerCase().includes(digest.sha256));
    const key = `sha256:${digest.sha256}`;
    if (step !== undefined) pinned.set(key, { url: uri, line: step.line });
    else if (!unpinned.has(key)) unpinned.set(key, { url: uri });
  }
  return { pinned, unpinned };
}

/** The bytes of something that was fetched during the rebuild and that the Dockerfile pins by its digest. */
export function downloadAccounts(file: Case, madeByRebuild: (entry: Entry) => boolean): (entry: Entry) => Account | undefined {
  const { pinned } = downloads(file);
  if (pinned.size === 0) return () => undefined;
  return (entry) => {
    const found = entry.digest === undefined || entry.size === 0 ? undefined : pinned.get(entry.digest);
    if (found === undefined || !madeByRebuild(entry)) return undefined;
    return { attribution: 'download', evidence: { url: found.url, ...(found.line === undefined ? {} : { line: found.line }) } };
  };
}
