import type { Readable } from 'node:stream';
import type { Digest } from '../model/digest.ts';
import type { Inventory, LayerScan } from '../model/inventory.ts';
import type { Descriptor, ImageConfig, ImageManifest } from '../model/oci.ts';
import type { Blobs, Progress, Registry, ScanLayer } from '../ports.ts';
import { applyLayers } from '../steps/apply-layers.ts';
import { wantsContent } from '../steps/wants-content.ts';
import { getDocument, once, putDocument, putScan } from './documents.ts';

/** Raised when reading a layer or applying layers comes to mean something else: old scans are then not used any more. */
export const SCAN_VERSION = 7;
// One layer is decompressed in the thread pool while another is hashed: more than two only compete for two cores.
const LAYERS_AT_ONCE = 2;

export type InventoryPorts = { registry: Registry; scanLayer: ScanLayer; blobs: Blobs; progress: Progress };

type Image = { manifest: ImageManifest; manifestDigest: Digest; config: ImageConfig };

/** The inventory of an image, as a stored document. Each layer is read once ever, whatever images hold it. */
export async function inventoryOf(
  ports: { scanLayer: ScanLayer; blobs: Blobs },
  image: Image,
  openBlob: (layer: Descriptor) => Promise<Readable>,
): Promise<Digest> {
  const { blobs } = ports;
  return once(blobs, `inventory/v${SCAN_VERSION}/${image.manifestDigest}`, async () => {
    const scans = await mapLimited(image.manifest.layers, LAYERS_AT_ONCE, async (layer): Promise<LayerScan> => {
      const stored = await once(blobs, `layer-scan/v${SCAN_VERSION}/${layer.digest}`, async () =>
        putDocument(blobs, await putScan(blobs, await ports.scanLayer(await openBlob(layer), { ...layer, recognise: true }, wantsContent))),
      );
      return getDocument<LayerScan>(blobs, stored);
    });
    return putDocument(blobs, applyLayers(image, scans) satisfies Inventory);
  });
}

/** Like `Promise.all` over `map`, with at most `limit` under way. The first failure is thrown once those under way ended. */
async function mapLimited<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lanes = Array.from({ length: limit }, async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  });
  const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
