/** The side effects of building an image, as src/ports.ts has the others. */
import type { Readable } from 'node:stream';
import type { BuildFile } from './model/build-file.ts';
import type { Digest } from './model/digest.ts';
import type { Descriptor, ImageConfig, ImageManifest, ResolvedImage } from './model/oci.ts';
import type { FetchedFile } from './model/download.ts';
import type { BuildConditions, BuildFailure, BuildPlan, NotComparable, PinnedBase, ResolvedDependency } from './model/rebuild.ts';

/** An image that was built, while its storage is still there. */
export type BuiltImage = {
  manifest: ImageManifest;
  manifestDigest: Digest;
  config: ImageConfig;
  openBlob(descriptor: Descriptor): Promise<Readable>;
};

/** Builds an image in the clean environment; nothing of the job is left after `done()`. */
export type Builder = {
  /** What is set up here. */
  builders: readonly BuildPlan['builder'][];
  build(order: {
    id: string;
    plan: BuildPlan;
    /** The build context: a tar, which may be compressed with gzip. */
    context: () => Promise<Readable>;
    /** What each `FROM` of the plan is pinned to, and how to read its blobs. */
    bases: { image: ResolvedImage; openBlob: (descriptor: Descriptor) => Promise<Readable> }[];
    onLog: (line: string) => void;
    signal?: AbortSignal;
    /** Conditions of an earlier build of the plan: this one gets others, as far as the machine has any. */
    unlike?: BuildConditions;
    /** Less time than a build has otherwise. */
    seconds?: number;
  }): Promise<{
    builderVersion: string;
    conditions: BuildConditions;
    resolvedDependencies: ResolvedDependency[];
    /** Bodies that the build got, for as long as `done()` is not called. */
    fetched: FetchedFile[];
    /** Why archives did not, or not all, answer as of `plan.asOf`. */
    archiveFault?: string;
    outcome: { status: 'built'; image: BuiltImage } | ({ status: 'not-comparable' } & BuildFailure);
    done(): Promise<void>;
  }>;
};

/** A program that builds images, as the clean environment runs it. */
export type BuildProgram = {
  name: BuildPlan['builder'];
  /** How it takes base images and gives what it built: `dir:` of containers-transports(5), or an OCI image layout. */
  images: 'dir' | 'oci';
  /** It cannot keep its files in a tmpfs. */
  onDisk?: true;
  /** Its version, as the statement names it; `folder` is for what it writes on the way. Throws `environment-missing`. */
  version(folder: string): Promise<string>;
  /** Files of the machine that are not where the system keeps its programs, and where they are seen inside. */
  files: readonly { from: string; to: string }[];
  /**
   * What is run inside. The context is in /job/context, bases are below /job/bases, /job/storage and /job/tmp are empty, the image goes to
   * /job/out/image. A line `building` on file descriptor 4 tells that from here on a failure is the image's.
   */
  command(order: {
    plan: BuildPlan;
    file: BuildFile;
    /** Each base that the plan names, with the name of its folder and the digest of the manifest in there. */
    bases: readonly { pinned: PinnedBase; folder: string; digest: Digest }[];
    /** The address of the recording proxy. */
    proxy: string;
    /** What runs a step: an OCI runtime. */
    runtime: string;
    /** The host name, where a step is to see another one than its builder's own. */
    hostName?: string;
    /** Files that steps see and that leave nothing in the image, `from:to:ro`. */
    volumes: readonly string[];
  }): Promise<string[]>;
  /** What its last lines say of a failure. */
  explain(lastLog: readonly string[], file: BuildFile): BuildWords;
};

export type BuildWords = {
  /** It could not work here, which says nothing about the image. */
  cannotRun?: string;
  /** A failure that it names. */
  known?: { reason: NotComparable; detail: string };
  step?: { text: string; line?: number; wantsSecret?: boolean };
  /** Of the step, where the program's own says less. */
  exit?: number;
};
