import { createHash } from 'node:crypto';
import { digestFromHex } from '../../model/digest.ts';
import type { ArchiveMember } from '../../model/download.ts';

export type ArchiveLimits = {
  members: number;
  /** Bytes of everything that is unpacked of one file, what is unpacked twice counted twice. */
  unpacked: number;
  /** Unpacked over packed bytes, once `ratioFrom` came out: beyond it, a file is made to exhaust its reader. */
  ratio: number;
  ratioFrom: number;
};
/** A tree of node modules has 100,000 files, a toolchain 2 GB. */
export const ARCHIVE_LIMITS: ArchiveLimits = { members: 500_000, unpacked: 8 * 1024 ** 3, ratio: 200, ratioFrom: 256 * 1024 ** 2 };

/** For archives that nothing rests on: what they hold is shown to a reader. */
export const LOOKED_AT_LIMITS: ArchiveLimits = { members: 20_000, unpacked: 512 * 1024 ** 2, ratio: 200, ratioFrom: 64 * 1024 ** 2 };

export class ArchiveLimit extends Error {}

/** The members of one file as they are found, within the bounds. Throws {@link ArchiveLimit}. */
export type Members = {
  list: ArchiveMember[];
  /** Tells of unpacked bytes, before anything is made of them. */
  spend(bytes: number): void;
  /** One member, its bytes as they come. */
  begin(path: string): { data(bytes: Uint8Array): void; end(): void };
  /** Tells that something is not read. */
  leave(): void;
  whole(): boolean;
};

export function makeMembers(packed: number, limits: ArchiveLimits): Members {
  const list: ArchiveMember[] = [];
  let unpacked = 0;
  let whole = true;
  return {
    list,
    spend(bytes) {
      unpacked += bytes;
      const most = unpacked > limits.ratioFrom ? Math.min(limits.unpacked, packed * limits.ratio) : limits.unpacked;
      if (unpacked > most) throw new ArchiveLimit(`more than ${most} bytes unpacked`);
    },
    begin(path) {
      if (list.length >= limits.members) throw new ArchiveLimit(`more than ${limits.members} members`);
      const hash = createHash('sha256');
      let size = 0;
      return {
        data(bytes) {
          hash.update(bytes);
          size += bytes.length;
        },
        end: () => void list.push({ path, digest: digestFromHex(hash.digest('hex')), size }),
      };
    },
    leave: () => void (whole = false),
    whole: () => whole,
  };
}
