import type { PackageFiles } from '../model/bill.ts';
import type { BundledCopy } from '../model/copies.ts';
import { hexOf } from '../model/digest.ts';
import { splitReference } from '../model/purl.ts';
import { type Byproducts, PREDICATE_TYPE, STATEMENT_TYPE, type Statement } from '../model/statement.ts';
import type { TrackerFetch } from '../model/security.ts';
import { type AccountLine, CAUSES, type Difference, DIFFERENCE_CLASSES, type DifferenceClass, type Verdict } from '../model/verdict.ts';
import type { BaseVerdict } from './case.ts';
import type { Case } from './case.ts';
import { layerUse } from './layer-use.ts';
import { statedReproduction } from './reproduced-packages.ts';
import { RULES } from './rules/index.ts';

/** The account holds every path; a statement stays readable and under a megabyte. */
const UNEXPLAINED_LISTED_MAX = 1000;
const DIFFERENCES_LISTED_MAX = 200;
const COPIES_LISTED_MAX = 1000;

/** The in-toto statement of a verdict. Equal arguments give equal values, and `canonicalJson` of them equal bytes. */
export function makeStatement(
  file: Case,
  verdict: Verdict,
  { account, differences, copies }: { account: readonly AccountLine[]; differences: readonly Difference[]; copies: readonly BundledCopy[] },
  byproducts: Byproducts,
): Statement {
  const { image, rebuild, evidence, policy } = file;
  const byCause = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Difference['cause'], number>;
  const byClass = Object.fromEntries(DIFFERENCE_CLASSES.map((one) => [one, 0])) as Record<DifferenceClass, number>;
  for (const { cause, class: where } of differences) {
    byCause[cause] += 1;
    if (where !== undefined) byClass[where] += 1;
  }
  const { conditions: first, second } = rebuild;
  const name = splitReference(image.reference).repository;
  const counts = countPackageFiles(file, account);
  const recorded = new Map(evidence.buildinfos?.debs.map(({ deb, buildinfo }) => [deb, buildinfo]));
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
        byClass,
        listed: differences
          .filter(({ cause }) => cause !== 'normalised')
          .sort((a, b) => gravity(b) - gravity(a))
          .slice(0, DIFFERENCES_LISTED_MAX),
      },
      ...(rebuild.source === undefined ? {} : { source: rebuild.source }),
      ...(rebuild.provenance === undefined ? {} : { provenance: rebuild.provenance }),
      ...(rebuild.attestationsPassedOver === undefined ? {} : { attestationsPassedOver: rebuild.attestationsPassedOver }),
      ...(rebuild.plan === undefined ? {} : { buildPlan: rebuild.plan }),
      ...(rebuild.builderVersion === undefined ? {} : { builderVersion: rebuild.builderVersion }),
      ...(first === undefined ? {} : { rebuilds: { first, ...(second === undefined ? {} : { second }) } }),
      ...(file.base === undefined ? {} : { baseVerdict: statedBase(file.base) }),
      resolvedDependencies: rebuild.resolvedDependencies,
      archives: evidence.archives,
      ...(evidence.security === undefined ? {} : { securityTracker: trackerOf(evidence.security.tracker) }),
      packages: evidence.packages.map(({ purl, status, state, chain, unverified }) => {
        const files = counts.get(purl);
        const buildinfo = chain === undefined ? undefined : recorded.get(chain.deb);
        const reproduction = chain === undefined || status !== 'verified' ? undefined : file.reproductions.get(chain.deb);
        return {
          purl,
          status,
          ...(state === 'found' ? { found: true as const } : {}),
          ...(chain === undefined ? {} : { deb: chain.deb }),
          ...(files === undefined ? {} : { files }),
          ...(unverified === undefined ? {} : { unverified }),
          ...(buildinfo === undefined ? {} : { buildinfo }),
          ...(reproduction === undefined ? {} : { reproduced: statedReproduction(reproduction) }),
        };
      }),
      layers: layerUse(file.published.inventory),
      copies: { total: copies.length, listed: copies.slice(0, COPIES_LISTED_MAX) },
      ...(evidence.rebuilders === undefined
        ? {}
        : { rebuilders: { atLeast: policy.reproducedBy.atLeast, asked: evidence.rebuilders.rebuilders } }),
      rules: [...RULES],
      byproducts: { ...byproducts, ...(second?.status === 'built' ? { rebuiltAgain: second.inventory } : {}) },
    },
  };
}

function gravity({ class: where = 'noise' }: Difference): number {
  return DIFFERENCE_CLASSES.indexOf(where);
}

/** By purl, of the verified packages: what dpkg unpacks, without its own notes about it. A path that several hold counts for one of them. */
function countPackageFiles(
  { expectation, verified, found }: Pick<Case, 'expectation' | 'verified' | 'found'>,
  account: readonly AccountLine[],
) {
  const generated = new Set(account.filter(({ attribution }) => attribution === 'debian-generated').map(({ path }) => path));
  const counts = new Map<string, PackageFiles>();
  for (const purl of verified.keys()) counts.set(purl, { equal: 0, generated: 0, changed: 0, missing: 0 });
  for (const [path, { expected, state }] of expectation.files) {
    const count = counts.get(expected.package);
    if (count === undefined || expected.kind === 'directory' || expected.origin !== 'data') continue;
    count[state === 'changed' && generated.has(path) ? 'generated' : state] += 1;
  }
  // Nothing of a package that no database names is missed.
  for (const { expected, aspects } of found.values()) {
    const count = expected.kind === 'directory' || expected.origin !== 'data' ? undefined : counts.get(expected.package);
    if (count !== undefined) count[aspects.length === 0 ? 'equal' : 'changed'] += 1;
  }
  return counts;
}

function statedBase({ digest, image, verdict: { result, auditable } }: BaseVerdict): NonNullable<Statement['predicate']['baseVerdict']> {
  return { digest, reference: image.reference, manifestDigest: image.manifestDigest, result, auditable };
}

function trackerOf({ url, digest, fetchedAt }: TrackerFetch): TrackerFetch {
  return { url, digest, fetchedAt };
}
