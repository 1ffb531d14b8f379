import type { Bill, BillFile, BillPackage } from '../model/bill.ts';
import { type DebianEvidence, isPresent, type PackageEvidence } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import { qualifiedPurl } from '../model/purl.ts';
import type { Statement, StatedReproduction } from '../model/statement.ts';
import type { AccountLine, Attribution } from '../model/verdict.ts';

/** An application of a thousand modules has its own bill of materials; this one has to stay readable. */
const FILES_MAX = 2_000;

/** What is worth naming in a bill of materials, gravest first. What packages account for is named as its package. */
const NAMED: readonly Attribution[] = ['unexplained', 'rebuilt', 'download', 'source', 'base', 'volatile'];

/** Takes the lines of an account one by one and keeps those that a bill names, however many there are. */
export function collectFiles(): { add(line: AccountLine): void; files(): Pick<Bill, 'files' | 'filesOmitted'> } {
  const kept = new Map<Attribution, BillFile[]>(NAMED.map((name) => [name, []]));
  let seen = 0;
  return {
    add({ path, kind, digest, layer, code, attribution, evidence }) {
      const files = kept.get(attribution);
      if (files === undefined || kind !== 'file' || (!code && attribution !== 'unexplained')) return;
      seen += 1;
      if (files.length < FILES_MAX)
        files.push({ path, ...(digest === undefined ? {} : { digest: digest as Digest }), layer, attribution, evidence });
    },
    files() {
      const files = [...kept.values()].flat().slice(0, FILES_MAX);
      return { files, filesOmitted: seen - files.length };
    },
  };
}

/** The bill of materials of a verdict. The same documents give the same bill. */
export function makeBill(
  verdict: Digest,
  { predicate }: Statement,
  evidence: DebianEvidence,
  files: Pick<Bill, 'files' | 'filesOmitted'>,
): Bill {
  const { result, auditable, coverage, freshness } = predicate.verdict;
  const stated = new Map(predicate.packages.map((one) => [keyOf(one), one]));
  return {
    verdict,
    judgedAt: freshness.judgedAt,
    rules: freshness.rules,
    image: predicate.image,
    answers: { result, auditable, accounted: coverage.accounted },
    // What a removed package left behind is no part of the image.
    packages: evidence.packages.filter(isPresent).map((one) => {
      const { files: filesOf, unverified, reproduced, buildinfo } = stated.get(keyOf({ ...one, deb: one.chain?.deb })) ?? {};
      return {
        ...packageOf(one, evidence),
        ...(filesOf === undefined ? {} : { files: filesOf }),
        ...(unverified === undefined ? {} : { unverified }),
        ...(reproduced === undefined ? {} : { reproduced: reproducedOf(reproduced) }),
        ...(buildinfo === undefined ? {} : { buildinfo }),
      };
    }),
    copies: predicate.copies?.listed ?? [],
    ...files,
  };
}

/** A database may name a package for which nothing vouches, while the same one is found by its files. */
function keyOf({ purl, deb }: { purl: string; deb?: Digest | undefined }): string {
  return `${purl} ${deb ?? ''}`;
}

function reproducedOf({ by, of, rebuilders }: StatedReproduction): NonNullable<BillPackage['reproduced']> {
  return { by, of, rebuilders: rebuilders.filter(({ outcome }) => outcome === 'reproduced').map(({ rebuilder }) => rebuilder) };
}

function packageOf(one: PackageEvidence, { archives }: DebianEvidence): BillPackage {
  const { name, version, architecture, source, sourceVersion, state, status, chain } = one;
  const archive = archives.find(({ id }) => id === chain?.archive);
  const own = archive?.thirdParty === undefined ? (archive ?? archives[0]) : undefined; // a third party's is of no distribution
  const codename = own?.codename.replace(/-(?:security|updates|backports|proposed-updates)$/, '');
  const upstream =
    source === name && sourceVersion === version ? undefined : sourceVersion === version ? source : `${source}@${sourceVersion}`;
  return {
    name,
    version,
    architecture,
    source,
    sourceVersion,
    status,
    purl: qualifiedPurl(one.purl, { distro: codename, upstream }),
    ...(state === 'installed' ? {} : { state }),
    ...(chain === undefined || archive === undefined
      ? {}
      : { chain: { archive, component: chain.component, deb: chain.deb, path: chain.path } }),
  };
}
