/** An image in a registry on loopback, taken apart and put together again by hand: what a dishonest publisher can do. */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { digestOf, type Digest } from '../../src/model/digest.ts';
import type { Descriptor, History, ImageConfig } from '../../src/model/oci.ts';
import { pushBlob, pushManifest, type Pushed } from '../../test/support/push.ts';
import type { BaseLayer } from './base.ts';

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

type Config = ImageConfig & Record<string, unknown>;
type Manifest = { schemaVersion: 2; mediaType: string; config: Descriptor; layers: Descriptor[] };

/** An image as parts that can be exchanged. */
export type ImageParts = { manifest: Manifest; config: Config };

/** Pushes the base as an image of one layer. */
export async function pushBase(host: string, repository: string, tag: string, base: BaseLayer, config: object): Promise<Pushed> {
  await pushBlob(host, repository, await readFile(base.path));
  return pushParts(host, repository, tag, {
    manifest: {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: base.digest, size: 0 },
      layers: [{ mediaType: OCI_LAYER, digest: base.digest, size: base.size }],
    },
    config: {
      ...(config as Config),
      rootfs: { type: 'layers', diff_ids: [base.diffId] },
      history: [{ created_by: `mmdebstrap --variant=minbase ${base.codename}` }],
    },
  });
}

export async function pullParts(host: string, repository: string, tag: string): Promise<ImageParts> {
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, { headers: { accept: OCI_MANIFEST } });
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} for ${repository}:${tag}`);
  const manifest = (await answer.json()) as Manifest;
  return { manifest, config: JSON.parse((await pullBlob(host, repository, manifest.config.digest)).toString()) as Config };
}

export async function pullBlob(host: string, repository: string, digest: Digest): Promise<Buffer> {
  const answer = await fetch(`http://${host}/v2/${repository}/blobs/${digest}`);
  if (!answer.ok) throw new Error(`the registry answers ${answer.status} for ${digest}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** The tar of a layer; a negative index counts from the top. */
export async function layerTar(host: string, repository: string, { manifest }: ImageParts, index: number): Promise<Buffer> {
  const layer = manifest.layers.at(index);
  if (layer === undefined) throw new Error(`there is no layer ${index}`);
  const bytes = await pullBlob(host, repository, layer.digest);
  return bytes[0] === 0x1f ? await promisify(gunzip)(bytes) : bytes;
}

/** The image with another tar in place of one of its layers. */
export async function withLayer(host: string, repository: string, parts: ImageParts, index: number, tar: Buffer): Promise<ImageParts> {
  const { manifest, config } = parts;
  const at = index < 0 ? manifest.layers.length + index : index;
  const layer = await pushLayer(host, repository, tar);
  return {
    manifest: { ...manifest, layers: manifest.layers.with(at, layer) },
    config: { ...config, rootfs: { ...config.rootfs, diff_ids: config.rootfs.diff_ids.with(at, digestOf(tar)) } },
  };
}

/** The image with another layer on top, and a line for it in the history. */
export async function withLayerOnTop(
  host: string,
  repository: string,
  parts: ImageParts,
  tar: Buffer,
  history: History,
): Promise<ImageParts> {
  const { manifest, config } = parts;
  const layer = await pushLayer(host, repository, tar);
  return {
    manifest: { ...manifest, layers: [...manifest.layers, layer] },
    config: {
      ...config,
      rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, digestOf(tar)] },
      history: [...(config.history ?? []), history],
    },
  };
}

async function pushLayer(host: string, repository: string, tar: Buffer): Promise<Descriptor> {
  const packed = await promisify(gzip)(tar, { level: 1 });
  return { mediaType: OCI_LAYER, digest: await pushBlob(host, repository, packed), size: packed.length };
}

/** Writes configuration and manifest anew and gives them a tag. Layers are in the repository already. */
export async function pushParts(host: string, repository: string, tag: string, { manifest, config }: ImageParts): Promise<Pushed> {
  const bytes = Buffer.from(JSON.stringify(config));
  const digest = await pushBlob(host, repository, bytes);
  return pushManifest(host, repository, { ...manifest, config: { mediaType: manifest.config.mediaType, digest, size: bytes.length } }, tag);
}
