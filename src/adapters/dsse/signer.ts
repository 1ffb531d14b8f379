import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { IN_TOTO_TYPE, preAuthEncoding } from '../../model/dsse.ts';
import type { EnvelopeSigner } from '../../ports.ts';
import { Problem } from '../../problem.ts';

/** cosign's own default, and what every tool around in-toto checks. */
const CURVE = 'prime256v1';
const SSH_CURVE = 'nistp256';

/** A new private key: ECDSA over P-256, PKCS #8, PEM. */
export function makeEnvelopeKey(): string {
  return generateKeyPairSync('ec', { namedCurve: CURVE }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Signs DSSE envelopes with the key in a PEM text, which came from `path`. ECDSA with SHA-256, the signature as ASN.1 in base64, as cosign
 * has it. Throws `environment-missing` where that is no such key.
 */
export function makeEnvelopeSigner(pem: string, path: string): EnvelopeSigner {
  const key = parse(pem, path);
  const publicKey = createPublicKey(key);
  const keyid = fingerprintOf(publicKey);
  return {
    async sign(statement) {
      const sig = sign('sha256', preAuthEncoding(IN_TOTO_TYPE, statement), { key, dsaEncoding: 'der' });
      return { keyid, sig: sig.toString('base64') };
    },
    publicKey: () => Promise.resolve(publicKey.export({ type: 'spki', format: 'pem' }).toString()),
    keyId: () => Promise.resolve(keyid),
  };
}

function parse(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new Problem('environment-missing', `${path} holds no private key that can be read`, { cause });
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== CURVE)
    throw new Problem('environment-missing', `the key in ${path} is not one of ECDSA over P-256`);
  return key;
}

/**
 * `SHA256:…`, as `ssh-keygen -l` prints it. go-securesystemslib, which cosign and in-toto's Go tools check with, makes the same of a public
 * key that has no id, and passes over a signature with another one. RFC 5656, section 3.1; RFC 4251, section 5.
 */
function fingerprintOf(publicKey: KeyObject): string {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const fields = [Buffer.from(`ecdsa-sha2-${SSH_CURVE}`), Buffer.from(SSH_CURVE), point].flatMap((field) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(field.length);
    return [length, field];
  });
  return `SHA256:${createHash('sha256').update(Buffer.concat(fields)).digest('base64').replace(/=+$/, '')}`;
}
