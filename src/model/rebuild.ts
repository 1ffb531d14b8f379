import Type, { type Static } from 'typebox';
import type { InstallationDate } from './debian.ts';
import { Digest } from './digest.ts';
import type { Explanations } from './explanation.ts';
import type { Platform } from './oci.ts';
import type { Path } from './path.ts';
import type { StatedProvenance } from './provenance.ts';

/** Where the image was built from, pinned, and who says so. */
export type Source = {
  location: { kind: 'git'; url: string; ref?: string; commit: string; subdir?: string } | { kind: 'context'; digest: Digest };
  /** Who named it: the request, the provenance attached to the image, or a label or annotation of the image. */
  evidence: 'request' | 'provenance' | 'label' | 'annotation';
};

/** A file of the build context at the pinned commit. `path` is relative to the context, without a leading slash. */
export type SourceFile = { path: Path; size: number; digest?: Digest; executable: boolean; target?: string };

/** A file of another commit of the same repository: what a drifted image was built from is often found there. */
export type SourceHistoryFile = { path: Path; digest: Digest; commit: string };

export type SourceTree = { source: Source; files: SourceFile[]; history: SourceHistoryFile[]; historyComplete: boolean };

/**
 * What a base image was pinned by: the digest in the Dockerfile, the provenance, a label or annotation of the published image, its lowest layers,
 * or nothing but what the tag names today.
 */
export type BaseEvidence = 'digest' | 'provenance' | 'label' | 'layers' | 'tag';

/** A base image as the rebuild uses it. */
export type PinnedBase = {
  /** As the Dockerfile has it, with its variables replaced. */
  reference: string;
  digest: Digest;
  manifestDigest: Digest;
  /** The image that a named context puts in its place. */
  image?: string;
  evidence?: BaseEvidence;
  /** Of the base of the last stage: whether its layers are the lowest of the published image. */
  beneath?: boolean;
  /** Digests that somebody named and that the registry has no longer. */
  gone?: Digest[];
};

/** What of a plan the request or the provenance named; what is absent is the builder's default. `buildArgs`: names out of the provenance. */
export type BuildOrigins = { dockerfile?: 'request' | 'provenance'; target?: 'request' | 'provenance'; buildArgs?: string[] };

/** Everything that decides what the build does; equal plans over equal sources ask for equal builds. */
export type BuildPlan = {
  builder: 'buildah' | 'buildkit';
  /** Why it is another builder than the publisher's. */
  detail?: string;
  /** Relative to the context. */
  dockerfile: string;
  target?: string;
  buildArgs: Record<string, string>;
  /** Without heed to .dockerignore, which BuildKit does not read in a build context that is a repository. */
  wholeContext?: true;
  /** Labels that were given beside the Dockerfile. */
  labels?: Record<string, string>;
  origins?: BuildOrigins;
  platform: Platform;
  /** Every `FROM` that names an image, with the text of the FROM and what it is pinned to. */
  bases: PinnedBase[];
  /** Seconds since 1970-01-01 UTC (SOURCE_DATE_EPOCH), where the published image was built with one. */
  epoch?: number;
  /** Of manifest and configuration. */
  format: 'oci' | 'docker';
  /** How the published image cuts its layers: one for each step that changes files (the default), or one for all of them. */
  layers?: 'each-step' | 'one';
  /** Compress what was built, as a push does. It takes seconds, and only where the published image was built reproducibly can the manifests be equal. */
  compression?: 'gzip' | 'zstd' | 'estargz';
  /** The published image's layers hold notes of an overlay that was mounted without privileges, as buildah's own do here. */
  overlayNotes?: 'kept';
  /** The published image has the base's layers in the base's own blobs: buildah compresses them anew unless the registry has them. */
  baseBlobs?: 'kept';
  /** The source's files have the time at which they were checked out, which is later than the epoch; absent: that of the commit. */
  sourceTimes?: 'checkout';
  /** What the archives are to answer: their state at that time, in place of today's. Absent where they answer as they are. */
  asOf?: AsOf;
};

/** A time in the past, and where it was read. */
export type AsOf = {
  /** ISO 8601, UTC, to the second. */
  time: string;
  from: InstallationDate['from'] | 'request';
};

/**
 * Something fetched while rebuilding. in-toto attestation framework v1, ResourceDescriptor:
 * https://github.com/in-toto/attestation/blob/v1.0/spec/v1/resource_descriptor.md
 */
export type ResolvedDependency = {
  uri: string;
  /** Absent where only the outside was seen (TLS through CONNECT). */
  digest?: { sha256: string };
  annotations?: {
    method?: string;
    status?: number;
    size?: number;
    mediaType?: string;
    /** Of a tunnel, ISO 8601: when it was first opened and last closed. */
    startedAt?: string;
    endedAt?: string;
    /** What the build asked for, where `uri` answered in its place: an archive as of a time past. */
    original?: string;
  };
};

/** SLSA has no word for it: why there is no comparison. */
export const NotComparable = Type.Enum([
  'no-source',
  'source-mismatch',
  'local-context',
  'secret-required',
  'input-gone',
  'build-failed',
  'flaky',
  'timeout',
  'policy-blocked',
  'unsupported',
]);
export type NotComparable = Static<typeof NotComparable>;

/** A build that did not give an image, and why. `detail` is for people; `step` is the Dockerfile step that failed. */
export type BuildFailure = { reason: NotComparable; detail: string; line?: number; lastLog: string[] };

/** What a build can see of when and where it runs, beside its plan: what differs between two builds of our own. */
export type BuildConditions = {
  /** ISO 8601, UTC. Linux gives no process a clock of its own, so that a second build is later, and no more. */
  startedAt: string;
  /** Of the environment. buildah gives each step the id of its container instead, another one each time. */
  hostName: string;
  /** That programs may use, as nproc(1) counts them. */
  processors: number;
  /** What the files lie on, which decides the order in which folders are listed. */
  storage: 'memory' | 'disk';
};

/** The same plan built once more under other conditions, where the first build differs from the published image. */
export type SecondRebuild =
  | {
      status: 'built';
      conditions: BuildConditions;
      /** Blob: canonical JSON of an Inventory. */
      inventory: Digest;
      manifestDigest: Digest;
      /** Blob: the build's log, text, capped. */
      log: Digest;
      /** What it fetched beyond what the first build did. */
      resolvedDependencies: ResolvedDependency[];
    }
  | { status: 'failed'; detail: string };

/** A Dockerfile in the provenance that is not the one in the source. `diff`: from the source's to that one. */
export type OtherDockerfile = { path: string; source: Digest; attested: Digest; diff?: string };

/** What the rebuild job hands over (stored as a blob, canonical JSON). */
export type Rebuild = {
  source?: Source;
  /** Blob: canonical JSON of a {@link SourceTree}. */
  sourceTree?: Digest;
  /** What was attached to the image and read, in the order in which it counts. */
  provenance?: StatedProvenance[];
  /** What was attached and could not be taken, and why. */
  attestationsPassedOver?: string[];
  otherDockerfile?: OtherDockerfile;
  plan?: BuildPlan;
  builderVersion?: string;
  resolvedDependencies: ResolvedDependency[];
  /** Blob: canonical JSON of {@link Download}s. */
  downloads?: Digest;
  /** Blob: the build's log, text, capped. */
  log?: Digest;
  outcome:
    | {
        status: 'built';
        /** Blob: canonical JSON of an Inventory. */
        inventory: Digest;
        manifestDigest: Digest;
        /** How many of its lowest layers are those of the base image. */
        baseLayers?: number;
      }
    | ({ status: 'not-comparable' } & BuildFailure);
  conditions?: BuildConditions;
  /** Only where something differs that no rule excuses and that a build can make vary. */
  second?: SecondRebuild;
  /** What differs inside of files; for readers, and decides nothing. */
  explanations?: Explanations;
  /** Parsed instructions of the Dockerfile with their lines, for tracing layers to lines. */
  dockerfile?: {
    path: string;
    digest: Digest;
    steps: DockerfileStep[];
    /** Absent in documents from before its faults were told. */
    text?: string;
  };
  /** ISO 8601, UTC. */
  finishedAt: string;
};

export type DockerfileStep = { line: number; instruction: string; text: string; stage: number };
