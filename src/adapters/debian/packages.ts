import { readFile, readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readStanzas } from '../../model/deb822.ts';
import { type Digest, digestFromHex, digestOf, hexOf } from '../../model/digest.ts';
import { Problem } from '../../problem.ts';
import { decompress } from './decompress.ts';
import type { Mirror } from './mirror.ts';
import { type Suite, bodyOf, writeWhole } from './suite.ts';

/** A stanza of a signed Packages index: what of it is used. */
export type ArchivePackage = {
  name: string;
  version: string;
  architecture: string;
  /** `Filename`: below the archive's address. */
  path: string;
  size: number;
  deb: Digest;
  component: string;
  /** The index that names it, as Release names that. */
  packages: Digest;
};

const PACKED_BYTES_MAX = 128 * 1024 * 1024; // sid, main: 10 MB
const UNPACKED_BYTES_MAX = 1024 * 1024 * 1024; // sid, main: 60 MB
/** A repository that an image names is hostile; a large one of a vendor has some MB unpacked. */
const FOREIGN_UNPACKED_BYTES_MAX = 128 * 1024 * 1024;
/** Milliseconds. Indexes of suites that move on are made again from the archive. */
const UNUSED_MS = 30 * 24 * 60 * 60 * 1000;
const DEB_BYTES_MAX = 8 * 1024 * 1024 * 1024; // ar(5) ends at 10 GB
const FIELDS = ['package', 'version', 'architecture', 'filename', 'size', 'sha256'];
const ROW = /^[!-~]+\t[!-~]+\t[!-~]+\tpool\/[A-Za-z0-9.+_~/-]{1,400}\.deb\t[0-9]{1,11}\t[0-9a-f]{64}$/;
/** Other repositories keep their packages in other folders. */
const FOREIGN_ROW = /^[!-~]+\t[!-~]+\t[!-~]+\t[A-Za-z0-9.][A-Za-z0-9.+_~:@%/-]{1,400}\.deb\t[0-9]{1,11}\t[0-9a-f]{64}$/;

/**
 * The packages of these names in one index of a verified suite; none where the suite has no such index. `keep`: for ever, as what
 * is of a time past stays as it is and is costly to ask for. `foreign`: of a repository that is not Debian's. An empty component is
 * that of a repository without the usual structure.
 */
export async function findPackages(
  ports: { mirror: Mirror; cacheDir: string; keep?: boolean; foreign?: boolean },
  suite: Suite,
  index: { component: string; architecture: string },
  names: ReadonlySet<string>,
): Promise<ArchivePackage[]> {
  const folder = index.component === '' ? '' : `${index.component}/binary-${index.architecture}/`;
  const { foreign = false } = ports;
  for (const name of ['Packages.xz', 'Packages.gz', 'Packages']) {
    const path = `${folder}${name}`;
    const file = suite.release.files.get(path);
    if (file === undefined) continue;
    const cached = join(ports.cacheDir, ports.keep === true ? 'snapshot' : foreign ? 'foreign' : 'packages', `${hexOf(file.digest)}.tsv`);
    let rows = await use(cached);
    if (rows === undefined) {
      const packed = pieces(await fetchIndex(ports.mirror, suite, path, file));
      rows = await toRows(decompress(name, packed, foreign ? FOREIGN_UNPACKED_BYTES_MAX : UNPACKED_BYTES_MAX), foreign ? FOREIGN_ROW : ROW);
      await writeWhole(cached, rows);
      if (ports.keep !== true) await prune(dirname(cached));
    }
    return select(rows, names, index.component, file.digest);
  }
  return [];
}

/** Where an index is asked for: by its hash first, where the archive has that. */
export function addressesOf(suite: Suite, path: string, digest: Digest): string[] {
  const byHash = `${suite.dists}/${dirname(path)}/by-hash/SHA256/${hexOf(digest)}`;
  return suite.release.byHash ? [byHash, `${suite.dists}/${path}`] : [`${suite.dists}/${path}`];
}

/** The bytes that the Release file names: by their hash, so that a mirror may be half way through an update. */
async function fetchIndex(mirror: Mirror, suite: Suite, path: string, file: { digest: Digest; size: number }): Promise<Buffer> {
  const { id } = suite.request;
  if (file.size > PACKED_BYTES_MAX) throw new Problem('archive-untrusted', `${id}: ${path} of ${file.size} bytes`);
  for (const url of addressesOf(suite, path, file.digest)) {
    const bytes = await mirror.get(url, (response) => bodyOf(response, file.size));
    if (bytes === undefined) continue;
    if (bytes.length !== file.size || digestOf(bytes) !== file.digest)
      throw new Problem('archive-untrusted', `${id}: ${path} is not the one its Release file names`);
    return bytes;
  }
  throw new Problem('archive-unavailable', `${id}: the mirror does not have the ${path} that its Release file names`);
}

/** The index in the form that is kept: a line a package, its fields between tabs. */
async function toRows(text: AsyncIterable<Uint8Array>, form: RegExp): Promise<string> {
  const rows: string[] = [];
  const fields = new Set(FIELDS);
  try {
    for await (const stanza of readStanzas(text, fields)) {
      const row = FIELDS.map((field) => stanza.get(field) ?? '').join('\t');
      if (form.test(row) && !row.includes('/../') && !row.includes('\t../')) rows.push(row);
    }
  } catch (error) {
    throw error instanceof SyntaxError ? new Problem('archive-untrusted', 'a Packages index does not parse', { cause: error }) : error;
  }
  return rows.map((row) => `${row}\n`).join('');
}

function select(rows: string, names: ReadonlySet<string>, component: string, packages: Digest): ArchivePackage[] {
  const found: ArchivePackage[] = [];
  for (let start = 0, end = rows.indexOf('\n'); end >= 0; start = end + 1, end = rows.indexOf('\n', start)) {
    if (!names.has(rows.slice(start, rows.indexOf('\t', start)))) continue;
    const [name, version, architecture, path, size, sha256] = rows.slice(start, end).split('\t') as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    if (Number(size) > DEB_BYTES_MAX) continue;
    found.push({ name, version, architecture, path, size: Number(size), deb: digestFromHex(sha256), component, packages });
  }
  return found;
}

/** Small pieces, so that a child process is fed as it reads. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield* cut(bytes);
}

async function use(file: string): Promise<string | undefined> {
  const rows = await readFile(file, 'latin1').catch(() => undefined);
  const now = new Date();
  if (rows !== undefined) await utimes(file, now, now).catch(() => {});
  return rows;
}

/** Removes what nobody has used for a while. */
export async function prune(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > UNUSED_MS) await rm(file, { force: true });
  }
}
