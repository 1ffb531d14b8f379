/** Layers to inventories in one call. */
import { makeScanLayer } from '../../src/adapters/layers/scan.ts';
import type { Inventory, LayerScan } from '../../src/model/inventory.ts';
import type { ImageConfig, ImageManifest } from '../../src/model/oci.ts';
import { applyLayers } from '../../src/steps/apply-layers.ts';
import { inPieces } from './tar.ts';

const scanLayer = makeScanLayer();

export async function scanOf(tar: Buffer): Promise<LayerScan> {
  return (await scanLayer(inPieces(tar, 1 << 16), { mediaType: 'application/vnd.oci.image.layer.v1.tar' }, () => false)).scan;
}

/** A manifest and a configuration that hold exactly these layers. */
export function imageOf(scans: LayerScan[]): { manifestDigest: LayerScan['digest']; manifest: ImageManifest; config: ImageConfig } {
  const digest = `sha256:${'0'.repeat(64)}` as const;
  return {
    manifestDigest: digest,
    manifest: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 },
      layers: scans.map((scan) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: scan.digest, size: scan.size })),
    },
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: scans.map(({ diffId }) => diffId) } },
  };
}

/** The inventory of an image of these layers, lowest first. */
export async function inventoryOf(...tars: Buffer[]): Promise<Inventory> {
  const scans = await Promise.all(tars.map(scanOf));
  return applyLayers(imageOf(scans), scans);
}
