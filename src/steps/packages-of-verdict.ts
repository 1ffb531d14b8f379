import { type DebianEvidence, isPresent } from '../model/debian.ts';
import type { Inventory } from '../model/inventory.ts';
import type { AccountLine } from '../model/verdict.ts';
import type { VerdictRecord } from '../model/verification.ts';
import { layerOfPackages } from './package-layers.ts';

/**
 * The packages that the image holds, with the layer that brought each: those that a database names in any state but removed, and those found by
 * their files, whose layer is the last that brought one.
 */
export function packagesOfVerdict(
  evidence: Pick<DebianEvidence, 'packages'>,
  published: Inventory,
  account: readonly AccountLine[],
): VerdictRecord['packages'] {
  const layerOf = layerOfPackages(published);
  const found = new Map(evidence.packages.filter(({ state }) => state === 'found').map(({ purl }) => [purl, -1]));
  for (const { kind, layer, attribution, evidence: why } of account) {
    const known = attribution === 'debian-official' && kind !== 'directory' ? found.get(why.package ?? '') : undefined;
    if (known !== undefined && why.package !== undefined) found.set(why.package, Math.max(known, layer));
  }
  return evidence.packages.filter(isPresent).map((one) => {
    const { name, version, architecture, source, sourceVersion, state, purl } = one;
    const layer = state === 'found' ? found.get(purl) : layerOf(one);
    return { name, version, architecture, source, sourceVersion, ...(layer === undefined || layer < 0 ? {} : { layer }) };
  });
}
