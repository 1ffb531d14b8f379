/** Checking a signed verdict with nothing but a public key. */
import { createMessage, type PublicKey, readKeys, readSignature, verify } from 'openpgp';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { PREDICATE_TYPE, STATEMENT_TYPE } from '../src/model/statement.ts';
import { AUDITABLE, Finding, RESULTS } from '../src/model/verdict.ts';

/** What is read of a statement, of this version or an older one; the signature vouches for the rest of it all the same. */
const Signed = Type.Object({
  _type: Type.Literal(STATEMENT_TYPE),
  predicateType: Type.Literal(PREDICATE_TYPE),
  subject: Type.Array(Type.Object({ name: Type.String(), digest: Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }) }), {
    minItems: 1,
  }),
  predicate: Type.Object({
    image: Type.Object({ reference: Type.String(), digest: Type.String(), manifestDigest: Type.String() }),
    verdict: Type.Object({
      result: Type.Enum([...RESULTS]),
      auditable: Type.Enum([...AUDITABLE]),
      summary: Type.String(),
      coverage: Type.Object({ accounted: Type.Number(), files: Type.Record(Type.String(), Type.Integer()) }),
      findings: Type.Array(Finding),
      freshness: Type.Object({ judgedAt: Type.String(), rules: Type.String(), policy: Type.String() }),
    }),
  }),
});
export type Signed = Static<typeof Signed>;

/**
 * The statement, and who signed it when. Throws an Error that says why not: the signature has to be over exactly these bytes, by a key of
 * the file that was valid at that time, and what it is over has to be a verdict.
 */
export async function checkStatement(
  statement: Buffer,
  armoredSignature: string,
  armoredKeys: string,
): Promise<{ signed: Signed; fingerprint: string; signedAt: string }> {
  const signer = await signerOf(statement, armoredSignature, armoredKeys);
  return { signed: parsed(statement), ...signer };
}

const BLOCKS = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g;

/** Of all blocks of a file, as `cat` puts them together. */
async function keysOf(armored: string): Promise<PublicKey[]> {
  const blocks = armored.match(BLOCKS) ?? [];
  const keys = await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys }))).catch(() => []);
  if (keys.length === 0) throw new Error('the key file holds no OpenPGP key');
  return keys.flat();
}

/** RFC 9580. */
async function signerOf(bytes: Buffer, armoredSignature: string, armoredKeys: string): Promise<{ fingerprint: string; signedAt: string }> {
  const keys = await keysOf(armoredKeys);
  const signature = await readSignature({ armoredSignature }).catch((cause: unknown) => {
    throw new Error('the signature file holds no OpenPGP signature', { cause });
  });
  const { signatures } = await verify({
    message: await createMessage({ binary: new Uint8Array(bytes) }),
    signature,
    verificationKeys: keys,
  });
  for (const one of signatures) {
    const holds = await one.verified.catch(() => false);
    const key = keys.find((candidate) => candidate.getKeys(one.keyID).length > 0);
    const created = (await one.signature).packets[0]?.created;
    if (holds && key !== undefined && created instanceof Date)
      return { fingerprint: key.getFingerprint().toUpperCase(), signedAt: created.toISOString() };
  }
  throw new Error('the signature does not hold: another key made it, or over other bytes');
}

function parsed(bytes: Buffer): Signed {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Error('what was signed is no JSON');
  }
  if (!Check(Signed, value)) throw new Error('what was signed is no verdict of a form that this version reads');
  return value;
}
