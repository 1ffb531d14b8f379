import type { Digest } from '../model/digest.ts';
import { envelopeOf } from '../model/dsse.ts';
import { canonicalJson } from '../model/json.ts';
import type { Seals } from '../model/seals.ts';
import type { Statement } from '../model/statement.ts';
import type { EnvelopeSigner, Signer } from '../ports.ts';
import { imageClaim } from '../steps/image-claim.ts';
import { makeVsa } from '../steps/make-vsa.ts';

export type SealPorts = {
  signer: Pick<Signer, 'signMessage'>;
  envelopeSigner: Pick<EnvelopeSigner, 'sign'>;
  /** The public address of this instance, which summaries name as the verifier. Without a slash at the end. */
  publicUrl: string;
};

/** Signs a verdict in the forms that cosign, in-toto's tools, podman and CRI-O look for. `bytes` are those of `statement`. */
export async function seal(ports: SealPorts, statement: Statement, bytes: Uint8Array, digest: Digest): Promise<Seals> {
  const { signer, envelopeSigner, publicUrl } = ports;
  const summary = Buffer.from(canonicalJson(makeVsa(statement, digest, publicUrl)));
  const claim = imageClaim(statement, digest);
  const image = claim && {
    reference: claim.reference,
    manifestDigest: claim.manifestDigest,
    message: Buffer.from(await signer.signMessage(Buffer.from(claim.payload))).toString('base64'),
  };
  return {
    statement: [await envelopeSigner.sign(bytes)],
    summary: envelopeOf(summary, [await envelopeSigner.sign(summary)]),
    ...(image === undefined ? {} : { image }),
  };
}
