import type { Digest } from './digest.ts';
import type { HashSearchResult } from './hash-search.ts';
import type { FileFacts } from './inventory.ts';
import type { Path } from './path.ts';

/** A stanza of `/var/lib/dpkg/status` (or `status.d/*`) of an image: the publisher's word, never proof. */
export type InstalledPackage = {
  name: string;
  version: string;
  architecture: string;
  /** Field `Source`: name, and version where it differs from the binary's. */
  source: string;
  sourceVersion: string;
  /** The third word of `Status`: `installed`, `config-files`, `half-installed` …; `found`: no database names it, its files are there. */
  state: string;
};

/** A signed suite of an archive. deb-release: Debian wiki DebianRepository/Format. */
export type ArchiveSuite = {
  /** `debian bookworm`, `debian-security bookworm-security`: unique in one evidence. */
  id: string;
  origin: string;
  suite: string;
  codename: string;
  /** `Date` of the Release file, ISO 8601. */
  date: string;
  validUntil?: string;
  /** SHA-256 of InRelease as fetched. */
  inRelease: Digest;
  /** Upper-case fingerprints of the (sub)keys whose signature holds. */
  signers: string[];
};

/** One installed package and how far its chain holds. */
export type PackageEvidence = InstalledPackage & {
  /** purl, `pkg:deb/debian/nginx@1.22.1-9?arch=amd64`. */
  purl: string;
  status: 'verified' | 'unverified-version';
  /** Only where verified. */
  chain?: {
    archive: ArchiveSuite['id'];
    component: string;
    /** SHA-256 of the Packages index that InRelease names. */
    packages: Digest;
    /** SHA-256 of the .deb that Packages names; it was fetched and hashed. */
    deb: Digest;
    size: number;
    /** `Filename` in Packages. */
    path: string;
    /** Blob: canonical JSON of a {@link DebContents}. */
    contents: Digest;
  };
};

/** What a .deb holds: deb(5). Made once for each .deb and kept for ever. Entries in code-unit order of their paths. */
export type DebContents = {
  deb: Digest;
  control: Record<string, string>;
  /** As in data.tar: absolute, before usr-merge and diversions are applied. */
  entries: (FileFacts & { path: Path })[];
  conffiles: Path[];
  /** Members of control.tar (postinst, triggers, md5sums …) by name. */
  controlFiles: Record<string, { digest: Digest; size: number; mode: number }>;
  /** Text of preinst and postinst: what they divert and override is looked up there. */
  scripts: Record<string, string>;
  /** The `.list` file that dpkg writes for it: every member of data.tar, a line each, in the order of the tar. */
  list: { digest: Digest; size: number };
};

/** What the evidence job hands over (stored as a blob, canonical JSON). */
export type DebianEvidence = {
  /** False where the image holds no package database of Debian's. */
  applies: boolean;
  archives: ArchiveSuite[];
  packages: PackageEvidence[];
  /** Where files were looked up by their hashes; the packages that were found stand among `packages`. */
  search?: Omit<HashSearchResult, 'archives' | 'packages'>;
  /** ISO 8601, UTC: when the archive was asked. */
  gatheredAt: string;
};

/**
 * The same packages installed anew, from the verified .debs alone, in the clean environment: what maintainer scripts and
 * triggers make out of them. Kept by the digest of the sorted list of .debs.
 */
export type Reinstall = {
  /** Digests of the .debs, sorted. */
  debs: Digest[];
  outcome:
    | { status: 'installed'; /** Blob: canonical JSON of a LayerScan. */ scan: Digest }
    | { status: 'failed'; detail: string; lastLog: string[] };
};
