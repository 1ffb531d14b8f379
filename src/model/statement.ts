import type { Digest } from './digest.ts';
import type { Platform } from './oci.ts';
import type { ArchiveSuite } from './debian.ts';
import type { BuildPlan, ResolvedDependency, Source } from './rebuild.ts';
import type { Difference, Verdict } from './verdict.ts';

/** in-toto attestation framework v1. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Documented at api/predicates/verdict/v1.md, and served by the API at /predicates/verdict/v1. */
export const PREDICATE_TYPE = 'urn:conforme:predicate:verdict:v1';

/** A rule that may explain a difference or a file; each that was in force stands in the statement. */
export type RuleDescription = { name: string; version: number; reason: string };

/** Digests of the stored inputs, enough to recompute the statement. in-toto "byproducts". */
export type Byproducts = {
  published: Digest;
  rebuild?: Digest;
  evidence: Digest;
  reinstall?: Digest;
  /** NDJSON, one AccountLine a line. */
  account: Digest;
  /** NDJSON, one Difference a line. */
  differences: Digest;
};

export type VerdictPredicate = {
  image: { reference: string; digest: Digest; manifestDigest: Digest; platform: Platform };
  verdict: Verdict;
  /** Paths that are `unexplained`; the whole list is in the account, here at most UNEXPLAINED_LISTED_MAX. */
  unexplained: string[];
  /** `listed`: the first of those that no rule excuses; the whole list is among the byproducts. */
  differences: { total: number; byCause: Record<Difference['cause'], number>; listed: Difference[] };
  source?: Source;
  buildPlan?: BuildPlan;
  builderVersion?: string;
  resolvedDependencies: ResolvedDependency[];
  archives: ArchiveSuite[];
  /** `found`: by its files' hashes, no database of the image names it. */
  packages: { purl: string; status: string; found?: true; deb?: Digest }[];
  rules: RuleDescription[];
  byproducts: Byproducts;
};

/** in-toto Statement v1: https://github.com/in-toto/attestation/blob/v1.0/spec/v1/statement.md */
export type Statement = {
  _type: typeof STATEMENT_TYPE;
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: typeof PREDICATE_TYPE;
  predicate: VerdictPredicate;
};
