/** OCI image specification 1.1, media-types.md, and Docker's image manifest version 2 schema 2. */
export const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
] as const;
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;
export const CONFIG_TYPES = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'] as const;

export type Compression = 'none' | 'gzip' | 'zstd';

const LAYER_TYPES = new Map<string, Compression>([
  ['application/vnd.oci.image.layer.v1.tar', 'none'],
  ['application/vnd.oci.image.layer.v1.tar+gzip', 'gzip'],
  ['application/vnd.oci.image.layer.v1.tar+zstd', 'zstd'],
  ['application/vnd.docker.image.rootfs.diff.tar', 'none'],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'gzip'],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'zstd'],
]);

/** How a layer of this media type is compressed; undefined for what is no layer that a registry hands out. */
export function layerCompression(mediaType: string): Compression | undefined {
  return LAYER_TYPES.get(mediaType);
}

/** Layers that a registry only points to: `urls` elsewhere, mostly of Windows. OCI 1.1 keeps the types and advises against them. */
export function isForeignLayer(mediaType: string): boolean {
  return /nondistributable|\.foreign\./.test(mediaType);
}

/** A base type: `charset` and other parameters cut off, lower case. RFC 9110, section 8.3.1. */
export function baseType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}
