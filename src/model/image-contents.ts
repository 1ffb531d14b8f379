import type { Digest } from './digest.ts';
import type { Path } from './path.ts';

/**
 * Regular files that images hold together: those of one package, or of one layer and kind. Kept once, by the digest of the list,
 * whatever number of images hold it.
 */
export type FileSet = {
  /** SHA-256 of the canonical JSON of `files`. */
  digest: Digest;
  /** In code-unit order of the paths; of several files with the same bytes the first. Never an empty file: every image holds that. */
  files: { digest: Digest; path: Path }[];
};

/** What a judged image is found by: stored with its verdict. */
export type ImageContents = {
  /** Codename of Debian's release. */
  release?: string;
  /** Lowest first. */
  layers: {
    digest: Digest;
    /** Line of the Dockerfile that made it, where known. */
    line?: number;
    /** The image's own words for how it was made. */
    createdBy?: string;
  }[];
  /** Packages that have a file set, by the index in the verdict's list of packages; the set is of files in the package's own layer. */
  packages: ReadonlyMap<number, FileSet>;
  /** All other files. `hidden`: a later layer took the file away, and the layer still holds it. */
  files: { layer: number; hidden: boolean; set: FileSet }[];
};
