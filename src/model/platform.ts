import type { Descriptor, ImageIndex, Platform } from './oci.ts';

/** What images are for unless a request says otherwise, and what the rebuild runs on. */
export const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

/** Variants that run where one is asked for, best first. containerd `platforms`, "Variant". */
const RUNS_ON = new Map<string, string[]>([
  ['arm/v8', ['v8', 'v7', 'v6', 'v5']],
  ['arm/v7', ['v7', 'v6', 'v5']],
  ['arm/v6', ['v6', 'v5']],
  ['arm/v5', ['v5']],
  ['arm64/v8', ['v8']],
  ['amd64/v4', ['v4', 'v3', 'v2', 'v1']],
  ['amd64/v3', ['v3', 'v2', 'v1']],
  ['amd64/v2', ['v2', 'v1']],
  ['amd64/v1', ['v1']],
]);
/** What no variant means. */
const DEFAULT_VARIANT = new Map([
  ['arm', 'v7'],
  ['arm64', 'v8'],
  ['amd64', 'v1'],
]);

/** BuildKit's attestations stand in the index as if they were images. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return annotations?.['vnd.docker.reference.type'] !== undefined || (platform?.os === 'unknown' && platform.architecture === 'unknown');
}

/** The entry of an index that an engine on that platform pulls: the best variant, then the first. Undefined where there is none. */
export function choosePlatform(index: ImageIndex, wanted: Platform): Descriptor | undefined {
  let best: { descriptor: Descriptor; rank: number } | undefined;
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor) || descriptor.platform === undefined) continue;
    const rank = rankOf(descriptor.platform, wanted);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { descriptor, rank };
  }
  return best?.descriptor;
}

/** How well an image for `offered` suits `wanted`: 0 is best, undefined is not at all. */
export function rankOf(offered: Platform, wanted: Platform): number | undefined {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const want = wanted.variant || DEFAULT_VARIANT.get(wanted.architecture) || '';
  const have = offered.variant || DEFAULT_VARIANT.get(offered.architecture) || '';
  const rank = (RUNS_ON.get(`${wanted.architecture}/${want}`) ?? [want]).indexOf(have);
  return rank < 0 ? undefined : rank;
}

/** `linux/arm64/v8`: as requests write it. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}
