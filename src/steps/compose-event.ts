import { canonicalJson } from '../model/json.ts';
import type { Digest } from '../model/digest.ts';
import type { Verdict } from '../model/verdict.ts';
import type { ProblemDocument, VerificationJob } from '../model/verification.ts';

/** How a verification ended. */
export type Ending = { verdict: Verdict; digest: Digest } | { problem: ProblemDocument };

/** What a webhook is told, and where to ask for more. Standard Webhooks 1.0.0, "Thin vs full": thin, because an address is not proof. */
export type WebhookEvent = { type: 'verdict.created' | 'verification.failed'; /** The exact body, JSON. */ body: string };

/** `at` is when it ended, ISO 8601, UTC; `publicUrl` has no trailing slash. */
export function composeEvent(publicUrl: string, { id, image }: VerificationJob, ending: Ending, at: string): WebhookEvent {
  const failed = 'problem' in ending;
  const type = failed ? 'verification.failed' : 'verdict.created';
  const verdictUrl = failed ? undefined : `${publicUrl}/v1/verdicts/${ending.digest}`;
  const links = {
    verification: `${publicUrl}/v1/verifications/${id}`,
    page: `${publicUrl}/verifications/${id}`,
    badge: `${publicUrl}/badge/${image.reference}.svg`,
    verdict: verdictUrl,
    signature: verdictUrl === undefined ? undefined : `${verdictUrl}/signature`,
  };
  const outcome = failed
    ? { problem: { code: ending.problem.code, title: ending.problem.title } }
    : { result: ending.verdict.result, reason: ending.verdict.reason, auditable: ending.verdict.auditable };
  const data = { verification: id, image: { reference: image.reference, digest: image.digest }, ...outcome, links };
  return { type, body: canonicalJson({ type, timestamp: at, data }) };
}
