/**
 * The side effects that the flow needs, as small function types. `main.ts` of each program passes the adapters in; a
 * function that can fail throws a `Problem` whose code says whether trying again can help.
 */
import type { Readable } from 'node:stream';
import type { AptList, VerifiedList } from './model/apt-lists.ts';
import type { Attachment } from './model/attachment.ts';
import type { AttachedStatement } from './model/attestation.ts';
import type { BuildinfoEvidence } from './model/buildinfo.ts';
import type {
  AptRepository,
  DebianEvidence,
  InstallationDate,
  InstalledPackage,
  PackageEvidence,
  VerifiedPackage,
} from './model/debian.ts';
import type { Digest } from './model/digest.ts';
import type { EnvelopeSignature } from './model/dsse.ts';
import type { FleetPage, PageRequest } from './model/fleet.ts';
import type { HashSearch, HashSearchResult } from './model/hash-search.ts';
import type { LayerScan } from './model/inventory.ts';
import type { Descriptor, Platform, ResolvedImage } from './model/oci.ts';
import type { ArchiveMember } from './model/download.ts';
import type { SourceHistoryFile } from './model/rebuild.ts';
import type { RebuilderEvidence } from './model/rebuilders.ts';
import type { Result } from './model/verdict.ts';
import type { ProblemDocument, ProgressEvent, Status, Step, VerdictRecord, Verification, VerificationJob } from './model/verification.ts';
import type { SourceIssues, TrackerFetch } from './model/security.ts';
import type { ImageWatch, WatchMatch } from './model/watch.ts';
import type { Problem } from './problem.ts';

/** The time; injected so that tests can hold it still. */
export type Clock = () => Date;

/** Bytes by their digest, and names that point to digests. What is stored never changes. */
export type Blobs = {
  /** Streams to the store; with `expected`, bytes of another digest are refused (`digest-mismatch`) and not kept. */
  put(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options?: { expected?: Digest; max?: number },
  ): Promise<{ digest: Digest; size: number }>;
  /** Throws `blob-missing`. */
  open(digest: Digest): Promise<Readable>;
  /** A whole small document. Throws `blob-missing`, `too-large`. */
  read(digest: Digest, max?: number): Promise<Buffer>;
  has(digest: Digest): Promise<boolean>;
  /** What a cache key (`layer-scan/v1/sha256:…`) points to; undefined where nothing was linked yet or the blob is gone. */
  resolve(name: string): Promise<Digest | undefined>;
  /** The first writer wins; equal work gives equal digests. */
  link(name: string, digest: Digest): Promise<void>;
};

/** A registry of images. OCI distribution specification 1.1. */
export type Registry = {
  /** Pins a reference: index, platform's manifest, configuration, each digest verified. */
  resolve(reference: string, platform?: Platform): Promise<ResolvedImage>;
  /** A blob as stored; the stream fails with `image-malformed` at its end where digest or size are not the descriptor's. */
  openBlob(reference: string, descriptor: Descriptor): Promise<Readable>;
  /**
   * What publishers attach to an image: BuildKit's manifests in the index, then referrers (distribution specification 1.1), then cosign's
   * tag. Each is asked for only when the next is taken. All but the registry's own breakdown is told by `passedOver`.
   */
  attestations(
    reference: string,
    image: ResolvedImage,
    wanted: (predicateType: string) => boolean,
    passedOver: (why: string) => void,
  ): AsyncIterable<AttachedStatement>;
};

/**
 * Attaches signed statements to what a digest names in a repository (`ghcr.io/example/app`). Doing it again changes nothing. Throws
 * `registry-denied`, `registry-unavailable`, `image-not-found` and, for what others have attached, `image-malformed` and `limit-exceeded`.
 */
export type Attach = (repository: string, subject: Digest, attachments: readonly Attachment[]) => Promise<void>;

/**
 * Reads a tar once: decompresses by media type (`application/octet-stream`: by its first bytes), hashes both forms and every file, keeps the contents
 * that `wants` names. Never holds the layer in memory. `diffId` is compared by the caller.
 */
export type ScanLayer = (
  bytes: AsyncIterable<Uint8Array>,
  layer: {
    mediaType: string;
    digest?: Digest;
    size?: number;
    /** Notes the claims of files. */
    recognise?: boolean;
    /** Spares hashing the whole; `digest` and `diffId` are then empty. */
    undigested?: true;
  },
  wants: (path: string, size: number) => boolean,
) => Promise<{ scan: LayerScan; contents: Map<Digest, Uint8Array> }>;

/** A git repository over HTTP(S). */
export type Git = {
  /**
   * The commit that HEAD, a branch or a tag names at this moment; undefined where the repository offers no such name (a commit id
   * names itself). Throws `invalid-source`, `source-unavailable`, `address-refused`.
   */
  pin(source: { url: string; ref?: string }): Promise<string | undefined>;
  /** Clones, pins `ref` to a commit and streams its files (under `subdir`) as a tar. `done()` removes what was cloned. */
  fetch(source: { url: string; ref?: string; subdir?: string }): Promise<{
    commit: string;
    tar: Readable;
    /** Files of other commits, newest first, capped. */
    history(): Promise<{ files: SourceHistoryFile[]; complete: boolean }>;
    done(): Promise<void>;
  }>;
};

/**
 * Reads what is in an archive (tar, zip, ar) or a compressed file, and in the archive that a .deb or a gem holds. Bounded; what is damaged or goes
 * beyond the bounds has no members, or those that were read before; `whole` tells that nothing was left out. Never throws for what the bytes are.
 */
export type ScanArchive = (file: string) => Promise<{ members: ArchiveMember[]; whole: boolean }>;

/** Installs exactly these packages from nothing in the clean environment, without any network. */
export type Reinstaller = (order: {
  id: string;
  packages: { name: string; version: string; architecture: string; deb: Digest; open: () => Promise<Readable> }[];
  onLog: (line: string) => void;
  signal?: AbortSignal;
}) => Promise<{
  outcome: { status: 'installed'; tar: Readable } | { status: 'failed'; detail: string; lastLog: string[] };
  done(): Promise<void>;
}>;

/** Debian's archive. Verifies the whole chain and keeps each .deb (as a blob) and what it holds, by its SHA-256. */
export type Debian = {
  gather(
    installed: {
      packages: InstalledPackage[];
      osRelease: Record<string, string>;
      architecture: string;
      /** Best first: where an archive of snapshots is looked into for what the mirror has no longer. */
      dates?: readonly InstallationDate[];
      /** Where packages are looked for that Debian does not have. */
      repositories?: readonly AptRepository[];
    },
    options?: {
      onProgress?: (done: number, total: number) => void;
      /** Told of each package as soon as its chain holds, while others are still followed. */
      onVerified?: (one: PackageEvidence) => void;
      /** A fault of the archive of snapshots is thrown while this is false; then it leaves packages unverified, and is told. */
      lastTry?: boolean;
    },
  ): Promise<DebianEvidence>;
  /** Those of an image's lists of apt whose signature holds as of their own date; asks nobody. */
  verifyLists(lists: readonly AptList[], osRelease: Record<string, string>): Promise<VerifiedList[]>;
  /** Looks files up by their hashes, in the packages that the archive's signed Contents indexes name for their paths. */
  search(wanted: HashSearch, onProgress?: (packages: number) => void): Promise<HashSearchResult>;
};

/**
 * Others who are asked about the packages of one image, while their chains are followed. What they do wrong, or not at all, is an
 * answer and never a failure; a `Problem` is about our own store.
 */
export type Asking<T> = {
  /** Begins to ask about a verified package, and returns at once. */
  about(one: VerifiedPackage): void;
  /** Every answer, within a bounded time. Nothing is asked any more afterwards. */
  answers(): Promise<T>;
  /** Ends it without answers; nothing goes on afterwards. */
  stop(): void;
};

/** Independent rebuilders: what they attest of each package. */
export type AskRebuilders = () => Asking<RebuilderEvidence>;

/** A pool of the records of Debian's own builds: which of them name a package. */
export type AskBuildinfos = () => Asking<BuildinfoEvidence>;

/** What Debian's security team says of versions: fetched now and then, kept as blobs. Nothing signs it. */
export type SecurityTracker = {
  /** The newest data that was fetched: a blob. */
  latest(): Promise<Digest | undefined>;
  /** Fetches anew where that was not done within the hour. Throws `security-data-unavailable`. */
  refresh(): Promise<void>;
};

/** The OpenPGP key of this instance. Only the conclude worker (and the API, for the public half) has it. */
export type Signer = {
  /** Armored detached signature over exactly these bytes. */
  sign(bytes: Uint8Array): Promise<string>;
  /** A binary OpenPGP message that holds these bytes and the signature over them. */
  signMessage(bytes: Uint8Array): Promise<Uint8Array>;
  publicKey(): Promise<string>;
  fingerprint(): Promise<string>;
};

/** The ECDSA key of this instance, whose signatures stand in DSSE envelopes. Held by the same workers as the OpenPGP key. */
export type EnvelopeSigner = {
  /** Over an in-toto statement as the payload of an envelope. DSSE v1.0.2, protocol.md. */
  sign(statement: Uint8Array): Promise<EnvelopeSignature>;
  /** PEM, SubjectPublicKeyInfo: what `cosign --key` takes. */
  publicKey(): Promise<string>;
  /** `SHA256:…`, the fingerprint as ssh-keygen(1) prints it. */
  keyId(): Promise<string>;
};

/** How a running job tells what it is doing. Lossy by nature: nothing depends on it but what people watch. */
export type Progress = {
  step(id: string, step: Step): Promise<void>;
  log(id: string, line: string): void;
};

/** What a watcher gets: what happened so far, then what happens, until the verification is done or failed. */
export type Watch = (id: string, signal: AbortSignal) => AsyncIterable<ProgressEvent>;

/** The queue: one BullMQ flow for each verification. Adding the same id again changes nothing. */
export type Queue = {
  enqueue(job: VerificationJob): Promise<void>;
  deliver(delivery: { id: string }): Promise<void>;
  /** Adds a delivery whose last job ended; nothing changes where it is under way. */
  deliverAgain(delivery: { id: string }): Promise<void>;
  /** The newest step of a job that runs, where one has begun. */
  currentStep(id: string): Promise<Step | undefined>;
  ready(): Promise<void>;
};

/** The jobs of a verification's flow, and the delivery of a webhook. */
export type JobKind = 'inventory' | 'rebuild' | 'evidence' | 'reinstall' | 'conclude' | 'deliver';

/** Digests of the documents that one job hands to the next. */
export type Results = { published?: Digest; rebuild?: Digest; evidence?: Digest; reinstall?: Digest };

/** A job as it is taken from the queue. It may come again after a crash, so its work has to bear being done twice. */
export type Task = {
  /** Of the verification; of the delivery for `deliver`. */
  id: string;
  /** Absent for `deliver`. */
  verification?: VerificationJob;
  /** Of every job that came before. */
  results: Results;
  /** How often the job was begun, this time included. */
  attempt: number;
  /** Only for `conclude`: of a job before it that failed for good. A job between the two fails with it without being done. */
  problem?: ProblemDocument;
  /** Whether the job comes again after failing with this. */
  retries(problem: Problem): boolean;
};

/**
 * Takes the jobs of one kind until closed. A `Problem` that can be retried is, with backoff; another one ends the job, and the
 * job that waits for it gets it as `problem`. `signal` is aborted when the process stops: the job then goes back to the queue.
 */
export type Consume = (
  kind: JobKind,
  work: (task: Task, signal: AbortSignal) => Promise<Results>,
  options?: { concurrency?: number },
) => { close(): Promise<void> };

/** Puts right what a crash, or a queue that lost its data, left behind. */
export type QueueUpkeep = {
  /** What became of the last job of a flow. */
  state(
    kind: 'conclude' | 'deliver',
    id: string,
  ): Promise<{ state: 'absent' } | { state: 'underway' } | { state: 'done' } | { state: 'failed'; problem: ProblemDocument }>;
  /** Removes what is left of a finished or failed flow or delivery, so that it can be added again. */
  forget(kind: 'conclude' | 'deliver', id: string): Promise<void>;
};

/** Tells watchers that a verification has ended. Lossy like `Progress`. */
export type TellEnd = (id: string, status: 'done' | 'failed') => Promise<void>;

/** One attempt to tell a webhook. */
export type Delivery = {
  id: string;
  verification: string;
  url: string;
  event: 'verdict.created' | 'verification.failed' | 'commit.status' | 'verdict.attached' | WatchMatch['type'];
  /** The exact body that is signed and sent. */
  body: string;
  status: 'pending' | 'delivered' | 'failed';
  /** `answer` is how the body of the answer begins, printable. */
  attempts: { at: string; status?: number; answer?: string; error?: string }[];
};

/** What a watch is told; undefined where that is not worth telling. */
export type ComposeDelivery = (match: WatchMatch) => Delivery | undefined;

/** What is kept: requests, verdicts (insert only), deliveries. */
export type Records = {
  /** The same key gives the verification it was first used for, unless that one failed. */
  accept(job: VerificationJob, requestKey: string): Promise<{ verification: Verification; created: boolean }>;
  /** Throws `idempotency-key-reused` where the key came with another body. Returns the verification it was used for, if any. */
  idempotent(key: string, bodyDigest: Digest): Promise<string | undefined>;
  rememberKey(key: string, bodyDigest: Digest, verification: string): Promise<void>;
  get(id: string): Promise<Verification | undefined>;
  unfinished(): Promise<VerificationJob[]>;
  setStatus(id: string, status: Status, step: Step): Promise<void>;
  /** Ends a verification that has not ended; `deliveries` are added in the same transaction. */
  fail(id: string, problem: ProblemDocument, deliveries?: readonly Delivery[]): Promise<void>;
  /**
   * Stores the verdict, ends the verification and adds `deliveries`, and what `compose` makes of each watch that the verdict matches,
   * in one transaction; false, and nothing done, where the verification had ended before.
   */
  conclude(record: VerdictRecord, deliveries?: readonly Delivery[], compose?: ComposeDelivery): Promise<boolean>;
  verdict(digest: Digest): Promise<VerdictRecord | undefined>;
  verdictOf(verification: string): Promise<VerdictRecord | undefined>;
  /** Of the verdicts on one manifest under the name of one repository, newest first, at most `limit`. */
  sealsOn(repository: string, manifestDigest: Digest, limit: number): Promise<Pick<VerdictRecord, 'digest' | 'seals'>[]>;
  /** Newest first, by reference as normalised or by digest. */
  latest(reference: string): Promise<Verification | undefined>;
  /** Newest first. `image`: a digest of an image, or part of its reference as normalised. */
  list(limit: number, cursor?: string, image?: string): Promise<{ items: Verification[]; next?: string }>;
  /** Binary or source packages of a name, in any version or in one that is older in dpkg's order, in everything ever judged. */
  imagesWithPackage(which: { name: string; olderThan?: string }, page: PageRequest): Promise<FleetPage>;
  /** Regular files by their bytes; the empty file is in no answer. */
  imagesWithFile(digest: Digest, page: PageRequest): Promise<FleetPage>;
  /** Images with a source package that the tracker's data says is affected. Undefined where no data was ever loaded. */
  imagesWithCve(cve: string, page: PageRequest): Promise<FleetPage | undefined>;
  /** The tracker's data that questions are answered from. */
  securityData(): Promise<(TrackerFetch & { document: Digest }) | undefined>;
  /** Puts other data in its place, source package by source package; what is the same in both is left alone. */
  loadSecurityData(tracker: TrackerFetch & { document: Digest }, issues: AsyncIterable<SourceIssues>): Promise<void>;
  /** The same condition and address give the watch that is there. */
  addWatch(watch: Omit<ImageWatch, 'createdAt'>): Promise<{ watch: ImageWatch; created: boolean }>;
  watch(id: string): Promise<ImageWatch | undefined>;
  /** Oldest first. */
  watches(page: PageRequest): Promise<{ items: ImageWatch[]; next?: string }>;
  /** False where there is none. */
  removeWatch(id: string): Promise<boolean>;
  /**
   * Adds a delivery for each image that the loaded security data makes match a watch since that was made, at most once for each
   * watch, image digest and cause. Does nothing where this was done for these data.
   */
  tellOfSecurityData(compose: ComposeDelivery): Promise<void>;
  addDelivery(delivery: Delivery): Promise<void>;
  delivery(id: string): Promise<Delivery | undefined>;
  deliveriesOf(verification: string): Promise<Delivery[]>;
  recordAttempt(id: string, attempt: Delivery['attempts'][number], status: Delivery['status']): Promise<void>;
  /** Has a delivery that ended tried once more. Undefined where there is none; one that is pending stays as it is. */
  redeliver(id: string): Promise<Delivery | undefined>;
  pendingDeliveries(): Promise<Delivery[]>;
  /** Verifications by status and verdicts by result, for the metrics; what has none may be absent. */
  counts(): Promise<{ verifications: Partial<Record<Status, number>>; verdicts: Partial<Record<Result, number>> }>;
  ready(): Promise<void>;
};
