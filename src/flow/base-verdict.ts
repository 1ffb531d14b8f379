import type { Digest } from '../model/digest.ts';
import type { Inventory } from '../model/inventory.ts';
import { DEFAULT_POLICY, RULES_VERSION } from '../model/policy.ts';
import type { PinnedBase, Rebuild } from '../model/rebuild.ts';
import type { Statement } from '../model/statement.ts';
import type { AccountLine } from '../model/verdict.ts';
import type { Blobs, Records } from '../ports.ts';
import type { BaseVerdict } from '../steps/case.ts';
import { getDocument, getLines } from './documents.ts';

/** Newest verifications of the base that are looked at: those before were judged by what is known no better. */
const LOOKED_AT = 20;

/** The image that the published one is known to lie on. */
function baseOf({ plan }: Pick<Rebuild, 'plan'>): PinnedBase | undefined {
  return plan?.bases.find(({ beneath }) => beneath === true);
}

/** The newest verdict on the base by these rules and this policy, which is the one that a new verdict may rest on. */
export async function findBaseVerdict(records: Pick<Records, 'list'>, rebuild: Pick<Rebuild, 'plan'>): Promise<Digest | undefined> {
  const base = baseOf(rebuild);
  if (base === undefined) return undefined;
  const { items } = await records.list(LOOKED_AT, undefined, base.manifestDigest);
  const policy = `${DEFAULT_POLICY.name}@${DEFAULT_POLICY.version}`;
  return items.find(
    ({ image, verdict }) =>
      image.manifestDigest === base.manifestDigest && verdict?.freshness.rules === RULES_VERSION && verdict.freshness.policy === policy,
  )?.verdictDigest;
}

/** The verdict with what it rests on, out of the statement as it was signed. */
export async function loadBaseVerdict(blobs: Blobs, digest: Digest, rebuild: Pick<Rebuild, 'plan'>): Promise<BaseVerdict | undefined> {
  const image = baseOf(rebuild);
  if (image === undefined) return undefined;
  const { predicate } = await getDocument<Statement>(blobs, digest);
  const { published, account } = predicate.byproducts;
  return {
    digest,
    image,
    verdict: predicate.verdict,
    inventory: await getDocument<Inventory>(blobs, published),
    account: await getLines<AccountLine>(blobs, account),
  };
}
