import type { Digest } from '../../model/digest.ts';
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform } from '../../model/oci.ts';
import { INDEX_TYPES } from '../../model/media-types.ts';
import { choosePlatform, DEFAULT_PLATFORM, formatPlatform, isAttestation, rankOf } from '../../model/platform.ts';
import { Problem } from '../../problem.ts';

export type Offer = { digest: Digest; bytes: Uint8Array } & (
  | { kind: 'index'; index: ImageIndex }
  | { kind: 'manifest'; manifest: ImageManifest }
);
export type Found = {
  manifestDigest: Digest;
  platform: Platform;
  manifest: ImageManifest;
  manifestBytes: Uint8Array;
  config: ImageConfig;
};

/** Indexes within indexes, and documents fetched on the search: enough for anything published, and an end to mazes. */
const DEPTH_MAX = 3;
const LOADS_MAX = 32;

/**
 * The image of a platform, out of what a reference names. An image that is not in an index is taken for what it is, unless
 * another platform was asked for by name. Throws `platform-not-found`.
 */
export async function findPlatform(
  top: Offer,
  wanted: Platform | undefined,
  load: (descriptor: Descriptor) => Promise<Offer>,
  configOf: (manifest: ImageManifest) => Promise<ImageConfig>,
): Promise<Found> {
  const platform = wanted ?? DEFAULT_PLATFORM;
  const offered = new Set<string>();
  let loads = 0;

  async function read(offer: Offer & { kind: 'manifest' }): Promise<Found> {
    const config = await configOf(offer.manifest);
    const { os, architecture, variant } = config;
    const of: Platform = { os, architecture, ...(variant !== undefined && { variant }) };
    return { manifestDigest: offer.digest, platform: of, manifest: offer.manifest, manifestBytes: offer.bytes, config };
  }

  async function search(offer: Offer, depth: number): Promise<Found | undefined> {
    if (++loads > LOADS_MAX || depth > DEPTH_MAX) throw new Problem('limit-exceeded', 'the image has too many indexes in its index');
    if (offer.kind === 'manifest') {
      const found = await read(offer);
      offered.add(formatPlatform(found.platform));
      return depth === 0 && wanted === undefined ? found : rankOf(found.platform, platform) === undefined ? undefined : found;
    }
    const named = choosePlatform(offer.index, platform);
    // An entry that says its platform is believed as engines believe it; the configuration is what is then run.
    if (named !== undefined) {
      const inner = await load(named);
      if (inner.kind === 'manifest') return read(inner);
      const found = await search(inner, depth + 1);
      if (found !== undefined) return found;
    }
    for (const descriptor of offer.index.manifests) {
      if (isAttestation(descriptor) || descriptor === named) continue;
      if (descriptor.platform !== undefined) offered.add(formatPlatform(descriptor.platform));
      const isIndex = (INDEX_TYPES as readonly string[]).includes(descriptor.mediaType);
      if (descriptor.platform !== undefined && !isIndex) continue;
      const found = await search(await load(descriptor), depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  const found = await search(top, 0);
  if (found === undefined)
    throw new Problem(
      'platform-not-found',
      `the image is not published for ${formatPlatform(platform)}, only for ${[...offered].slice(0, 20).join(', ') || 'no platform'}`,
    );
  return found;
}
