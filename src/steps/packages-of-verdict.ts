import type { DebianEvidence } from '../model/debian.ts';
import type { Inventory } from '../model/inventory.ts';
import type { VerdictRecord } from '../model/verification.ts';

/** The installed packages with the layer that brought each: the one that set the package's file list last (dpkg-query(1)). */
export function packagesOfVerdict(evidence: DebianEvidence, published: Inventory): VerdictRecord['packages'] {
  const layers = new Map<string, number>();
  for (const { path, layer } of published.entries) {
    const list = /^\/var\/lib\/dpkg\/info\/([^/]+)\.list$/.exec(path)?.[1];
    if (list !== undefined) layers.set(list, layer);
  }
  return evidence.packages
    .filter(({ state }) => state === 'installed')
    .map(({ name, version, architecture, source, sourceVersion }) => {
      const layer = layers.get(name) ?? layers.get(`${name}:${architecture}`);
      return { name, version, architecture, source, sourceVersion, ...(layer === undefined ? {} : { layer }) };
    });
}
