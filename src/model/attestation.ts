import { type Digest, hexOf } from './digest.ts';
import { OciFault, parseObject } from './oci-parse.ts';

/** How a statement hangs on an image: BuildKit's entry in the index, the referrers of OCI 1.1, or cosign's tag. */
export const ATTACHED_BY = ['index', 'referrers', 'cosign-tag'] as const;
export type AttachedBy = (typeof ATTACHED_BY)[number];

/**
 * An in-toto statement that somebody attached to an image. Nothing of it is verified but that the bytes have their digest and that it
 * names this image: signatures around it are not looked at, because whoever can push the image can sign it as well.
 */
export type AttachedStatement = {
  /** Of the blob as the registry has it: a statement, a DSSE envelope around it, or a Sigstore bundle around that. */
  digest: Digest;
  attachedBy: AttachedBy;
  predicateType: string;
  predicate: Readonly<Record<string, unknown>>;
};

/** in-toto attestation framework v1, "Statement", and v0.1 of it, which has the same members. */
export type InTotoStatement = { predicateType: string; subjects: ReadonlySet<string>; predicate: Readonly<Record<string, unknown>> };

const SUBJECTS_MAX = 1000; // a release with all its files; an image needs one
const WRAPPINGS_MAX = 2; // bundle, envelope, statement

/**
 * The statement in a blob, out of its wrappings. DSSE protocol v1.0.2, "envelope"; Sigstore bundle v0.3. Throws {@link OciFault}.
 */
export function parseStatement(bytes: Uint8Array): InTotoStatement {
  let document = parseObject(bytes, 'the attestation');
  for (let wrapping = 0; wrapping < WRAPPINGS_MAX; wrapping++) {
    const { dsseEnvelope, payload, payloadType } = document;
    if (isObject(dsseEnvelope)) document = dsseEnvelope;
    else if (typeof payload === 'string' && payloadType === 'application/vnd.in-toto+json')
      document = parseObject(Buffer.from(payload, 'base64'), 'the payload of the attestation');
  }
  const { _type: type, predicateType, subject, predicate } = document;
  if (typeof type !== 'string' || !/^https:\/\/in-toto\.io\/Statement\/v(0\.1|1)$/.test(type)) throw fault('is no in-toto statement');
  if (typeof predicateType !== 'string' || !isObject(predicate) || !Array.isArray(subject)) throw fault('lacks a member of a statement');
  if (subject.length > SUBJECTS_MAX) throw fault(`has more than ${SUBJECTS_MAX} subjects`);
  const subjects = subject.flatMap((one) => {
    const digest: unknown = isObject(one) && isObject(one['digest']) ? one['digest']['sha256'] : undefined;
    return typeof digest === 'string' ? [digest] : [];
  });
  return { predicateType, subjects: new Set(subjects), predicate };
}

export function isAbout({ subjects }: InTotoStatement, image: { digest: Digest; manifestDigest: Digest }): boolean {
  return subjects.has(hexOf(image.manifestDigest)) || subjects.has(hexOf(image.digest));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function fault(what: string): OciFault {
  return new OciFault('malformed', `the attestation ${what}`);
}
