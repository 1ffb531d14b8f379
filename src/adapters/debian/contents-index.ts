import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestFromHex, hexOf } from '../../model/digest.ts';
import { namesOf } from '../../model/merged-usr.ts';
import { type Path, bytesFromText } from '../../model/path.ts';
import { Problem } from '../../problem.ts';
import { decompress } from './decompress.ts';
import type { Mirror } from './mirror.ts';
import { addressesOf, prune } from './packages.ts';
import type { Suite } from './suite.ts';

const PACKED_BYTES_MAX = 512 * 1024 * 1024; // trixie, main, all: 38 MB
const UNPACKED_BYTES_MAX = 8 * 1024 * 1024 * 1024; // trixie, main, all: 590 MB
const READ_PIECE = 1 << 18;
const LINE_CHARACTERS_MAX = 64 * 1024;
/** Packages of one path; some twenty hold one program in turns. A path may stand in any number of lines. */
const OWNERS_MAX = 100;
/** `usr/bin/tool   utils/tool,contrib/net/other`: the path may hold blanks, the list of packages none. */
const LINE = /^(.*?)[ \t]+(\S+)$/;
const NAME = /^[a-z0-9][a-z0-9+.-]{1,127}$/;

/** Whether a suite has such an index at all; the security archive's are empty. */
export function hasContents(suite: Suite, component: string, architecture: string): boolean {
  return (suite.release.files.get(indexPath(component, architecture))?.size ?? 0) > 0;
}

/**
 * Which packages hold these paths, by an index of a verified suite: https://wiki.debian.org/DebianRepository/Format, "Contents".
 * Read as a stream, so that memory is that of the answer; the packed index is kept by its hash. Undefined where the mirror does
 * not have the index that the Release file names: another one is not read, and nothing that is proven rests on an index, which
 * only says where to look. Throws `archive-untrusted`, `archive-unavailable`.
 */
export async function findOwners(
  ports: { mirror: Mirror; cacheDir: string },
  suite: Suite,
  index: { component: string; architecture: string },
  paths: readonly Path[],
): Promise<Map<Path, string[]> | undefined> {
  const owners = new Map<Path, string[]>();
  if (!hasContents(suite, index.component, index.architecture)) return owners;
  const file = await keptIndex(ports, suite, indexPath(index.component, index.architecture));
  if (file === undefined) return undefined;
  const wanted = new Map<string, Path>(); // as the index writes it: bytes as latin1, no slash in front
  for (const path of paths) for (const name of namesOf(path)) wanted.set(bytesFromText(name).toString('latin1', 1), path);
  const look = (line: string): void => {
    const path = wanted.get(pathOf(line));
    const list = path === undefined ? undefined : LINE.exec(line)?.[2];
    if (path === undefined || list === undefined) return;
    const names = list.split(',', OWNERS_MAX).map((one) => one.slice(one.lastIndexOf('/') + 1));
    const known = owners.get(path) ?? [];
    for (const name of names) if (known.length < OWNERS_MAX && NAME.test(name)) known.push(name);
    owners.set(path, known);
  };
  await eachLine(decompress('Contents.gz', createReadStream(file, { highWaterMark: READ_PIECE }), UNPACKED_BYTES_MAX), look);
  return owners;
}

function indexPath(component: string, architecture: string): string {
  return `${component}/Contents-${architecture}.gz`;
}

/** What stands before the last run of blanks. */
function pathOf(line: string): string {
  let end = line.length;
  while (end > 0 && !isBlank(line, end - 1)) end--;
  while (end > 0 && isBlank(line, end - 1)) end--;
  return line.slice(0, end);
}

function isBlank(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

/** Millions of lines: a call for each, not a turn of the event loop. */
async function eachLine(chunks: AsyncIterable<Uint8Array>, look: (line: string) => void): Promise<void> {
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      look(text.slice(start, end));
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > LINE_CHARACTERS_MAX) throw new Problem('archive-untrusted', 'a Contents index with a line that does not end');
  }
}

/** The packed index on the disk; fetched where it is not there yet. Only the one that the Release file names, by its hash, is kept. */
async function keptIndex(ports: { mirror: Mirror; cacheDir: string }, suite: Suite, path: string): Promise<string | undefined> {
  const named = suite.release.files.get(path)!;
  const { id } = suite.request;
  if (named.size > PACKED_BYTES_MAX) throw new Problem('archive-untrusted', `${id}: ${path} of ${named.size} bytes`);
  const kept = join(ports.cacheDir, 'contents', `${hexOf(named.digest)}.gz`);
  const known = await access(kept).then(
    () => true,
    () => false,
  );
  const now = new Date();
  if (known) {
    await utimes(kept, now, now).catch(() => {});
    return kept;
  }
  await mkdir(dirname(kept), { recursive: true });
  for (const url of addressesOf(suite, path, named.digest)) {
    const draft = `${kept}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    try {
      const fetched = await ports.mirror.get(url, (response) => toFile(draft, response, named.size));
      if (fetched === undefined || fetched.size !== named.size || fetched.digest !== named.digest) continue;
      await rename(draft, kept);
      await prune(dirname(kept));
      return kept;
    } finally {
      await rm(draft, { force: true });
    }
  }
  return undefined;
}

async function toFile(file: string, response: Response, max: number): Promise<{ size: number; digest: Digest }> {
  const hash = createHash('sha256');
  let size = 0;
  const handle = await open(file, 'w', 0o600); // again from the start where the connection broke
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > max) break;
      hash.update(chunk);
      await handle.appendFile(chunk);
    }
  } finally {
    await handle.close();
  }
  return { size, digest: digestFromHex(hash.digest('hex')) };
}
