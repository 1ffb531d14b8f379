import { isDigest } from '../model/digest.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { Provenance } from '../model/provenance.ts';
import type { BaseEvidence, BuildFailure } from '../model/rebuild.ts';
import { formatReference, parseReference, pinnedReference } from '../model/reference.ts';
import type { Recipe } from './find-recipe.ts';

export type BaseCandidate = { reference: string; evidence: BaseEvidence };

/** What a FROM stands for: the image, with a tag or a digest, and what somebody says it was then, best first. */
export type WantedBase = {
  /** As the Dockerfile has it, with its variables replaced. */
  written: string;
  /** The image that is meant: another one where a named context stands in its place. */
  image: string;
  named: BaseCandidate[];
};

const BASE = 'org.opencontainers.image.base';

/**
 * Which digest an image from outside had when the published one was built: the Dockerfile's own, else the provenance's, else the one that
 * the published image notes of its base. All but the first are the publisher's word, and are held against the layers.
 */
export function baseCandidates(
  written: string,
  {
    recipe,
    provenance,
    published,
    isFinal,
  }: { recipe: Recipe; provenance: readonly Provenance[]; published: ResolvedImage; isFinal: boolean },
): WantedBase | BuildFailure {
  const context = contextFor(written, recipe.contexts);
  if (context !== undefined && !context.startsWith('docker-image://')) {
    const local = context.startsWith('local:');
    const detail = local
      ? `the named context ${written} was a folder of the publisher's machine (${context})`
      : `the named context ${written} is ${context}`;
    return { reason: local ? 'local-context' : 'unsupported', detail, lastLog: [] };
  }
  const image = context === undefined ? written : context.slice('docker-image://'.length);
  const name = normal(image);
  if (name === undefined) return { written, image, named: [] };
  if (name.digest !== undefined)
    return { written, image, named: [{ reference: image, evidence: context === undefined ? 'digest' : 'provenance' }] };
  const named: BaseCandidate[] = [];
  const attested = provenance.flatMap(({ images }) => images).find(({ reference }) => reference === name.whole);
  if (attested !== undefined) named.push({ reference: pinnedReference(image, attested.digest), evidence: 'provenance' });
  const noted = isFinal ? notedDigest(published, name.whole) : undefined;
  if (noted !== undefined) named.push({ reference: pinnedReference(image, noted), evidence: 'label' });
  return { written, image, named };
}

/** `context:NAME` and `context:NAME::PLATFORM` of BuildKit's Dockerfile frontend; names of images compare as references. */
function contextFor(written: string, contexts: Record<string, string>): string | undefined {
  const name = normal(written)?.whole;
  const found = Object.entries(contexts).find(([key]) => {
    const plain = key.split('::', 1)[0] ?? key;
    return plain.toLowerCase() === written.toLowerCase() || (name !== undefined && normal(plain)?.whole === name);
  });
  return found?.[1];
}

/**
 * OCI image specification 1.1, annotations.md, `org.opencontainers.image.base.digest`. An image inherits the labels of its base, and with them what
 * that one was built on: only beside the name that the FROM has is a digest about this image.
 */
function notedDigest(published: ResolvedImage, whole: string): `sha256:${string}` | undefined {
  for (const names of [published.manifest.annotations, published.index?.annotations, published.config.config?.Labels]) {
    const digest = names?.[`${BASE}.digest`];
    const name = names?.[`${BASE}.name`];
    if (digest !== undefined && isDigest(digest) && name !== undefined && normal(name)?.whole === whole) return digest;
  }
  return undefined;
}

function normal(text: string): { whole: string; digest?: string } | undefined {
  try {
    const { digest, ...reference } = parseReference(text);
    return { whole: formatReference(reference), ...(digest === undefined ? {} : { digest }) };
  } catch {
    return undefined; // a name that is none is the registry's to refuse
  }
}
