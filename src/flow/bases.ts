import { liesBeneath } from '../model/chain-id.ts';
import { isDigest } from '../model/digest.ts';
import type { Platform, ResolvedImage } from '../model/oci.ts';
import type { PinnedBase } from '../model/rebuild.ts';
import { parseReference, pinnedReference } from '../model/reference.ts';
import type { Blobs, Registry } from '../ports.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import type { Provenance } from '../model/provenance.ts';
import { type BaseCandidate, baseCandidates, type WantedBase } from '../steps/base-candidates.ts';
import type { Recipe } from '../steps/find-recipe.ts';
import { findByLayers } from './judged-layers.ts';
import { orRefusal, type Refusal } from './refusal.ts';

type Ports = { registry: Registry; blobs: Blobs };
export type Pinned = { image: ResolvedImage; pinned: PinnedBase };
type Found = BaseCandidate & { image: ResolvedImage };

/** What a registry says of an image that it had once. */
const GONE: readonly ProblemCode[] = ['image-not-found', 'platform-not-found'];

/** Every image that the build takes from outside, as it was; or why one of them cannot be had. */
export async function pinBases(
  ports: Ports,
  { references, final }: { references: readonly string[]; final?: string | undefined },
  { recipe, provenance, published }: { recipe: Recipe; provenance: readonly Provenance[]; published: ResolvedImage },
): Promise<Pinned[] | Refusal> {
  const pinned: Pinned[] = [];
  for (const written of references) {
    const isFinal = written === final;
    const base = baseCandidates(written, { recipe, provenance, published, isFinal });
    if ('reason' in base) return { status: 'not-comparable', ...base };
    const one = await orRefusal(() => pinBase(ports, base, isFinal ? published : undefined, published.platform), {
      'invalid-reference': 'build-failed',
      'image-not-found': 'input-gone',
      'platform-not-found': 'input-gone',
      'registry-denied': 'input-gone',
      'address-refused': 'policy-blocked',
      'image-unsupported': 'unsupported',
    });
    if ('status' in one) return { ...one, detail: `base image ${base.image}: ${one.detail}` };
    pinned.push(one);
  }
  return pinned;
}

/**
 * The base image as it was: by the digest that somebody names, as long as the registry still has it; the last stage's base
 * is held against the lowest layers of the published image, and found by them where no digest leads to it. Else today's image of the tag.
 * Throws what the registry says of the tag.
 */
export async function pinBase(
  ports: Ports,
  { written, image, named }: WantedBase,
  /** Of the base of the last stage: the layers of the published image. */
  published: ResolvedImage | undefined,
  platform: Platform,
): Promise<Pinned> {
  const gone: string[] = [];
  const found: Found[] = [];
  const isBeneath = (one: ResolvedImage): boolean =>
    published !== undefined && liesBeneath(one.config.rootfs.diff_ids, published.config.rootfs.diff_ids);
  const fits = (): Found | undefined => (published === undefined ? found[0] : found.find((one) => isBeneath(one.image)));

  const fixed = parsedDigest(image) !== undefined;
  for (const candidate of named) {
    if (fits() !== undefined) break;
    // The digest in a Dockerfile is what is built, whatever lies beneath; and if it is gone, there is nothing else to build on.
    const resolved = await (fixed ? ports.registry.resolve(candidate.reference, platform) : orGone(ports, candidate.reference, platform));
    if (resolved === undefined) gone.push(parsedDigest(candidate.reference) ?? '');
    else found.push({ ...candidate, image: resolved });
  }
  if (!fixed && fits() === undefined) {
    const today = await ports.registry.resolve(image, platform).catch((thrown: unknown) => {
      if (found.length > 0 && thrown instanceof Problem && !thrown.retryable) return undefined;
      throw thrown;
    });
    const fit = today !== undefined && isBeneath(today);
    if (fit) found.push({ reference: image, evidence: 'layers', image: today });
    const judged = fit || published === undefined ? undefined : await findByLayers(ports.blobs, image, published.config.rootfs.diff_ids);
    if (judged !== undefined) {
      const reference = pinnedReference(image, judged.manifestDigest);
      const before = await orGone(ports, reference, platform);
      if (before !== undefined && isBeneath(before)) found.push({ reference, evidence: 'layers', image: before });
    }
    if (today !== undefined && !fit) found.push({ reference: image, evidence: 'tag', image: today });
  }
  const chosen = fits() ?? found[0];
  if (chosen === undefined) throw new Problem('image-not-found', `there is no image ${image}`);
  const { digest, manifestDigest } = chosen.image;
  return {
    image: chosen.image,
    pinned: {
      reference: written,
      ...(image === written ? {} : { image }),
      digest,
      manifestDigest,
      evidence: chosen.evidence,
      ...(published === undefined ? {} : { beneath: isBeneath(chosen.image) }),
      ...(gone.length === 0 ? {} : { gone: gone.filter(isDigest) }),
    },
  };
}

async function orGone({ registry }: Ports, reference: string, platform: Platform): Promise<ResolvedImage | undefined> {
  try {
    return await registry.resolve(reference, platform);
  } catch (thrown) {
    if (thrown instanceof Problem && GONE.includes(thrown.code)) return undefined;
    throw thrown;
  }
}

function parsedDigest(reference: string): string | undefined {
  try {
    return parseReference(reference).digest;
  } catch {
    return undefined;
  }
}
