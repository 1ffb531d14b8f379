import type { ArchiveSuite, InstalledPackage, PackageEvidence } from './debian.ts';
import type { Digest } from './digest.ts';
import type { Path } from './path.ts';

/** A file that no verified package of the image's database explains, and that lies where Debian's packages put files. */
export type SearchedFile = {
  path: Path;
  /** Regular files only. */
  digest?: Digest;
  /** Symbolic links only. */
  target?: string;
};

/** What is looked up by its hash, and where to begin. Every hint is the publisher's word: it chooses the order, never the answer. */
export type HashSearch = {
  /** Programs and libraries first, so that a limit leaves out what matters least. */
  files: SearchedFile[];
  /** How many more there are: a limit left them out. */
  omitted: number;
  /** Packages of databases that a later layer hides or deletes: they have an exact version. */
  known: InstalledPackage[];
  /** Names of packages that left something behind: documentation, a file list. */
  names: string[];
  /** os-release(5), also of lower layers; `VERSION_ID` out of /etc/debian_version where there is none. Empty where nothing says it. */
  osRelease: Record<string, string>;
  architecture: string;
};

/** A file for which the archive has a package, and in none of the versions that were looked into these bytes. */
export type OtherBytes = { path: Path; /** purl */ package: string; deb: Digest; expected: string };

/** What came of it. */
export type HashSearchResult = {
  archives: ArchiveSuite[];
  /** `state` is `found`: some of the package's files are in the image, byte for byte. All are verified. */
  packages: PackageEvidence[];
  /** How many were looked for, and how many of them a package has in these bytes. */
  searched: number;
  found: number;
  others: OtherBytes[];
  /** Contents indexes that the mirror does not have as they were signed: `debian bookworm main/Contents-amd64.gz`. */
  unread: string[];
  /** Files that were not looked up for the reason given. */
  skipped: number;
  reason?: string;
};
