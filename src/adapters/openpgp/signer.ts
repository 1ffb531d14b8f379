import { createMessage, generateKey, type PrivateKey, readPrivateKey, revokeKey, sign } from 'openpgp';
import type { Signer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { readOrMake } from './secret-file.ts';

const KEY = 'private-key.asc';
const REVOCATION = 'revocation-certificate.asc';

/**
 * The OpenPGP key in `folder`, made there on first start. Version 4 with Ed25519 as RFC 4880 knows it (`ed25519Legacy`), which
 * every GnuPG from 2.1 on checks. A revocation certificate lies beside it, for the day the key is lost or stolen. Throws
 * `environment-missing` where the key cannot be read.
 */
export async function makeSigner(folder: string, instance = 'local'): Promise<Signer> {
  const { text, path } = await readOrMake(folder, KEY, () => makeKey(instance));
  const key = await parse(text, path);
  await readOrMake(folder, REVOCATION, () => makeRevocation(key));
  return {
    async sign(bytes) {
      // Copied: the library may hold on to the array that it is given.
      const message = await createMessage({ binary: Uint8Array.from(bytes) });
      return sign({ message, signingKeys: key, detached: true, format: 'armored' });
    },
    publicKey: () => Promise.resolve(key.toPublic().armor()),
    fingerprint: () => Promise.resolve(key.getFingerprint().toUpperCase()),
  };
}

async function makeKey(instance: string): Promise<string> {
  const { privateKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: `conforme ${instance}` }],
    format: 'armored',
    // GnuPG 2.2 knows neither version 6 keys nor AEAD; nothing is ever encrypted to this key.
    config: { v6Keys: false, aeadProtect: false },
    subkeys: [],
  });
  return privateKey;
}

async function makeRevocation(key: PrivateKey): Promise<string> {
  const { publicKey } = await revokeKey({ key, format: 'object' });
  return publicKey.getRevocationCertificate() as Promise<string>;
}

async function parse(armored: string, path: string): Promise<PrivateKey> {
  try {
    return await readPrivateKey({ armoredKey: armored });
  } catch (cause) {
    throw new Problem('environment-missing', `${path} holds no OpenPGP private key that can be read`, { cause });
  }
}
