import type { InstalledPackage } from '../model/debian.ts';
import type { Inventory } from '../model/inventory.ts';

/** Where dpkg keeps a package's list of files, and distroless images its stanza. */
const MARK = /^\/var\/lib\/dpkg\/(?:info\/([^/]+)\.list|status\.d\/([^/]+))$/;

/**
 * The layer that brought each package: the one that set the package's file list last (dpkg-query(1)), or its file in `status.d`.
 * Undefined where the image holds neither.
 */
export function layerOfPackages(
  published: Pick<Inventory, 'entries'>,
): (one: Pick<InstalledPackage, 'name' | 'architecture'>) => number | undefined {
  const layers = new Map<string, number>();
  for (const { path, layer } of published.entries) {
    const [, list, stanza] = MARK.exec(path) ?? [];
    const name = list ?? stanza;
    if (name !== undefined) layers.set(name, layer);
  }
  return ({ name, architecture }) => layers.get(`${name}:${architecture}`) ?? layers.get(name);
}
