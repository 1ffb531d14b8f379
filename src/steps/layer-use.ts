import type { FileFacts, Inventory } from '../model/inventory.ts';
import type { LayerUse } from '../model/statement.ts';

/**
 * What the final image shows of each layer, lowest first. What is hidden is carried by everybody who pulls the image, and read by anybody
 * who unpacks its layers. Further names of one inode count as files and hold no bytes of their own.
 */
export function layerUse({ layers, entries, hidden }: Pick<Inventory, 'layers' | 'entries' | 'hidden'>): LayerUse[] {
  const use = layers.map(({ digest }): LayerUse => ({ digest, shown: { files: 0, bytes: 0 }, hidden: { files: 0, bytes: 0 } }));
  const add = (count: LayerUse['shown'] | undefined, { kind, size }: FileFacts, own: boolean): void => {
    if (kind !== 'file' || count === undefined) return;
    count.files += 1;
    if (own) count.bytes += size;
  };
  for (const entry of entries) add(use[entry.layer]?.shown, entry, (entry.linkGroup ?? entry.path) === entry.path);
  for (const entry of hidden) add(use[entry.layer]?.hidden, entry, true);
  return use;
}
