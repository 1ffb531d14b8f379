import { type Digest, digestOf, isDigest } from './digest.ts';

/**
 * The ChainID of each prefix of a list of layers, the lowest layer first: one digest for these layers in this order. OCI image
 * specification 1.1, config.md "Layer ChainID".
 */
export function chainIds(diffIds: readonly string[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined && isDigest(diffId) ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

/** Whether the layers of one image are the lowest of another's. */
export function liesBeneath(base: readonly string[], image: readonly string[]): boolean {
  return base.length <= image.length && base.every((diffId, index) => diffId === image[index]);
}
