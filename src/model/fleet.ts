import type { Digest } from './digest.ts';
import type { Path } from './path.ts';
import type { TrackerFetch } from './security.ts';
import type { Result } from './verdict.ts';
import type { VerificationJob } from './verification.ts';

/** One place in one judged image that a question about all of them found. */
export type FleetItem = {
  image: VerificationJob['image'];
  verification: string;
  /** SHA-256 of the signed statement. */
  verdict: Digest;
  result: Result;
  /** Whether no newer verdict of the same reference and platform exists. */
  latest: boolean;
  package?: { name: string; version: string; architecture: string; source: string; sourceVersion: string };
  /** What the security tracker says of the source package; without `fixed` every version is affected. */
  issue?: { cve: string; urgency: string; fixed?: string };
  /** One path at which the layer holds the file. */
  path?: Path;
  /** Whether a later layer took the file away. */
  hidden?: boolean;
  /** Index of the layer that put it there, from 0 for the lowest, and what is known of that layer. */
  layer?: number;
  layerDigest?: Digest;
  /** Line of the Dockerfile. */
  line?: number;
  createdBy?: string;
};

/** Some of what was found, newest verdict first, and where the rest begins. `tracker`: the data that an answer about a CVE rests on. */
export type FleetPage = { items: FleetItem[]; next?: string; tracker?: TrackerFetch };

export type PageRequest = { limit: number; cursor?: string };
