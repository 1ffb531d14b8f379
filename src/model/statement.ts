import type { PackageFiles } from './bill.ts';
import type { Copies } from './copies.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './oci.ts';
import type { ArchiveSuite, UnverifiedReason } from './debian.ts';
import type { StatedProvenance } from './provenance.ts';
import type { Rebuilder, RebuilderAnswer } from './rebuilders.ts';
import type { TrackerFetch } from './security.ts';
import type { BuildConditions, BuildPlan, ResolvedDependency, SecondRebuild, Source } from './rebuild.ts';
import type { Difference, DifferenceClass, Verdict } from './verdict.ts';

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
  /** The signed statement about the base. */
  base?: Digest;
  /** Inventory of the second rebuild. */
  rebuiltAgain?: Digest;
  /** NDJSON, one AccountLine a line. */
  account: Digest;
  /** NDJSON, one Difference a line. */
  differences: Digest;
};

/** How much of a layer the final image shows, and how much a later layer deletes or replaces: regular files and their bytes. */
export type LayerUse = {
  digest: Digest;
  shown: { files: number; bytes: number };
  hidden: { files: number; bytes: number };
};

/** By how many of how many parties a package was reproduced, and what each rebuilder said. */
export type StatedReproduction = { by: number; of: number; rebuilders: readonly RebuilderAnswer[] };

export type VerdictPredicate = {
  image: { reference: string; digest: Digest; manifestDigest: Digest; platform: Platform };
  verdict: Verdict;
  /** Paths that are `unexplained`; the whole list is in the account, here at most UNEXPLAINED_LISTED_MAX. */
  unexplained: string[];
  /** `listed`: the first of those that no rule excuses; the whole list is among the byproducts. */
  differences: {
    total: number;
    byCause: Record<Difference['cause'], number>;
    /** Absent in statements from before differences were classed. */
    byClass?: Record<DifferenceClass, number>;
    listed: Difference[];
  };
  /** Under which conditions the image was rebuilt, the second time as well where there was one. */
  rebuilds?: { first: BuildConditions; second?: SecondRebuild };
  source?: Source;
  /** What was read of the provenance attached to the image: the publisher's word, a recipe that was tried. */
  provenance?: StatedProvenance[];
  attestationsPassedOver?: string[];
  buildPlan?: BuildPlan;
  builderVersion?: string;
  /** The verdict on the image beneath, where there is one: files of it may have the account `base`. */
  baseVerdict?: { digest: Digest; reference: string; manifestDigest: Digest } & Pick<Verdict, 'result' | 'auditable'>;
  resolvedDependencies: ResolvedDependency[];
  archives: ArchiveSuite[];
  /** The data of the security tracker that findings rest on, where it was configured: nothing signs it. */
  securityTracker?: TrackerFetch;
  packages: {
    purl: string;
    status: string;
    /** By its files' hashes: no database of the image names it. */
    found?: true;
    deb?: Digest;
    /** Of the verified ones, how many of their files the image holds as signed. */
    files?: PackageFiles;
    unverified?: UnverifiedReason;
    /** Blob: a .buildinfo that names this .deb. A claim of whoever built it, not proof. */
    buildinfo?: Digest;
    reproduced?: StatedReproduction;
  }[];
  /** The rebuilders that were asked, with the keys that their attestations were held against, and how many had to agree. */
  rebuilders?: { atLeast: number; asked: readonly Rebuilder[] };
  /** Lowest first. Absent in statements from before this was told. */
  layers?: LayerUse[];
  /** Absent in statements from before copies were looked for. */
  copies?: Copies;
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
