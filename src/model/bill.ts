import type { BundledCopy } from './copies.ts';
import type { ArchiveSuite } from './debian.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './oci.ts';
import type { Attribution, AttributionEvidence, Verdict } from './verdict.ts';

/**
 * The bill of materials of one judged image, before it is written as CycloneDX or SPDX: what is in it, and how each part was
 * verified. A function of the verdict's stored documents.
 */
export type Bill = {
  /** Digest of the signed statement: name and time of the document come from it. */
  verdict: Digest;
  judgedAt: string;
  rules: string;
  image: { reference: string; digest: Digest; manifestDigest: Digest; platform: Platform };
  answers: Pick<Verdict, 'result' | 'auditable'> & { accounted: number };
  packages: BillPackage[];
  /** Libraries and modules outside of packages, as the statement lists them. */
  copies: BundledCopy[];
  files: BillFile[];
  /** Files that would stand in `files` and are left out for their number. */
  filesOmitted: number;
};

/** A package of the image: installed, or found by its files. */
export type BillPackage = {
  name: string;
  version: string;
  architecture: string;
  /** With the qualifiers `arch`, `distro` and `upstream`. */
  purl: string;
  source: string;
  sourceVersion: string;
  /** dpkg's word where it is another than `installed`; `found` where no database names it. */
  state?: string;
  /** `verified`, `unverified-version` …: how far the signed chain holds. */
  status: string;
  /** Where the chain holds: the signed suite, and the .deb that it names. */
  chain?: { archive: ArchiveSuite; component: string; deb: Digest; path: string };
  /** Why there is no chain. */
  unverified?: string;
  /** A record of its build, by digest: a claim. */
  buildinfo?: Digest;
  files?: PackageFiles;
  /** By how many of how many parties, and the addresses of the rebuilders that did. Only where some were asked. */
  reproduced?: { by: number; of: number; rebuilders: string[] };
};

/**
 * How many paths of a verified package the image holds as signed, as its maintainer scripts leave them, otherwise, or not at all; folders
 * are not counted.
 */
export type PackageFiles = { equal: number; generated: number; changed: number; missing: number };

/** Code that no package accounts for, and whatever nothing accounts for. */
export type BillFile = { path: string; digest?: Digest; layer: number; attribution: Attribution; evidence: AttributionEvidence };
