import { digestOf, type Digest, hexOf } from '../model/digest.ts';
import { canonicalJson } from '../model/json.ts';
import { DEFAULT_POLICY, passes } from '../model/policy.ts';
import { ociPurl, splitReference } from '../model/purl.ts';
import { type Statement, STATEMENT_TYPE } from '../model/statement.ts';
import type { Verdict } from '../model/verdict.ts';

export const VSA_TYPE = 'https://slsa.dev/verification_summary/v1';

/** SLSA v1.1, verification_summary.md; `verifier.version` is of v1.2, and readers ignore what they do not know. */
export type VerificationSummary = {
  _type: typeof STATEMENT_TYPE;
  subject: { name: string; digest: { sha256: string } }[];
  predicateType: typeof VSA_TYPE;
  predicate: {
    verifier: { id: string; version: Record<string, string> };
    timeVerified: string;
    resourceUri: string;
    policy: { uri: string; digest: { sha256: string } };
    inputAttestations: { uri: string; digest: { sha256: string } }[];
    verificationResult: 'PASSED' | 'FAILED';
    verifiedLevels: string[];
    slsaVersion: string;
  };
};

/**
 * The SLSA verification summary of a verdict, without a clock. `verifier` is the public address of the instance, without a slash at the end.
 *
 * The subject is the judged platform's manifest alone. A verdict names the index as well and says which platform it is about; a PASSED that
 * names an index would be read as if it were about every platform in it.
 */
export function makeVsa({ predicate }: Statement, verdictDigest: Digest, verifier: string): VerificationSummary {
  const { image, verdict } = predicate;
  const { judgedAt, policy, rules } = verdict.freshness;
  const passed = passes(verdict);
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: splitReference(image.reference).repository, digest: { sha256: hexOf(image.manifestDigest) } }],
    predicateType: VSA_TYPE,
    predicate: {
      verifier: { id: verifier, version: { 'conforme-rules': rules } },
      timeVerified: judgedAt,
      resourceUri: ociPurl(image.reference, image.manifestDigest, image.platform.architecture),
      policy: { uri: `urn:conforme:policy:${policy}`, digest: { sha256: hexOf(digestOf(canonicalJson(DEFAULT_POLICY))) } },
      inputAttestations: [{ uri: `${verifier}/v1/verdicts/${verdictDigest}`, digest: { sha256: hexOf(verdictDigest) } }],
      verificationResult: passed ? 'PASSED' : 'FAILED',
      verifiedLevels: passed ? levelsOf(verdict) : ['FAILED'],
      slsaVersion: '1.1',
    },
  };
}

/**
 * "SlsaResult" allows levels of one's own. No SLSA level is claimed: those are about the build of the publisher, which nobody here has seen.
 */
function levelsOf({ auditable, result }: Verdict): string[] {
  return [`CONFORME_AUDITABLE_${auditable.toUpperCase()}`, `CONFORME_REBUILD_${result.toUpperCase().replaceAll('-', '_')}`];
}
