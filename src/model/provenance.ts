import type { AttachedBy } from './attestation.ts';
import type { Digest } from './digest.ts';

/** SLSA provenance v0.2 and v1: https://slsa.dev/spec/v0.2/provenance, https://slsa.dev/spec/v1.1/provenance */
export const PROVENANCE_TYPES = ['https://slsa.dev/provenance/v0.2', 'https://slsa.dev/provenance/v1'] as const;

/**
 * What a verdict says of a provenance that was read. The publisher wrote it: it is a recipe that was tried, and proves nothing.
 */
export type StatedProvenance = {
  /** Of the attestation as the registry has it. */
  digest: Digest;
  attachedBy: AttachedBy;
  predicateType: string;
  buildType?: string;
  /** SLSA `builder.id`: who built, in their own words. */
  builder?: string;
  builderVersion?: Record<string, string>;
  /** When the build began, in the builder's words. */
  startedOn?: string;
  /** Whether it names all arguments of the build, in the builder's words; BuildKit's `mode=min` leaves them out. */
  complete: boolean;
  /** `revision` of the working tree that was built had changes that nobody committed. */
  uncommitted?: true;
};

/** How to build it again, as far as a provenance of BuildKit says. */
export type BuildRecipe = {
  /** Relative to the build context; begins with `../` where it lies outside. */
  dockerfile: string;
  target?: string;
  buildArgs: Record<string, string>;
  /** Labels given beside the Dockerfile. */
  labels: Record<string, string>;
  /** Named contexts: what the name of a stage or image is replaced by. */
  contexts: Record<string, string>;
  /** The frontend image that read the Dockerfile. */
  syntax?: string;
  /** The build context was a repository, in which BuildKit reads no .dockerignore. */
  wholeContext?: true;
  /** Folders of the publisher's machine. */
  locals: string[];
  /** The build context, where it is neither a repository nor local. */
  archive?: string;
  /** The Dockerfile that was built, as bytes. */
  text?: Uint8Array;
};

export type Provenance = {
  stated: StatedProvenance;
  /** Repository and commit; the builder's own knowledge, or what its client told it of a local folder. */
  repository?: { git: string; ref: string; subdir?: string };
  recipe?: BuildRecipe;
  /** Images that the build took in, normalised, each with the digest that it had. */
  images: { reference: string; digest: Digest }[];
};
