import type { Digest } from './digest.ts';
import type { Envelope } from './dsse.ts';

/** A signed statement as it hangs on an image in a registry. */
export type Attachment = {
  envelope: Envelope;
  predicateType: string;
  /** The address of the instance that signed, and the manifest that it judged: a newer statement of the same two takes the place of an older. */
  verifier: string;
  manifestDigest: Digest;
  /** ISO 8601, UTC: of the verdict. */
  created: string;
};

/**
 * How statements are attached. `cosign-tag`: under the tag `sha256-….att`, where every cosign looks, and as a referrer with the envelope. `bundle`: as
 * referrers with Sigstore bundles, where cosign 2.6 and later look first and then nowhere else.
 */
export const ATTACH_FORMS = ['cosign-tag', 'bundle'] as const;
export type AttachForm = (typeof ATTACH_FORMS)[number];

/** Whether a repository (`ghcr.io/example/app`) is one of these, or below one of them. */
export function isBelow(repository: string, places: readonly string[]): boolean {
  return places.some((place) => repository === place || repository.startsWith(`${place}/`));
}
