import { chainIds } from '../model/chain-id.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import type { ImageConfig } from '../model/oci.ts';
import { parseReference } from '../model/reference.ts';
import type { Blobs } from '../ports.ts';
import { getDocument, putDocument } from './documents.ts';

/** Prefixes looked up, longest first: a base with more layers than this below few others is not found. */
const LOOKUPS_MAX = 128;

type JudgedImage = { manifestDigest: Digest; layers: number };

/**
 * Remembers an image whose layers were read, so that images that are built on it can find it when its tag has moved on. Within one
 * repository: an image of another name with these layers is not what a FROM means.
 */
export async function rememberLayers(blobs: Blobs, reference: string, manifestDigest: Digest, config: ImageConfig): Promise<void> {
  const diffIds = config.rootfs.diff_ids;
  const top = chainIds(diffIds).at(-1);
  if (top === undefined) return;
  const judged: JudgedImage = { manifestDigest, layers: diffIds.length };
  await blobs.link(nameOf(reference, top), await putDocument(blobs, judged));
}

/** The image of that repository with most of the lowest layers, where one was read before. */
export async function findByLayers(blobs: Blobs, reference: string, diffIds: readonly string[]): Promise<JudgedImage | undefined> {
  for (const chain of chainIds(diffIds).reverse().slice(0, LOOKUPS_MAX)) {
    const found = await blobs.resolve(nameOf(reference, chain));
    if (found !== undefined) return getDocument<JudgedImage>(blobs, found);
  }
  return undefined;
}

function nameOf(reference: string, chain: Digest): string {
  const { registry, repository } = parseReference(reference);
  return `image-by-chain/v1/${digestOf(`${registry}/${repository}`)}/${chain}`;
}
