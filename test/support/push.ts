/** Puts images into a registry blob by blob: in a second, and in forms that no tool would push. */
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { Descriptor, Platform } from '../../src/model/oci.ts';

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';

export type Pushed = { digest: Digest; descriptor: Descriptor };

export async function pushBlob(host: string, repository: string, bytes: Buffer): Promise<Digest> {
  const digest = digestOf(bytes);
  const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const url = new URL(start.headers.get('location') ?? '', `http://${host}`);
  url.searchParams.set('digest', digest);
  const end = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes), headers: { 'content-type': 'application/octet-stream' } });
  if (end.status !== 201) throw new Error(`the registry answers ${end.status}: ${await end.text()}`);
  return digest;
}

/** Any document as a manifest. `tag` is a tag or the digest. */
export async function pushManifest(
  host: string,
  repository: string,
  document: { mediaType: string } & Record<string, unknown>,
  tag?: string,
): Promise<Pushed> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestOf(bytes);
  const url = `http://${host}/v2/${repository}/manifests/${tag ?? digest}`;
  const answer = await fetch(url, { method: 'PUT', body: bytes.toString(), headers: { 'content-type': document.mediaType } });
  if (answer.status !== 201) throw new Error(`the registry answers ${answer.status}: ${await answer.text()}`);
  return { digest, descriptor: { mediaType: document.mediaType, digest, size: bytes.length } };
}

/** An image of these layers (uncompressed tars), gzipped. */
export async function pushImage(
  host: string,
  repository: string,
  layers: Buffer[],
  {
    tag,
    platform = { os: 'linux', architecture: 'amd64' },
    docker = false,
    config = {},
  }: { tag?: string; platform?: Platform; docker?: boolean; config?: object } = {},
): Promise<Pushed> {
  const compressed = layers.map((layer) => gzipSync(layer));
  const configuration = Buffer.from(JSON.stringify({ ...platform, config, rootfs: { type: 'layers', diff_ids: layers.map(digestOf) } }));
  for (const blob of [...compressed, configuration]) await pushBlob(host, repository, blob);
  const layerType = docker ? `${DOCKER}.image.rootfs.diff.tar.gzip` : `${OCI}.layer.v1.tar+gzip`;
  const manifest = {
    schemaVersion: 2,
    mediaType: docker ? `${DOCKER}.distribution.manifest.v2+json` : `${OCI}.manifest.v1+json`,
    config: {
      mediaType: docker ? `${DOCKER}.container.image.v1+json` : `${OCI}.config.v1+json`,
      digest: digestOf(configuration),
      size: configuration.length,
    },
    layers: compressed.map((layer) => ({ mediaType: layerType, digest: digestOf(layer), size: layer.length })),
  };
  const pushed = await pushManifest(host, repository, manifest, tag);
  return { ...pushed, descriptor: { ...pushed.descriptor, platform } };
}

export async function pushIndex(host: string, repository: string, manifests: Descriptor[], tag?: string, docker = false): Promise<Pushed> {
  const mediaType = docker ? `${DOCKER}.distribution.manifest.list.v2+json` : `${OCI}.index.v1+json`;
  return pushManifest(host, repository, { schemaVersion: 2, mediaType, manifests }, tag);
}
