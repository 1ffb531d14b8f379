import type { Readable } from 'node:stream';
import { liesBeneath } from '../model/chain-id.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Descriptor, ResolvedImage } from '../model/oci.ts';
import type { BuiltImage } from '../ports-build.ts';
import type { BuiltLayers } from '../ports-explain.ts';
import type { Side } from './collect-pairs.ts';

type Open = Side['open'];
export type Base = { image: ResolvedImage; openBlob: (layer: Descriptor) => Promise<Readable> };

/** Layers of an image that is there as a whole. */
export function reopened({ layers }: Pick<Inventory, 'layers'>, openBlob: (layer: Descriptor) => Promise<Readable>): Open {
  return async (index) => {
    const layer = layers[index];
    return layer === undefined ? undefined : { layer, bytes: await openBlob(layer) };
  };
}

/** Layers of an image that was built before: what its steps made as far as it is kept, and what is its base's out of the registry. */
export function rebuiltBefore({ layers }: Pick<Inventory, 'layers'>, kept: BuiltLayers, bases: readonly Base[]): Open {
  const diffIds = layers.map(({ diffId }) => diffId);
  const beneath = bases.filter(({ image }) => liesBeneath(image.config.rootfs.diff_ids, diffIds));
  return async (index) => {
    const layer = layers[index];
    const bytes = layer === undefined ? undefined : await kept.open(layer.digest);
    if (layer !== undefined && bytes !== undefined) return { layer, bytes };
    for (const { image, openBlob } of beneath) {
      const own = image.manifest.layers[index];
      if (own !== undefined) return { layer: own, bytes: await openBlob(own) };
    }
    return undefined;
  };
}

/** Keeps the layers that steps made. */
export async function keepBuilt(kept: BuiltLayers, image: BuiltImage, baseLayers: number): Promise<void> {
  for (const layer of image.manifest.layers.slice(baseLayers)) await kept.keep(layer, () => image.openBlob(layer));
}
