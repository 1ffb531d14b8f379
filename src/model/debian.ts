import type { VerifiedList } from './apt-lists.ts';
import type { BuildinfoEvidence } from './buildinfo.ts';
import type { Digest } from './digest.ts';
import type { HashSearchResult } from './hash-search.ts';
import type { FileFacts } from './inventory.ts';
import type { Path } from './path.ts';
import type { RebuilderEvidence } from './rebuilders.ts';
import type { SecurityEvidence } from './security.ts';

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

/**
 * Whether files of a package are there: of one whose installation dpkg did not end, and of one found by its files, as of any other. Of a removed
 * one only conffiles are left.
 */
export function isPresent({ state }: Pick<InstalledPackage, 'state'>): boolean {
  return state !== 'config-files';
}

/** When packages may have been installed, as the image tells: where to look in an archive of snapshots, never proof. */
export type InstallationDate = {
  /** UTC, to the second, as a snapshot archive writes it: `20230227T000000Z`. */
  time: string;
  /** `apt-lists`: `Date` of an InRelease file, which the archive had from then on; of the others, the archive's state before it counts. */
  from: 'apt-lists' | 'apt-sources' | 'dpkg-log' | 'apt-history' | 'image-created';
};

/** A repository beside Debian's, as the apt sources of an image name it: the publisher's word, the key included. */
export type AptRepository = {
  /** Base address, without a slash at the end and without credentials. */
  address: string;
  /** As in sources.list(5); a folder below the address where it ends with a slash. */
  suite: string;
  components: string[];
  /** The file that names it. */
  source: Path;
  /** Files with OpenPGP keys, armored or not, by which it may be signed. */
  keys: { path: Path; base64: string }[];
  /** Where not empty, only (sub)keys with these fingerprints count: upper-case hex. */
  fingerprints: string[];
};

/** A signed suite of an archive. deb-release: Debian wiki DebianRepository/Format. */
export type ArchiveSuite = {
  /** `debian bookworm`, `debian-security bookworm-security`, `debian bookworm 20230227T000000Z`: unique in one evidence. */
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
  /**
   * The suite as it was at a time past, out of an archive of snapshots: where that is, and the time (UTC) that it gave, the nearest
   * one before the time that was asked for. `Valid-Until` is past by nature there.
   */
  snapshot?: { url: string; time: string };
  /** Not Debian's, but named by the image: who may sign it is the publisher's word as well. */
  thirdParty?: { /** Base address. */ url: string; /** The file that names it. */ source: Path };
  /** Those of `signers` whose keys have expired since; on `date` they were valid. Only with `snapshot`. */
  expiredSigners?: string[];
};

/**
 * Why a package is not verified. `not-found`: neither the mirror nor, at the times that were looked at, the archive of snapshots
 * has it · `snapshot-off`: the mirror has it no longer, and no archive of snapshots is configured · `snapshot-unreachable`: that is
 * not within reach · `snapshot-untrusted`: what it has of then is not what pinned keys signed · `repository-unreachable`,
 * `repository-untrusted`: as these, of a repository beside Debian's that the image names and that may have the package.
 */
export type UnverifiedReason =
  | 'not-found'
  | 'snapshot-off'
  | 'snapshot-unreachable'
  | 'snapshot-untrusted'
  | 'repository-unreachable'
  | 'repository-untrusted';

/** A newer version of a package in a signed suite that its release is kept up to date from. */
export type NewerVersion = {
  version: string;
  archive: ArchiveSuite['id'];
  /** Whether it is the security archive that has it. */
  security?: boolean;
};

/** One installed package and how far its chain holds. */
export type PackageEvidence = InstalledPackage & {
  /** purl, `pkg:deb/debian/nginx@1.22.1-9?arch=amd64`. */
  purl: string;
  /** `third-party`: Debian does not have it, and the chain is that of a repository whose key the image itself names. */
  status: 'verified' | 'third-party' | 'unverified-version';
  /** Of a third party, under the name of a package that Debian has in other versions: it stands in the place of that one. */
  alsoInDebian?: true;
  /** Only where there is no chain and Debian's archive was asked. */
  unverified?: UnverifiedReason;
  /** Only where verified or of a third party. */
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
  /** What the suites had when they were asked that is newer: the newest of each, the security suite first. Absent where nothing is. */
  newer?: NewerVersion[];
};

/** What others are asked about a package whose chain holds. */
export type VerifiedPackage = Pick<PackageEvidence, 'name' | 'version' | 'architecture' | 'source' | 'sourceVersion' | 'chain'>;

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
  /** Codename of the release that the image says it is of, where it is one of Debian's. */
  release?: string;
  archives: ArchiveSuite[];
  packages: PackageEvidence[];
  /** Where files were looked up by their hashes; the packages that were found stand among `packages`. */
  search?: Omit<HashSearchResult, 'archives' | 'packages'>;
  /** Repositories beside Debian's that could not be used for packages that Debian does not have. */
  repositories?: { url: string; suite: string; source: Path; problem: UnverifiedReason; detail: string }[];
  /** Release files that apt left in the image, as far as a signature holds; in the order of their paths, absent where there is none. */
  lists?: VerifiedList[];
  /** Absent where no rebuilder is configured. */
  rebuilders?: RebuilderEvidence;
  /** Absent where no pool of build records is configured. */
  buildinfos?: BuildinfoEvidence;
  /** Where the security tracker's data is configured and was fetched. */
  security?: SecurityEvidence;
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
