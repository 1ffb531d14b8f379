/** Attaches statements to images as builders and signers do it, blob by blob. */
import { type Digest, digestOf, hexOf } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/oci.ts';
import { pushBlob, pushIndex, pushManifest, type Pushed } from './push.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const PROVENANCE = 'https://slsa.dev/provenance/v1';
export const IN_TOTO = 'application/vnd.in-toto+json';

export const statementOf = (subject: Digest, predicate: object, predicateType = PROVENANCE): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType,
      subject: [{ name: '_', digest: { sha256: hexOf(subject) } }],
      predicate,
    }),
  );

/** A DSSE envelope. The signature is of nobody: conforme takes it for the publisher's word either way. */
export const envelopeOf = (statement: Buffer): Buffer =>
  Buffer.from(
    JSON.stringify({ payloadType: IN_TOTO, payload: statement.toString('base64'), signatures: [{ keyid: '', sig: 'MEUCIQ==' }] }),
  );
export const bundleOf = (statement: Buffer): Buffer =>
  Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {},
      dsseEnvelope: JSON.parse(envelopeOf(statement).toString()) as object,
    }),
  );

export type Blob = { bytes: Buffer; mediaType?: string; annotations?: Record<string, string>; change?: Partial<Descriptor> };

async function layersOf(host: string, repository: string, blobs: Blob[]): Promise<object[]> {
  const layers: object[] = [];
  for (const { bytes, mediaType = IN_TOTO, annotations, change } of blobs) {
    const digest = await pushBlob(host, repository, bytes);
    layers.push({ mediaType, digest, size: bytes.length, ...(annotations && { annotations }), ...change });
  }
  return layers;
}

async function artifact(host: string, repository: string, blobs: Blob[], more: object = {}, tag?: string): Promise<Pushed> {
  const empty = Buffer.from('{}');
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: await pushBlob(host, repository, empty), size: empty.length };
  const layers = await layersOf(host, repository, blobs);
  return pushManifest(host, repository, { schemaVersion: 2, mediaType: OCI, config, layers, ...more }, tag);
}

/** BuildKit, docs/attestations/attestation-storage.md: a manifest of the index, beside the image's. */
export async function attachInIndex(host: string, repository: string, image: Pushed, blobs: Blob[], tag?: string): Promise<Pushed> {
  const { annotations: _none, ...subject } = image.descriptor;
  const pushed = await artifact(host, repository, blobs, {
    artifactType: 'application/vnd.docker.attestation.manifest.v1+json',
    subject,
  });
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': image.digest };
  const platform = { os: 'unknown', architecture: 'unknown' };
  return pushIndex(host, repository, [image.descriptor, { ...pushed.descriptor, annotations, platform }], tag);
}

/** `cosign attest` of cosign 2: a manifest under a tag that names the digest. */
export async function attachByCosign(host: string, repository: string, subject: Digest, statements: Buffer[]): Promise<void> {
  const blobs = statements.map((statement) => ({
    bytes: envelopeOf(statement),
    mediaType: 'application/vnd.dsse.envelope.v1+json',
    annotations: { 'dev.cosignproject.cosign/signature': '', predicateType: PROVENANCE },
  }));
  await artifact(host, repository, blobs, {}, `sha256-${hexOf(subject)}.att`);
}

/** Distribution specification 1.1, "Referrers Tag Schema": what clients keep where the registry does not answer for referrers. */
export async function attachReferrer(host: string, repository: string, subject: Pushed, statement: Buffer): Promise<Descriptor> {
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const annotations = { 'dev.sigstore.bundle.predicateType': PROVENANCE };
  const bytes = bundleOf(statement);
  const pushed = await artifact(host, repository, [{ bytes, mediaType }], {
    artifactType: mediaType,
    subject: subject.descriptor,
    annotations,
  });
  const entry: Descriptor = { ...pushed.descriptor, artifactType: mediaType, annotations };
  await pushIndex(host, repository, [entry], `sha256-${hexOf(subject.digest)}`);
  return { ...entry, digest: digestOf(bytes) };
}
