import { hexOf } from '../model/digest.ts';
import { type Byproducts, PREDICATE_TYPE, STATEMENT_TYPE, type Statement } from '../model/statement.ts';
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
  const name = repositoryOf(image.reference);
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
      packages: evidence.packages.map(({ purl, status, state, chain }) => ({
        purl,
        status,
        ...(state === 'found' ? { found: true as const } : {}),
        ...(chain === undefined ? {} : { deb: chain.deb }),
      })),
      rules: [...RULES],
      byproducts,
    },
  };
}

/** The name in the registry, without tag and digest: the digests are the subject. */
function repositoryOf(reference: string): string {
  const name = reference.split('@', 1)[0] ?? reference;
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
