/** Media type of an in-toto statement, as the payload of an envelope. in-toto attestation framework v1, "Envelope". */
export const IN_TOTO_TYPE = 'application/vnd.in-toto+json';
/** Media type of an envelope as JSON. DSSE v1.0.2, envelope.md. */
export const ENVELOPE_TYPE = 'application/vnd.dsse.envelope.v1+json';

/** `sig` is base64. `keyid` only says which key to try: nothing rests on it. */
export type EnvelopeSignature = { keyid: string; sig: string };

/** DSSE v1.0.2, envelope.md: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md */
export type Envelope = { payloadType: string; payload: string; signatures: EnvelopeSignature[] };

/** What is signed in place of the payload: its type and length are part of it. DSSE v1.0.2, protocol.md, "PAE". */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** An in-toto statement in its envelope. The payload is the very bytes: nothing is written anew. */
export function envelopeOf(statement: Uint8Array, signatures: EnvelopeSignature[]): Envelope {
  return { payloadType: IN_TOTO_TYPE, payload: Buffer.from(statement).toString('base64'), signatures };
}
