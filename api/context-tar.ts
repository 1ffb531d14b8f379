import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Header, pack, type Pack } from 'tar-stream';
import { type Digest, digestFromHex } from '../src/model/digest.ts';
import { byText } from '../src/model/path.ts';
import { Problem } from '../src/problem.ts';

/** Level 6 of every zlib; a fixed one, so that equal folders give equal bytes on one machine. */
const GZIP_LEVEL = 6;
/** Not part of any build, and different in every clone. */
const LEFT_OUT = '.git';

export type PackedContext = { file: string; digest: Digest; size: number };

/**
 * Packs a folder as a gzipped tar at `file`: sorted, owned by root, without times, so that equal folders give equal bytes. All of
 * it but `.git`: what `.dockerignore` leaves out is for the builder to leave out. Throws `invalid-context`.
 */
export async function packContext(folder: string, file: string): Promise<PackedContext> {
  const kind = await lstat(folder).catch(() => undefined);
  if (kind?.isDirectory() !== true) throw new Problem('invalid-context', `${folder} is no folder`);
  const tar = pack();
  const hash = createHash('sha256');
  const counted = counter(hash);
  const written = pipeline(tar, createGzip({ level: GZIP_LEVEL }), counted.stream, createWriteStream(file, { mode: 0o600 }));
  try {
    await addFolder(tar, folder, '');
    tar.finalize();
  } catch (thrown) {
    tar.destroy(thrown instanceof Error ? thrown : undefined);
    await written.catch(() => undefined);
    throw thrown;
  }
  await written;
  return { file, digest: digestFromHex(hash.digest('hex')), size: counted.size() };
}

function counter(hash: Hash): { stream: Transform; size: () => number } {
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
  });
  return { stream, size: () => size };
}

async function addFolder(tar: Pack, folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder, { encoding: 'buffer' })).map(nameOf).sort(byText);
  for (const name of names) {
    if (prefix === '' && name === LEFT_OUT) continue;
    const path = join(folder, name);
    const stats = await lstat(path);
    const header = { name: prefix + name, mode: stats.mode & 0o7777, uid: 0, gid: 0, mtime: new Date(0) };
    if (stats.isDirectory()) {
      await add(tar, { ...header, type: 'directory' });
      await addFolder(tar, path, `${prefix}${name}/`);
    } else if (stats.isSymbolicLink()) {
      await add(tar, { ...header, type: 'symlink', linkname: nameOf(await readlink(path, { encoding: 'buffer' })) });
    } else if (stats.isFile()) {
      const handle = await open(path);
      try {
        await addFile(tar, header, handle);
      } finally {
        await handle.close();
      }
    } else {
      throw new Problem('invalid-context', `${path} is neither a file, a folder nor a symbolic link`);
    }
  }
}

function add(tar: Pack, header: Partial<Header> & { name: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error ? reject(error) : resolve()));
  });
}

async function addFile(tar: Pack, header: Partial<Header> & { name: string }, handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  let sent = 0;
  await new Promise<void>((resolve, reject) => {
    const entry = tar.entry({ ...header, type: 'file', size }, (error) => (error ? reject(error) : resolve()));
    if (size === 0) return void entry.end(Buffer.alloc(0));
    const bytes = handle.createReadStream({ autoClose: false, end: size - 1 });
    bytes.on('data', (chunk) => (sent += chunk.length));
    bytes.on('error', reject);
    bytes.on('end', () => {
      // tar-stream would wait for the missing bytes for ever.
      if (sent < size) reject(new Problem('invalid-context', `${header.name} became shorter while it was read`));
    });
    bytes.pipe(entry);
  });
}

/** A tar written here names files in UTF-8; another name would reach the builder as a different one. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes))
    throw new Problem('invalid-context', `the name ${JSON.stringify(bytes.toString('latin1'))} is not UTF-8`);
  return text;
}
