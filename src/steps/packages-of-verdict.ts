import type { DebianEvidence } from '../model/debian.ts';
import type { Inventory } from '../model/inventory.ts';
import type { VerdictRecord } from '../model/verification.ts';
import { layerOfPackages } from './package-layers.ts';

/** The installed packages with the layer that brought each. */
export function packagesOfVerdict(evidence: DebianEvidence, published: Inventory): VerdictRecord['packages'] {
  const layerOf = layerOfPackages(published);
  return evidence.packages
    .filter(({ state }) => state === 'installed')
    .map((one) => {
      const { name, version, architecture, source, sourceVersion } = one;
      const layer = layerOf(one);
      return { name, version, architecture, source, sourceVersion, ...(layer === undefined ? {} : { layer }) };
    });
}
