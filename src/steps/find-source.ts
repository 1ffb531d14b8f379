import type { ResolvedImage } from '../model/oci.ts';
import type { Provenance } from '../model/provenance.ts';
import type { NotComparable, Source } from '../model/rebuild.ts';
import type { RequestedSource, VerificationRequest } from '../model/request.ts';

/** Where to look, not yet pinned, and who says so. */
export type FoundSource = { location: RequestedSource; evidence: Source['evidence'] };

/**
 * The first that names a source. All but the request are the publisher's word: a recipe to try, never proof, and what it leads to is
 * fetched under the same address rules as anything else that is hostile.
 */
export function findSource(
  request: Pick<VerificationRequest, 'source'>,
  published: ResolvedImage,
  provenance: readonly Provenance[] = [],
): FoundSource | undefined {
  return (
    fromRequest(request.source) ??
    fromProvenance(provenance) ??
    fromNames(published.config.config?.Labels, 'label') ??
    fromNames(published.manifest.annotations, 'annotation') ??
    fromNames(published.index?.annotations, 'annotation')
  );
}

/** Why there is no source to build from, where the provenance says what it was built from all the same. */
export function whyNoSource(provenance: readonly Provenance[]): { reason: NotComparable; detail: string } {
  for (const { recipe } of provenance) {
    if (recipe?.archive !== undefined)
      return {
        reason: 'unsupported',
        detail: `the build context was ${recipe.archive}, which is no git repository; upload it with PUT /v1/contexts and name it as the source`,
      };
    if (recipe !== undefined && recipe.locals.length > 0)
      return {
        reason: 'local-context',
        detail: `the provenance names no repository, only what was local on the publisher's machine: ${recipe.locals.join(', ')}; upload the build context with PUT /v1/contexts and name it as the source`,
      };
  }
  return { reason: 'no-source', detail: 'nobody says what the image was built from' };
}

function fromRequest(location: RequestedSource | undefined): FoundSource | undefined {
  return location === undefined ? undefined : { location, evidence: 'request' };
}

function fromProvenance(provenance: readonly Provenance[]): FoundSource | undefined {
  const [repository] = provenance.flatMap((one) => one.repository ?? []);
  return repository === undefined ? undefined : { location: repository, evidence: 'provenance' };
}

/**
 * OCI image specification 1.1, annotations.md "Pre-Defined Annotation Keys". A source without its revision is passed over: what a branch holds
 * today says nothing about an image of yesterday.
 */
function fromNames(names: Record<string, string> | undefined, evidence: 'label' | 'annotation'): FoundSource | undefined {
  const url = names?.['org.opencontainers.image.source'];
  const revision = names?.['org.opencontainers.image.revision'];
  if (url === undefined || revision === undefined || !isRepository(url) || !/^[\w][\w./-]{0,254}$/.test(revision)) return undefined;
  return { location: { git: url, ref: revision }, evidence };
}

function isRepository(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && text.length <= 2048;
}
