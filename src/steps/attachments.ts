import type { Attachment } from '../model/attachment.ts';
import type { Digest } from '../model/digest.ts';
import { envelopeOf } from '../model/dsse.ts';
import { PREDICATE_TYPE } from '../model/statement.ts';
import type { VerdictRecord } from '../model/verification.ts';
import { VSA_TYPE } from './make-vsa.ts';

type Attached = { subject: Digest; attachments: Attachment[] };

/**
 * What is attached to which digest: each statement to the digests that are its subjects. Tools look at the digest that a tag names, so that the
 * verdict hangs on an index as well; the summary does not, see `makeVsa`.
 */
export function attachmentsOf({ image, statement, verdict, seals }: VerdictRecord, verifier: string): Attached[] {
  if (seals === undefined) return [];
  const { digest, manifestDigest } = image;
  const common = { verifier, manifestDigest, created: verdict.freshness.judgedAt };
  const signed: Attachment = { ...common, envelope: envelopeOf(statement, seals.statement), predicateType: PREDICATE_TYPE };
  const summary: Attachment = { ...common, envelope: seals.summary, predicateType: VSA_TYPE };
  const onManifest = { subject: manifestDigest, attachments: [signed, summary] };
  return digest === manifestDigest ? [onManifest] : [onManifest, { subject: digest, attachments: [signed] }];
}
