import type { PackageFiles } from '../model/bill.ts';
import { hexOf } from '../model/digest.ts';
import { splitReference } from '../model/purl.ts';
import { type Byproducts, PREDICATE_TYPE, STATEMENT_TYPE, type Statement } from '../model/statement.ts';
import type { TrackerFetch } from '../model/security.ts';
import { type AccountLine, CAUSES, type Difference, type Verdict } from '../model/verdict.ts';
import type { Case } from './case.ts';
import { RULES } from './rules/index.ts';

/** The account holds every path; a statement stays readable and under a megabyte. */
const UNEXPLAINED_LISTED_MAX = 1000;
const DIFFERENCES_LISTED_MAX = 200;

/** The in-toto statement of a verdict. Equal arguments give equal values, and `canonicalJson` of them equal bytes. */
export function makeStatement(
  file: Case,
  verdict: Verdict,
  account: readonly AccountLine[],
  differences: readonly Difference[],
  byproducts: Byproducts,
): Statement {
  const { image, rebuild, evidence } = file;
  const byCause = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Difference['cause'], number>;
  for (const { cause } of differences) byCause[cause] += 1;
  const name = splitReference(image.reference).repository;
  const counts = countPackageFiles(file);
  const digests = [...new Set([image.digest, image.manifestDigest])];
  return {
    _type: STATEMENT_TYPE,
    subject: digests.map((digest) => ({ name, digest: { sha256: hexOf(digest) } })),
    predicateType: PREDICATE_TYPE,
    predicate: {
      image,
      verdict,
      unexplained: account
        .filter(({ attribution }) => attribution === 'unexplained')
        .slice(0, UNEXPLAINED_LISTED_MAX)
        .map(({ path }) => path),
      differences: {
        total: differences.length,
        byCause,
        listed: differences.filter(({ cause }) => cause !== 'normalised').slice(0, DIFFERENCES_LISTED_MAX),
      },
      ...(rebuild.source === undefined ? {} : { source: rebuild.source }),
      ...(rebuild.plan === undefined ? {} : { buildPlan: rebuild.plan }),
      ...(rebuild.builderVersion === undefined ? {} : { builderVersion: rebuild.builderVersion }),
      resolvedDependencies: rebuild.resolvedDependencies,
      archives: evidence.archives,
      ...(evidence.security === undefined ? {} : { securityTracker: trackerOf(evidence.security.tracker) }),
      packages: evidence.packages.map(({ purl, status, chain, unverified }) => {
        const files = counts.get(purl);
        return {
          purl,
          status,
          ...(chain === undefined ? {} : { deb: chain.deb }),
          ...(files === undefined ? {} : { files }),
          ...(unverified === undefined ? {} : { unverified }),
        };
      }),
      rules: [...RULES],
      byproducts,
    },
  };
}

/** By purl, of the verified packages. A path that several hold counts for the one that is expected there. */
function countPackageFiles({ expectation }: Pick<Case, 'expectation'>): Map<string, PackageFiles> {
  const counts = new Map<string, PackageFiles>();
  for (const { expected, state } of expectation.files.values()) {
    if (expected.kind === 'directory') continue;
    const count = counts.get(expected.package) ?? { equal: 0, changed: 0, missing: 0 };
    count[state] += 1;
    counts.set(expected.package, count);
  }
  return counts;
}

function trackerOf({ url, digest, fetchedAt }: TrackerFetch): TrackerFetch {
  return { url, digest, fetchedAt };
}
