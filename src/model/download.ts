import type { Digest } from './digest.ts';

/** Something that a build fetched over HTTP, as far as its bytes were seen. */
export type FetchedFile = {
  /** What was asked for, without credentials. */
  url: string;
  digest: Digest;
  /** Hex, of the same bytes: what lock files of npm pin. */
  sha512: string;
  size: number;
  /** Where an archive or a compressed file lies while its build does; nothing else is kept. */
  file?: string;
};

/** A regular file of an archive, or what a compressed file holds. */
export type ArchiveMember = { path: string; digest: Digest; size: number };

/** Where the source names a digest that the build checks. `line` is from 1. */
export type PinPlace = { path: string; line: number };

/** What a rebuild fetched, with the members that are in what was built, and where the source pins it. */
export type Download = Pick<FetchedFile, 'url' | 'digest' | 'size'> & {
  pinned?: PinPlace;
  /** The pin is of what is in the archive: other bytes around the same members have it as well. */
  pinsMembersOnly?: true;
  members: ArchiveMember[];
};
