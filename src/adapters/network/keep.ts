import { createHash } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Keeps bodies that may be archives, so that it can be told afterwards what came out of them. */
export type Keeper = {
  begin(): {
    write(chunk: Buffer): Promise<void>;
    /** The body is whole: its SHA-512, and the file where it was kept. */
    end(): Promise<{ sha512: string; file?: string }>;
    /** It is not. */
    drop(): Promise<void>;
  };
};

/** Bytes. A toolchain has some 300 MB; what is beyond is still recorded by its digest. */
const BODY_BYTES_MAX = 1024 ** 3;
/** Bytes of all bodies of a build together: they lie on the disk beside it. */
const ALL_BYTES_MAX = 4 * 1024 ** 3;
/** A tar says what it is at byte 257. */
const HEAD_BYTES = 512;

export function makeKeeper(folder: string): Keeper {
  let kept = 0;
  let number = 0;
  return {
    begin() {
      const hash = createHash('sha512');
      const file = join(folder, String(number++));
      let head: Buffer | undefined = Buffer.alloc(0);
      let handle: FileHandle | undefined;
      let bytes = 0;
      const drop = async (): Promise<void> => {
        if (handle === undefined) return;
        await handle.close();
        handle = undefined;
        kept -= bytes;
        await rm(file, { force: true });
      };
      const store = async (chunk: Buffer): Promise<void> => {
        if (handle === undefined) return;
        if (bytes + chunk.length > BODY_BYTES_MAX || kept + chunk.length > ALL_BYTES_MAX) return drop();
        bytes += chunk.length;
        kept += chunk.length;
        await handle.writeFile(chunk); // at the position behind the last
      };
      const decide = async (whole: Buffer): Promise<void> => {
        head = undefined;
        if (!mayHoldMore(whole)) return;
        await mkdir(folder, { recursive: true });
        handle = await open(file, 'wx', 0o600);
        await store(whole);
      };
      return {
        drop,
        async write(chunk) {
          hash.update(chunk);
          if (head === undefined) return store(chunk);
          head = Buffer.concat([head, chunk]);
          if (head.length >= HEAD_BYTES) await decide(head);
        },
        async end() {
          if (head !== undefined) await decide(head);
          await handle?.close();
          return { sha512: hash.digest('hex'), ...(handle === undefined ? {} : { file }) };
        },
      };
    },
  };
}

/** First bytes of archives and compressed files: zip, ar, gzip, xz, zstd, bzip2, tar. */
const MAGICS: readonly [at: number, bytes: string][] = [
  [0, 'PK\x03\x04'],
  [0, '!<arch>\n'],
  [0, '\x1f\x8b'],
  [0, '\xfd7zXZ\0'],
  [0, '\x28\xb5\x2f\xfd'],
  [0, 'BZh'],
  [257, 'ustar'],
];

function mayHoldMore(head: Buffer): boolean {
  return MAGICS.some(([at, bytes]) => head.toString('latin1', at, at + bytes.length) === bytes);
}
