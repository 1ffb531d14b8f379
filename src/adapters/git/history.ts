import { createHash } from 'node:crypto';
import { digestFromHex } from '../../model/digest.ts';
import { textFromBytes } from '../../model/path.ts';
import type { SourceHistoryFile } from '../../model/rebuild.ts';
import { runGit, type GitCommand } from './run.ts';
import { readBlobs } from './tree.ts';

export type HistoryLimits = {
  commits: number;
  files: number;
  /** Bytes of all files together, and of one: what an image is traced by is text and small programs. */
  bytes: number;
  fileBytes: number;
};

export const HISTORY_LIMITS: HistoryLimits = { commits: 2_000, files: 5_000, bytes: 256 * 2 ** 20, fileBytes: 32 * 2 ** 20 };

type Version = { oid: string; name: Buffer; commit: string };

/**
 * Files of every commit that any branch or tag reaches, newest first, without those of the pinned tree itself. A version is
 * named with the newest commit that brought it in.
 */
export async function readHistory(
  command: GitCommand,
  pinned: { oid: string; name: Buffer }[],
  subdir: Buffer,
  limits: HistoryLimits,
): Promise<{ files: SourceHistoryFile[]; complete: boolean }> {
  const log = await runGit(
    command,
    // prettier-ignore
    ['log', '--all', '--date-order', `--max-count=${limits.commits + 1}`, '--format=%x00commit %H', '--raw', '-z', '--no-abbrev', '--no-renames', '--root', '--diff-merges=first-parent'],
    64 * 2 ** 20,
  );
  const seen = new Set(pinned.map(({ oid, name }) => key(oid, name)));
  const { versions, complete: allCommits } = versionsOf(log, subdir, seen, limits);
  const sizes = await sizesOf(command, versions);
  let complete = allCommits;
  let bytes = 0;
  const wanted = new Map<string, number>();
  for (const { oid } of versions) {
    const size = sizes.get(oid);
    if (size === undefined || wanted.has(oid)) continue;
    if (size > limits.fileBytes || bytes + size > limits.bytes) {
      complete = false;
      continue;
    }
    bytes += size;
    wanted.set(oid, size);
  }
  const digests = new Map<string, string>();
  const order = [...wanted].map(([oid, size]) => ({ oid, size }));
  let index = 0;
  for await (const content of readBlobs(command, order)) {
    const hash = createHash('sha256');
    for await (const part of content) hash.update(part);
    digests.set(order[index++]?.oid ?? '', hash.digest('hex'));
  }
  const files = versions.flatMap(({ oid, name, commit }) => {
    const hex = digests.get(oid);
    return hex === undefined ? [] : [{ path: textFromBytes(name), digest: digestFromHex(hex), commit }];
  });
  return { files, complete };
}

const key = (oid: string, name: Buffer): string => `${oid} ${name.toString('latin1')}`;

/** Reads `git log --raw -z`: `commit <id>`, then `:<mode> <mode> <oid> <oid> <status>` and the path, each ended by NUL. */
function versionsOf(log: Buffer, subdir: Buffer, seen: Set<string>, limits: HistoryLimits): { versions: Version[]; complete: boolean } {
  const versions: Version[] = [];
  let commit = '';
  let commits = 0;
  let raw = '';
  for (let start = 0; start < log.length;) {
    const found = log.indexOf(0, start);
    const end = found < 0 ? log.length : found;
    const field = log.subarray(start, end);
    start = end + 1;
    if (raw !== '') {
      const [, mode = '', , oid = ''] = raw.split(' ');
      raw = '';
      const isBlob = mode.startsWith('100') || mode === '120000';
      if (!isBlob || field.length <= subdir.length || !field.subarray(0, subdir.length).equals(subdir)) continue;
      const name = Buffer.from(field.subarray(subdir.length));
      if (seen.has(key(oid, name))) continue;
      seen.add(key(oid, name));
      if (versions.length >= limits.files) return { versions, complete: false };
      versions.push({ oid, name, commit });
      continue;
    }
    const text = field.toString('latin1').trim();
    if (text.startsWith('commit ')) {
      commit = text.slice('commit '.length);
      commits += 1;
      if (commits > limits.commits) return { versions, complete: false };
    } else if (text.startsWith(':')) raw = text;
  }
  return { versions, complete: true };
}

async function sizesOf(command: GitCommand, versions: Version[]): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const oids = [...new Set(versions.map(({ oid }) => oid))];
  if (oids.length === 0) return sizes;
  const listing = await runGit(
    command,
    ['cat-file', '--batch-check=%(objectname) %(objecttype) %(objectsize)'],
    2 ** 20,
    oids.join('\n') + '\n',
  );
  for (const line of listing.toString('latin1').split('\n')) {
    const [oid = '', type, size] = line.split(' ');
    if (type === 'blob') sizes.set(oid, Number(size));
  }
  return sizes;
}
