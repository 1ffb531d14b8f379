import Type, { type Static } from 'typebox';
import type { Digest } from './digest.ts';
import type { ImageContents } from './image-contents.ts';
import type { VerificationRequest } from './request.ts';
import type { Seals } from './seals.ts';
import { Verdict } from './verdict.ts';
import type { Platform } from './oci.ts';

export const STATUSES = ['queued', 'running', 'done', 'failed'] as const;
export type Status = (typeof STATUSES)[number];

/** The steps a person sees, in order; several run side by side. */
export const STEPS = ['queued', 'pull', 'source', 'rebuild', 'debian', 'reinstall', 'conclude', 'done'] as const;
export type Step = (typeof STEPS)[number];

/** RFC 9457 problem document, as stored with a failed job and sent with an error. */
export const ProblemDocument = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String()),
  code: Type.String({ description: 'stable' }),
});
export type ProblemDocument = Static<typeof ProblemDocument>;

/** A verification as accepted: the request, and the digest the reference was pinned to. */
export type VerificationJob = {
  id: string;
  request: VerificationRequest;
  /** What the request's git ref named when it was asked; absent where nothing was to be pinned or the repository did not answer. */
  commit?: string;
  image: { reference: string; digest: Digest; manifestDigest: Digest; platform: Platform };
};

/** A verification as it stands. */
export type Verification = VerificationJob & {
  status: Status;
  step: Step;
  /** ISO 8601, UTC. */
  createdAt: string;
  updatedAt: string;
  verdict?: Verdict;
  /** SHA-256 of the stored statement. */
  verdictDigest?: Digest;
  problem?: ProblemDocument;
};

/** A stored verdict: never changed, never overwritten. */
export type VerdictRecord = {
  digest: Digest;
  verification: string;
  image: VerificationJob['image'];
  verdict: Verdict;
  /** The exact bytes that are signed and served. */
  statement: Uint8Array;
  /** Armored detached OpenPGP signature over `statement`. */
  signature: string;
  /** The other signatures; absent in verdicts from before there were any. */
  seals?: Seals;
  account: Digest;
  differences: Digest;
  packages: { name: string; version: string; architecture: string; source: string; sourceVersion: string; layer?: number }[];
  /** What the image is found by; written with the verdict, not read back. */
  contents?: ImageContents;
};

/** What happens to a verification, told to watchers as it does. */
export type ProgressEvent =
  | { type: 'step'; step: Step; at: string }
  | { type: 'log'; line: string; at: string }
  | { type: 'status'; status: Status; at: string };
