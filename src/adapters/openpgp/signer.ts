import { createMessage, generateKey, type PrivateKey, readPrivateKey, reformatKey, revokeKey, sign, type UserID } from 'openpgp';
import type { Signer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { readOrMake } from './secret-file.ts';

const KEY = 'private-key.asc';
const REVOCATION = 'revocation-certificate.asc';

/**
 * The OpenPGP key in `folder`, made there on first start. Version 4 with Ed25519 as RFC 4880 knows it (`ed25519Legacy`), which
 * every GnuPG from 2.1 on checks. With `email` its public half has a user id with that address. A revocation certificate lies beside it, for the day the key is lost or stolen. Throws
 * `environment-missing` where the key cannot be read.
 */
export async function makeSigner(folder: string, instance = 'local', email?: string): Promise<Signer> {
  const { text, path } = await readOrMake(folder, KEY, () =>
    makeKey({ name: `conforme ${instance}`, ...(email === undefined ? {} : { email }) }),
  );
  const key = await parse(text, path);
  await readOrMake(folder, REVOCATION, () => makeRevocation(key));
  const publicKey = email === undefined ? key.toPublic().armor() : await publicKeyWith(key, email, folder);
  return {
    async sign(bytes) {
      // Copied: the library may hold on to the array that it is given.
      const message = await createMessage({ binary: Uint8Array.from(bytes) });
      return sign({ message, signingKeys: key, detached: true, format: 'armored' });
    },
    async signMessage(bytes) {
      const message = await createMessage({ binary: Uint8Array.from(bytes) });
      return sign({ message, signingKeys: key, format: 'binary' });
    },
    publicKey: () => Promise.resolve(publicKey),
    fingerprint: () => Promise.resolve(key.getFingerprint().toUpperCase()),
  };
}

/**
 * The public half with that mail address in a user id. A key from before the address was set gets a further user id, signed once and kept
 * beside the key: its fingerprint, and what it signed, stay what they are.
 */
async function publicKeyWith(key: PrivateKey, email: string, folder: string): Promise<string> {
  const there = key.getUserIDs();
  if (there.some((userId) => userId.endsWith(`<${email}>`))) return key.toPublic().armor();
  const userIDs = [{ name: there[0] ?? 'conforme', email }, ...there.map((name) => ({ name }))];
  const { text } = await readOrMake(folder, `public-key-${email}.asc`, async () => {
    const { publicKey } = await reformatKey({ privateKey: key, userIDs, date: new Date(), format: 'armored' });
    return publicKey;
  });
  return text;
}

async function makeKey(userId: UserID): Promise<string> {
  const { privateKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [userId],
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
