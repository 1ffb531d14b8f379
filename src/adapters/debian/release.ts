import { createMessage, type PublicKey, readCleartextMessage, readSignature, verify } from 'openpgp';
import { parseStanza, type Stanza } from '../../model/deb822.ts';
import type { ArchiveSuite } from '../../model/debian.ts';
import { type Digest, digestFromHex, digestOf } from '../../model/digest.ts';
import { Problem } from '../../problem.ts';
import type { SuiteRequest } from './releases.ts';

/** A Release file whose signature holds: what of it is used. Debian wiki, DebianRepository/Format. */
export type Release = {
  archive: ArchiveSuite;
  byHash: boolean;
  /** Names as in paths: `main`, also where the security archive says `updates/main`. */
  components: string[];
  /** Indexes by their path below the suite. */
  files: ReadonlyMap<string, { digest: Digest; size: number }>;
};

/** What a Release file is held against. */
export type ReleaseRequest = Pick<SuiteRequest, 'id' | 'origin' | 'codename' | 'eitherName'>;

/** Milliseconds; a mirror's clock and ours may differ. */
const FUTURE_MS = 24 * 60 * 60 * 1000;
const FRAME = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[^]*\n-----BEGIN PGP SIGNATURE-----\r?\n[^]*\n-----END PGP SIGNATURE-----\s*$/;
const FILE_LINE = /^([0-9a-f]{64})\s+([0-9]{1,12})\s+(\S{1,512})$/;

/**
 * Verifies an InRelease file by the keys pinned for its suite and reads the data that the verification returns, and nothing
 * else of the file. Throws `archive-untrusted`.
 *
 * One of a time past, out of an archive of snapshots or an image, is judged as of its own `Date`: `Valid-Until` is past by nature, and
 * a key need have been valid then; which of them have expired since is told. A stolen key of old could sign such a file, which is why only keys of the
 * suite's own time are pinned for it.
 */
export async function verifyRelease(
  bytes: Uint8Array,
  request: ReleaseRequest,
  keys: PublicKey[],
  now: Date,
  past?: Past,
): Promise<Release> {
  const text = Buffer.from(bytes).toString('utf8');
  // The library looks for the signed block anywhere; an honest file is that block and nothing more.
  if (!FRAME.test(text) || text.indexOf('-----BEGIN PGP SIGNED MESSAGE-----', 1) >= 0)
    throw untrusted(request, 'InRelease is not one signed message');
  let signed: Signed;
  try {
    const message = await readCleartextMessage({ cleartextMessage: text });
    const { data, signatures } = await verify({ message, verificationKeys: keys, date: now });
    signed = { data, signers: await goodSigners(signatures, keys) };
  } catch (error) {
    throw untrusted(request, 'InRelease does not parse', error);
  }
  return readRelease(signed, digestOf(bytes), request, now, past);
}

/**
 * The same for Release with a signature beside it, as repositories of old have it: `Release.gpg`, armored or not. Throws
 * `archive-untrusted`.
 */
export async function verifyDetached(
  bytes: Uint8Array,
  signatureBytes: Uint8Array,
  request: ReleaseRequest,
  keys: PublicKey[],
  now: Date,
  past?: Past,
): Promise<Release> {
  let signed: Signed;
  try {
    const armored = Buffer.from(signatureBytes).toString('latin1');
    const signature = await (armored.startsWith('-----BEGIN PGP SIGNATURE-----')
      ? readSignature({ armoredSignature: armored })
      : readSignature({ binarySignature: signatureBytes }));
    const message = await createMessage({ binary: bytes });
    const { signatures } = await verify({ message, signature, verificationKeys: keys, date: now, format: 'binary' });
    signed = { data: Buffer.from(bytes).toString('utf8'), signers: await goodSigners(signatures, keys) };
  } catch (error) {
    throw untrusted(request, 'Release.gpg does not parse', error);
  }
  return readRelease(signed, digestOf(bytes), request, now, past);
}

/** Of a Release file of a time past: the snapshot that it is of, or an image that it was left in. */
type Past = NonNullable<ArchiveSuite['snapshot']> | 'left-in-image';
type Signed = { data: string; signers: Signer[] };

function untrusted({ id }: ReleaseRequest, reason: string, cause?: unknown): Problem {
  return new Problem('archive-untrusted', `${id}: ${reason}`, { cause });
}

function readRelease(signed: Signed, digest: Digest, request: ReleaseRequest, now: Date, past?: Past): Release {
  const refuse = (reason: string, cause?: unknown): never => {
    throw untrusted(request, reason, cause);
  };
  if (signed.signers.length === 0) refuse('no signature by a key that is pinned for it');
  let stanza: Stanza;
  try {
    stanza = parseStanza(signed.data.replaceAll('\r\n', '\n'));
  } catch (error) {
    return refuse('the signed data is no Release file', error);
  }
  const field = (name: string): string => stanza.get(name) ?? '';
  if (request.origin !== undefined && field('origin') !== request.origin) refuse(`Origin is not ${request.origin}`);
  if (request.codename !== undefined && field('codename') !== request.codename)
    refuse(`the signed file is of ${JSON.stringify(field('codename'))}`);
  if (request.eitherName !== undefined && field('suite') !== request.eitherName && field('codename') !== request.eitherName)
    refuse(`the signed file is of ${JSON.stringify(field('suite'))}`);
  const date = Date.parse(field('date'));
  const validUntil = stanza.has('valid-until') ? Date.parse(field('valid-until')) : undefined;
  if (Number.isNaN(date) || date > now.getTime() + FUTURE_MS) refuse('Date is missing or lies in the future');
  if (past === undefined && validUntil !== undefined && !(validUntil > now.getTime()))
    refuse(`Valid-Until is past: ${field('valid-until')}`);
  // The library accepts a signature of a key that has expired since.
  const expiredAt = (time: number): string[] =>
    signed.signers.filter(({ expires }) => expires <= time).map(({ fingerprint }) => fingerprint);
  const invalid = new Set(expiredAt(past === undefined ? now.getTime() : date));
  const signers = [...new Set(signed.signers.map(({ fingerprint }) => fingerprint))].filter((one) => !invalid.has(one)).sort();
  if (signers.length === 0) refuse('the keys that signed it have expired');
  const expiredSigners = signers.filter((one) => expiredAt(now.getTime()).includes(one));
  return {
    archive: {
      id: request.id,
      origin: field('origin'),
      suite: field('suite'),
      codename: field('codename'),
      date: new Date(date).toISOString(),
      ...(validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() }),
      inRelease: digest,
      signers,
      ...(past === undefined || past === 'left-in-image' ? {} : { snapshot: past }),
      ...(expiredSigners.length === 0 ? {} : { expiredSigners }),
    },
    byHash: field('acquire-by-hash') === 'yes',
    components: field('components')
      .split(/\s+/)
      .map((name) => name.slice(name.lastIndexOf('/') + 1)),
    files: filesOf(field('sha256')),
  };
}

/** A (sub)key whose signature holds: upper-case fingerprint, and when it or its primary key expires, in milliseconds. */
type Signer = { fingerprint: string; expires: number };

type Signatures = Awaited<ReturnType<typeof verify>>['signatures'];

/** Those of `keys` whose signature holds; each was valid when it signed. */
async function goodSigners(signatures: Signatures, keys: PublicKey[]): Promise<Signer[]> {
  const signers: Signer[] = [];
  for (const { keyID, verified } of signatures) {
    const good = await verified.catch(() => false); // by a key that is not pinned: no reason to refuse what another one signed
    if (!good) continue;
    for (const key of keys) {
      for (const part of key.getKeys(keyID)) {
        const expires = Math.min(milliseconds(await part.getExpirationTime()), milliseconds(await key.getExpirationTime()));
        signers.push({ fingerprint: part.getFingerprint().toUpperCase(), expires });
      }
    }
  }
  return signers;
}

/** Of an expiry as the library gives it; null is a key that is not valid at all. */
function milliseconds(expiry: Date | typeof Infinity | null): number {
  return expiry === null ? 0 : expiry === Infinity ? Infinity : (expiry as Date).getTime();
}

function filesOf(field: string): Map<string, { digest: Digest; size: number }> {
  const files = new Map<string, { digest: Digest; size: number }>();
  for (const line of field.split('\n')) {
    const [, hex, size, path] = FILE_LINE.exec(line.trim()) ?? [];
    if (hex !== undefined && path !== undefined) files.set(path, { digest: digestFromHex(hex), size: Number(size) });
  }
  return files;
}
