import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { type Digest, digestFromHex } from '../../model/digest.ts';
import { olpcCanonicalJson } from './canonical.ts';

/** An Ed25519 key, and the id that in-toto gives it. */
export type PinnedKey = { keyId: string; key: KeyObject };

// RFC 8410, section 4: what stands before the 32 bytes of the key.
const ED25519_SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** From the raw key in base64: rebuilderd's own PEM has a NULL too many in its AlgorithmIdentifier for OpenSSL. */
export function pinnedKey(base64: string): PinnedKey {
  const raw = Buffer.from(base64, 'base64');
  const described = {
    keyid_hash_algorithms: ['sha256', 'sha512'],
    keytype: 'ed25519',
    keyval: { public: raw.toString('hex') },
    scheme: 'ed25519',
  };
  return {
    keyId: createHash('sha256').update(olpcCanonicalJson(described)).digest('hex'),
    key: createPublicKey({ key: Buffer.concat([ED25519_SPKI_PREFIX, raw]), format: 'der', type: 'spki' }),
  };
}

/** A link of in-toto 1.0 in its envelope (section 5.3), as rebuilderd's worker makes it for one artifact: what is used of it. */
const Attestation = Type.Object({
  // The worker's, the server's, and those of keys that the server has had.
  signatures: Type.Array(Type.Object({ keyid: Type.String(), sig: Type.String({ pattern: '^[0-9a-f]{128}$' }) }), { maxItems: 16 }),
  signed: Type.Object({
    _type: Type.Literal('link'),
    name: Type.String({ pattern: '^rebuild ' }),
    products: Type.Record(Type.String(), Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) })),
  }),
});

/** The pinned key whose signature holds, and the SHA-256 of each .deb that its holder says to have built. */
export type Attested = { signer: PinnedKey; debs: Digest[] };

/**
 * Reads an attestation; undefined where it is none, or where none of the pinned keys signed it under its own id. The signature
 * is over the canonical form of what was parsed: what is believed is what was signed, however it was written.
 */
export function readAttestation(bytes: Uint8Array, keys: readonly PinnedKey[]): Attested | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (!Value.Check(Attestation, parsed)) return undefined;
    const message = Buffer.from(olpcCanonicalJson(parsed.signed));
    const signer = keys.find(({ keyId, key }) =>
      parsed.signatures.some(({ keyid, sig }) => keyid === keyId && verify(null, message, key, Buffer.from(sig, 'hex'))),
    );
    if (signer === undefined) return undefined;
    const debs = Object.entries(parsed.signed.products).flatMap(([name, { sha256 }]) =>
      name.endsWith('.deb') ? [digestFromHex(sha256)] : [],
    );
    return { signer, debs };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
