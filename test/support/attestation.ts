import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { olpcCanonicalJson } from '../../src/adapters/rebuilders/canonical.ts';
import { type Digest, hexOf } from '../../src/model/digest.ts';

/** An Ed25519 key as a rebuilder's. */
export type RebuilderKey = { privateKey: KeyObject; base64: string; keyId: string };

export function makeRebuilderKey(): RebuilderKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const described = `{"keyid_hash_algorithms":["sha256","sha512"],"keytype":"ed25519","keyval":{"public":"${raw.toString('hex')}"},"scheme":"ed25519"}`;
  return { privateKey, base64: raw.toString('base64'), keyId: createHash('sha256').update(described).digest('hex') };
}

/** What a worker signs of one artifact. */
export function linkOf(file: string, digest: Digest): Record<string, unknown> {
  return {
    _type: 'link',
    name: `rebuild ${file}`,
    materials: { 'tool_1_amd64.buildinfo': { sha256: '0'.repeat(64) } },
    products: { [file]: { sha256: hexOf(digest), sha512: '0'.repeat(128) } },
    environment: null,
    byproducts: {},
    command: [],
  };
}

export function attest(
  signed: Record<string, unknown>,
  keys: readonly RebuilderKey[],
  form: (signed: Record<string, unknown>) => string = olpcCanonicalJson,
): string {
  const message = Buffer.from(form(signed));
  return JSON.stringify({
    signatures: keys.map(({ keyId, privateKey }) => ({ keyid: keyId, sig: sign(null, message, privateKey).toString('hex') })),
    signed,
  });
}
