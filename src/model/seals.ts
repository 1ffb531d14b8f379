import type { Digest } from './digest.ts';
import type { Envelope, EnvelopeSignature } from './dsse.ts';

/**
 * What is signed of a verdict beside the detached OpenPGP signature, in the forms that other programs look for. Stored with the verdict, and
 * as unchangeable: an ECDSA signature has other bytes each time it is made.
 */
export type Seals = {
  /** Over the verdict's statement as the payload of a DSSE envelope. */
  statement: EnvelopeSignature[];
  /** The envelope around the SLSA verification summary. */
  summary: Envelope;
  /** Only where the verdict passes. */
  image?: ImageSignature;
};

/** containers-signature(5): an OpenPGP message that says that a manifest goes by a name. */
export type ImageSignature = {
  /** The name in there, with the tag that was asked for where there was one. */
  reference: string;
  manifestDigest: Digest;
  /** base64 */
  message: string;
};
