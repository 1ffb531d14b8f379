import type { Digest } from './digest.ts';

/**
 * What one rebuilder says of one .deb, best first. Only `reproduced` counts: the other answers are claims, or no answer.
 *
 * - `reproduced`: an attestation signed by its pinned key names the SHA-256 of this very .deb as what the build gave
 * - `attestation-of-another`: it calls the package good, and its attestation is of other bytes than Debian signed
 * - `attestation-unverified`: it calls the package good, and no pinned key signed its attestation
 * - `unattested`: it calls the package good, and has no attestation to show
 * - `not-reproduced`: its build gave something else, or failed: rebuilderd calls both BAD
 * - `unbuilt`: it knows the package and has no result yet
 * - `unlisted`: it does not know the package in this version and architecture
 * - `unavailable`: it did not answer, or with nothing that can be read: its fault or ours, and nothing about the package
 */
export const REBUILD_OUTCOMES = [
  'reproduced',
  'attestation-of-another',
  'attestation-unverified',
  'unattested',
  'not-reproduced',
  'unbuilt',
  'unlisted',
  'unavailable',
] as const;
export type RebuildOutcome = (typeof REBUILD_OUTCOMES)[number];

/** A rebuilderd instance as configured. */
export type Rebuilder = {
  /** Below which its `/api` is; without a slash at the end. */
  url: string;
  /** Raw Ed25519 public keys in base64; more than one while it changes its key. */
  keys: readonly string[];
};

export type RebuilderAnswer = {
  /** Its address. */
  rebuilder: string;
  outcome: RebuildOutcome;
  /** Only with `reproduced`: blob of the attestation, which anybody can check again. */
  attestation?: Digest;
};

/** What the configured rebuilders say of the verified packages of an image; part of the stored evidence. */
export type RebuilderEvidence = {
  rebuilders: readonly Rebuilder[];
  /** How many of them have to have reproduced a package before it counts: the policy's m, as configured when they were asked. */
  atLeast: number;
  /** In the order of the digests; each with an answer of every rebuilder, in the order of `rebuilders`. */
  debs: { deb: Digest; answers: RebuilderAnswer[] }[];
};

/**
 * Who runs a rebuilder: instances below one origin (Debian's has one for each architecture) are one party, and agree with
 * each other for reasons that prove nothing.
 */
export function partyOf({ url }: Pick<Rebuilder, 'url'>): string {
  return new URL(url).origin;
}
