import type { Digest } from '../model/digest.ts';
import { canonicalJson } from '../model/json.ts';
import { passes } from '../model/policy.ts';
import { splitReference } from '../model/purl.ts';
import type { Statement } from '../model/statement.ts';

/** What a containers signature says, and its name in there. */
export type ImageClaim = { reference: string; manifestDigest: Digest; payload: string };

/**
 * The claim that podman, CRI-O and skopeo look for: containers-signature(5), "JSON DATA FORMAT". Such a signature says no more than that an
 * image goes by a name, so that there is one only where the verdict passes: whoever asks for it has no way to read a verdict.
 *
 * It names the judged platform's manifest, never the index, whose other images nobody looked at: containers/image checks the manifest
 * that it chose out of an index. The time is that of the verdict, not of a clock.
 */
export function imageClaim({ predicate }: Statement, verdictDigest: Digest): ImageClaim | undefined {
  const { image, verdict } = predicate;
  if (!passes(verdict)) return undefined;
  const { repository, tag } = splitReference(image.reference);
  const reference = tag === undefined ? repository : `${repository}:${tag}`;
  const payload = canonicalJson({
    critical: {
      type: 'atomic container signature',
      image: { 'docker-manifest-digest': image.manifestDigest },
      identity: { 'docker-reference': reference },
    },
    optional: { creator: 'conforme', timestamp: Math.floor(Date.parse(verdict.freshness.judgedAt) / 1000), verdict: verdictDigest },
  });
  return { reference, manifestDigest: image.manifestDigest, payload };
}
