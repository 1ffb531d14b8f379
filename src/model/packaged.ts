import type { DebContents, PackageEvidence } from './debian.ts';
import type { Digest } from './digest.ts';
import type { Entry, FileFacts } from './inventory.ts';
import type { Path } from './path.ts';

/** A package whose chain holds, with what its .deb holds. */
export type VerifiedPackage = { evidence: PackageEvidence; contents: DebContents };

/**
 * One way in which a verified package lets a path be. `mtime` is data.tar's and not required of the image; `linkGroup` is not
 * required either: a further name of the same inode is a path of its own and needs an account of its own.
 */
export type ExpectedFile = FileFacts & {
  /** purl of the package. */
  package: string;
  deb: Digest;
  /** True for what an administrator may edit: dpkg(1), conffiles. */
  conffile: boolean;
  /** The path inside data.tar, or the member of control.tar. */
  archivePath: Path;
  /**
   * `data`: member of data.tar · `control`: member of control.tar, kept in /var/lib/dpkg/info · `list`: recomputed from
   * data.tar, the package's `.list` · `alias`: the link that a merged /usr (`/bin`) or base-files (`/var/run`) puts in place of a
   * packaged directory.
   */
  origin: 'data' | 'control' | 'list' | 'alias';
  /** A diversion (dpkg-divert(1)) that a verified maintainer script makes moved it here. */
  divertedFrom?: Path;
  /** Mode and owner are those of a statoverride (dpkg-statoverride(1)) that a verified maintainer script makes. */
  overridden?: boolean;
};

export type DeviationAspect = 'kind' | 'content' | 'mode' | 'owner' | 'target' | 'device' | 'xattrs';

/** A path that verified packages hold, and how the image has it. */
export type PackagedPath = {
  /** The candidate that the image's entry equals; else the nearest one (of the same kind, with the fewest aspects that differ). */
  expected: ExpectedFile;
  /** Further candidates: shared directories, `Replaces`. */
  alternatives: ExpectedFile[];
} & (
  | { state: 'equal'; found: Entry }
  /** `aspects` is never empty. A file capability set by a postinst is `xattrs` here: ask the re-installation first. */
  | { state: 'changed'; found: Entry; aspects: DeviationAspect[] }
  /** `excludedBy`: the last matching `path-exclude` of the image's dpkg configuration, the publisher's word (dpkg(1)). */
  | { state: 'missing'; excludedBy?: string }
);

/** Something in the image's dpkg database or layout that no verified package explains: material for a finding. */
export type DebianNote = {
  code:
    | 'unexplained-diversion' // of a verified package's path, made by no verified maintainer script
    | 'unexplained-statoverride'
    | 'unexplained-usr-merge' // /bin and its like are links, and no verified package makes them so
    | 'package-file-conflict' // two verified packages hold different files at one path, and neither may replace the other
    | 'forged-checksums'; // info/*.md5sums is not the one of the .deb
  paths: Path[];
  /** A sentence for people, plain text. Names in it are in the printable form of `textFromBytes`. */
  detail: string;
  /** purl, where one package is concerned. */
  package?: string;
};

/** What {@link VerifiedPackage}s say about the paths of one image. */
export type DebianExpectation = {
  /** Every path that a verified package holds, after usr-merge, diversions and overrides; in code-unit order of the paths. */
  files: ReadonlyMap<Path, PackagedPath>;
  notes: DebianNote[];
};
