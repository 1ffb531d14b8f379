import { hash } from 'node:crypto';
import Type from 'typebox';

/**
 * A content digest, `sha256:` and 64 lower-case hex digits.
 * OCI image specification 1.1, descriptor.md "Digests". Other algorithms are refused, not ignored.
 */
export const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$', description: 'SHA-256 of the exact bytes' });
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** The hex digits behind the algorithm's name. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

export function digestFromHex(hex: string): Digest {
  return `sha256:${hex.toLowerCase()}`;
}

/** The digest of bytes that are at hand as a whole. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return digestFromHex(hash('sha256', bytes, 'hex'));
}
