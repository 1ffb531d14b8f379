import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { constants, lstat, mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { digestFromHex, hexOf, type Digest } from '../../model/digest.ts';
import type { Descriptor, ImageConfig, ImageManifest, ResolvedImage } from '../../model/oci.ts';
import type { BuiltImage } from '../../ports.ts';
import { Problem } from '../../problem.ts';

/*
 * Images as folders, in the `dir:` form of containers-transports(5): manifest.json, version, and each blob under the hex digits of
 * its digest. Unlike an OCI layout it takes Docker's media types as they are.
 */

const DOCUMENT_BYTES_MAX = 8 * 1024 ** 2; // a manifest or configuration; registries refuse manifests above 4 MiB

type OpenBlob = (descriptor: Descriptor) => Promise<Readable>;

/** Writes an image of a registry where the clean environment can read it. `openBlob` verifies what it streams. */
export async function writeImage(folder: string, image: ResolvedImage, openBlob: OpenBlob): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { mediaType, config, layers } = image.manifest;
  await writeFile(join(folder, 'version'), 'Directory Transport Version: 1.1\n');
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  // Images repeat the empty layer.
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  for (const blob of blobs.values()) await pipeline(await openBlob(blob), createWriteStream(join(folder, hexOf(blob.digest))));
}

/** Reads an image that was written inside of the clean environment: no name in there is followed if it is a link. */
export async function readImage(folder: string): Promise<BuiltImage> {
  if (!(await lstat(folder)).isDirectory()) throw new Problem('internal', 'what was built is no folder');
  const manifestBytes = await readDocument(join(folder, 'manifest.json'));
  const manifest = JSON.parse(manifestBytes.toString('utf8')) as ImageManifest;
  const configBytes = await readDocument(blobPath(folder, manifest.config.digest));
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
      const file = await open(blobPath(folder, descriptor.digest), constants.O_RDONLY | constants.O_NOFOLLOW);
      return file.createReadStream();
    },
  };
}

function blobPath(folder: string, digest: Digest): string {
  return join(folder, hexOf(digest).replace(/[^0-9a-f]/g, ''));
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
