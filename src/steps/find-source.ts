import type { ResolvedImage } from '../model/oci.ts';
import type { Source } from '../model/rebuild.ts';
import type { RequestedSource, VerificationRequest } from '../model/request.ts';

/** Where to look, not yet pinned, and who says so. */
export type FoundSource = { location: RequestedSource; evidence: Source['evidence'] };

/**
 * The first that names a source. All but the request are the publisher's word: a recipe to try, never proof, and what it leads to is
 * fetched under the same address rules as anything else that is hostile.
 */
export function findSource(request: Pick<VerificationRequest, 'source'>, published: ResolvedImage): FoundSource | undefined {
  return (
    fromRequest(request.source) ??
    fromNames(published.config.config?.Labels, 'label') ??
    fromNames(published.manifest.annotations, 'annotation') ??
    fromNames(published.index?.annotations, 'annotation')
  );
}

function fromRequest(location: RequestedSource | undefined): FoundSource | undefined {
  return location === undefined ? undefined : { location, evidence: 'request' };
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
