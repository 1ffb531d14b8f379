import { once } from 'node:events';
import { Problem } from '../../problem.ts';
import { runGit, startGit, problemOf, type GitCommand } from './run.ts';
import { padding, TAR_END, tarHeader } from './tar.ts';

/** One entry of a commit's tree. The name is the bytes that git has, relative to the tree. */
export type TreeEntry = { mode: number; kind: 'file' | 'directory' | 'symlink'; oid: string; size: number; name: Buffer };

export type TreeLimits = {
  /** Entries of the tree. A tree of trees that share their children can unfold to any number. */
  entries: number;
  /** Bytes of all its files together. */
  bytes: number;
};

const LISTING_BYTES_PER_ENTRY = 512; // mode, id, size and a name of usual length

/** Every entry below a tree, in git's order. `git ls-tree` reads no attributes and applies no filter. */
export async function listTree(command: GitCommand, tree: string, limits: TreeLimits): Promise<TreeEntry[]> {
  const listing = await runGit(
    command,
    ['ls-tree', '-r', '-t', '-z', '--long', '--full-tree', tree],
    limits.entries * LISTING_BYTES_PER_ENTRY,
  );
  const entries: TreeEntry[] = [];
  let bytes = 0;
  for (let start = 0; start < listing.length;) {
    const end = listing.indexOf(0, start);
    const tab = listing.indexOf(9, start);
    const [mode = '', type = '', oid = '', size = ''] = listing.toString('latin1', start, tab).split(/ +/);
    const name = Buffer.from(listing.subarray(tab + 1, end));
    start = end + 1;
    entries.push(entryOf(mode, type, oid, size, name));
    bytes += entries.at(-1)?.size ?? 0;
    if (entries.length > limits.entries) throw new Problem('invalid-source', `the source has more than ${limits.entries} entries`);
    if (bytes > limits.bytes) throw new Problem('invalid-source', `the source has more than ${limits.bytes} bytes`);
  }
  return entries;
}

function entryOf(mode: string, type: string, oid: string, size: string, name: Buffer): TreeEntry {
  if (type === 'blob') {
    const kind = mode === '120000' ? 'symlink' : 'file';
    return { mode: mode === '100755' ? 0o755 : kind === 'symlink' ? 0o777 : 0o644, kind, oid, size: Number(size), name };
  }
  // A submodule is the empty folder that a plain clone leaves.
  return { mode: 0o755, kind: 'directory', oid, size: 0, name };
}

/** The entries as a tar: exact bytes of the objects, owner 0, every time the commit's. */
export async function* tarOfTree(command: GitCommand, entries: TreeEntry[], mtime: number): AsyncGenerator<Buffer> {
  const blobs = entries.filter((entry) => entry.kind !== 'directory');
  const contents = readBlobs(command, blobs);
  try {
    for (const { kind, mode, name, size } of entries) {
      if (kind === 'directory') {
        yield tarHeader({ name, kind, mode, mtime, size: 0 });
        continue;
      }
      const next = await contents.next();
      if (next.done === true) throw new Problem('source-unavailable', 'git ended before the last object');
      if (kind === 'symlink') {
        const target: Buffer[] = [];
        for await (const part of next.value) target.push(part);
        yield tarHeader({ name, kind, mode, mtime, size: 0, target: Buffer.concat(target) });
        continue;
      }
      yield tarHeader({ name, kind, mode, mtime, size });
      yield* next.value;
      yield padding(size);
    }
    yield TAR_END;
  } finally {
    await contents.return(undefined);
  }
}

/** The objects' bytes in the order asked for, by one `git cat-file --batch`. Each is to be read to its end before the next. */
export async function* readBlobs(command: GitCommand, blobs: { oid: string; size: number }[]): AsyncGenerator<AsyncIterable<Buffer>> {
  if (blobs.length === 0) return;
  const git = startGit(command, ['cat-file', '--batch', '--buffer']);
  const reader = new ByteReader(git.stdout as AsyncIterable<Buffer>);
  const asking = ask(git.stdin, blobs);
  try {
    for (const { oid, size } of blobs) {
      const header = await reader.line(200);
      if (header !== `${oid} blob ${size}`) {
        git.abandon();
        const { stderr, timedOut } = await git.ended;
        throw header === '' ? problemOf(stderr, timedOut, command) : new Problem('invalid-source', `git has no object ${oid}`);
      }
      yield reader.take(size);
      await reader.line(1);
    }
    await asking;
  } finally {
    git.abandon();
    await git.ended;
  }
}

async function ask(stdin: NodeJS.WritableStream, blobs: { oid: string }[]): Promise<void> {
  for (let start = 0; start < blobs.length; start += 1000) {
    const lines = blobs
      .slice(start, start + 1000)
      .map(({ oid }) => `${oid}\n`)
      .join('');
    // A git that has ended never drains: its end is seen by whoever reads its output.
    if (!stdin.write(lines)) await Promise.race([once(stdin, 'drain'), once(stdin, 'close')]);
  }
  stdin.end();
}

/** Lines and counted bytes out of a stream. */
class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Up to the next newline, which is taken as well; what there is where the stream ends. */
  async line(max: number): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(10);
      if (end >= 0 || this.#rest.length > max) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      const next = await this.#chunks.next();
      if (next.done === true) return this.#rest.toString('latin1');
      this.#rest = Buffer.concat([this.#rest, next.value]);
    }
  }

  async *take(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) throw new Problem('source-unavailable', 'git ended within an object');
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }
}
