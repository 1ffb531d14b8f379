import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { constants, lstat, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { digestFromHex, hexOf, type Digest } from '../../model/digest.ts';
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, ResolvedImage } from '../../model/oci.ts';
import type { BuiltImage } from '../../ports-build.ts';
import { Problem } from '../../problem.ts';

/*
 * Images as folders, in the `dir:` form of containers-transports(5) (manifest.json, version, and each blob under the hex digits of its
 * digest; unlike other forms it takes Docker's media types as they are) or as an OCI image layout, version 1.0.0.
 */
type Layout = 'dir' | 'oci';

const DOCUMENT_BYTES_MAX = 8 * 1024 ** 2; // a manifest or configuration; registries refuse manifests above 4 MiB

type OpenBlob = (descriptor: Descriptor) => Promise<Readable>;

/**
 * Writes an image of a registry where the clean environment can read it, and tells the digest of the manifest as written: its own
 * bytes where they are known, since buildah notes their digest in what it builds on them. `openBlob` verifies what it streams.
 */
export async function writeImage(folder: string, layout: Layout, image: ResolvedImage, openBlob: OpenBlob): Promise<Digest> {
  const { mediaType, config, layers } = image.manifest;
  const manifest = Buffer.from(image.manifestBytes ?? JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const digest = sha256(manifest);
  if (layout === 'dir') {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'version'), 'Directory Transport Version: 1.1\n');
    await writeFile(join(folder, 'manifest.json'), manifest);
  } else {
    await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
    await mkdir(join(folder, 'ingest')); // containerd's store wants it there even to read
    await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await writeFile(
      join(folder, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType, digest, size: manifest.length }] }),
    );
    await writeFile(blobPath(folder, layout, digest), manifest);
  }
  // Images repeat the empty layer.
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  for (const blob of blobs.values()) await pipeline(await openBlob(blob), createWriteStream(blobPath(folder, layout, blob.digest)));
  return digest;
}

/** Reads an image that was written inside of the clean environment: no name in there is followed if it is a link. */
export async function readImage(folder: string, layout: Layout): Promise<BuiltImage> {
  const folders = layout === 'dir' ? [folder] : [folder, join(folder, 'blobs'), join(folder, 'blobs/sha256')];
  for (const one of folders) if (!(await lstat(one)).isDirectory()) throw new Problem('internal', 'what was built is no folder');
  const manifestBytes = await readDocument(layout === 'dir' ? join(folder, 'manifest.json') : await onlyManifest(folder));
  const manifest = JSON.parse(manifestBytes.toString('utf8')) as ImageManifest;
  const configBytes = await readDocument(blobPath(folder, layout, manifest.config.digest));
  if (sha256(configBytes) !== manifest.config.digest)
    throw new Problem('internal', 'the configuration of what was built is not the one its manifest names');
  const config = JSON.parse(configBytes.toString('utf8')) as ImageConfig;
  const diffIds = new Set<string>(config.rootfs.diff_ids);
  // An export without compression keeps the media type of one with it.
  const layers = manifest.layers.map((layer) =>
    diffIds.has(layer.digest) ? { ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar' } : layer,
  );
  return {
    manifest: { ...manifest, layers },
    manifestDigest: sha256(manifestBytes),
    config,
    async openBlob(descriptor) {
      const file = await open(blobPath(folder, layout, descriptor.digest), constants.O_RDONLY | constants.O_NOFOLLOW);
      return file.createReadStream();
    },
  };
}

/** The program that wrote the layout was asked for one platform, without attestations. */
async function onlyManifest(folder: string): Promise<string> {
  const index = JSON.parse((await readDocument(join(folder, 'index.json'))).toString('utf8')) as ImageIndex;
  const [manifest, ...others] = index.manifests;
  if (manifest === undefined || others.length > 0) throw new Problem('internal', 'what was built is not one image');
  return blobPath(folder, 'oci', manifest.digest);
}

function blobPath(folder: string, layout: Layout, digest: Digest): string {
  return join(folder, layout === 'dir' ? '' : 'blobs/sha256', hexOf(digest).replace(/[^0-9a-f]/g, ''));
}

async function readDocument(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    if (size > DOCUMENT_BYTES_MAX) throw new Problem('internal', 'a document of what was built is too large');
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function sha256(bytes: Buffer): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}
