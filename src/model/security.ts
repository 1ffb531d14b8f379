import type { Digest } from './digest.ts';

/** What the security tracker says of one issue of one source package in one release. */
export type SecurityIssue = {
  /** `CVE-2024-1234`, or the tracker's own `TEMP-…`. */
  cve: string;
  /** Codename. */
  release: string;
  /** `open`: every version of the release is affected. `resolved`: those before `fixed` are. */
  status: 'open' | 'resolved';
  /** Version of the source package; with `resolved` only. */
  fixed?: string;
  /** The tracker's word: `high`, `low`, `unimportant`, `not yet assigned` … */
  urgency: string;
};

/** All issues of one source package that affect some version of it. */
export type SourceIssues = { source: string; issues: SecurityIssue[] };

/**
 * Where the data came from. Nothing signs it, so the hash of what was fetched and the time are told wherever it is used.
 * The document is NDJSON: this, then a {@link SourceIssues} a line.
 */
export type TrackerFetch = {
  url: string;
  /** SHA-256 of the JSON as fetched (after a Content-Encoding was undone). */
  digest: Digest;
  /** ISO 8601, UTC. */
  fetchedAt: string;
};

/** What of the tracker's data an evidence rests on. */
export type SecurityEvidence = {
  tracker: TrackerFetch & { /** Blob with what was read of it. */ document: Digest };
  /** Source packages that are installed in a version before one that fixes something, with what that fixes. */
  fixes: { source: string; version: string; issues: { cve: string; fixed: string; urgency: string }[] }[];
};

/** Names of a CVE as a request may give it. */
export const CVE_PATTERN = '^(?:CVE-[0-9]{4}-[0-9]{4,19}|TEMP-[0-9]{7}-[0-9A-F]{6})$';
