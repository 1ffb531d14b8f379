import type { AccountLine, Attribution, Auditable, Finding } from './verdict.ts';

/** Raised when any rule comes to excuse more or less, or when attribution or findings change: verdicts are then made anew. */
export const RULES_VERSION = '1';

export type Policy = {
  name: string;
  version: number;
  /** What code must not rest on for `yes`: it says that the same build makes it, not where it comes from. */
  weakForCode: readonly Attribution[];
};

/**
 * The policy that turns four answers into one. `volatile` is as weak as `rebuilt` for code: a normalisation made it equal to
 * what the rebuild made, and nothing else speaks for it.
 */
export const DEFAULT_POLICY: Policy = { name: 'default', version: 1, weakForCode: ['rebuilt', 'volatile'] };

export type AuditFacts = {
  account: readonly Pick<AccountLine, 'attribution' | 'code'>[];
  findings: readonly Pick<Finding, 'severity'>[];
  /** Whether the packages could be installed anew, or the image rebuilt: without either, honest files have no account as well. */
  evidence: boolean;
};

/** Can the contents be audited? Design, "The verdict": policy `default`. */
export function auditableBy(policy: Policy, { account, findings, evidence }: AuditFacts): Auditable {
  if (findings.some(({ severity }) => severity === 'critical')) return 'no';
  if (account.length === 0) return 'unknown';
  let unexplained = false;
  let weak = false;
  for (const { attribution, code } of account) {
    if (attribution === 'unexplained') {
      if (!evidence) return 'unknown';
      if (code) return 'no';
      unexplained = true;
    } else if (code && policy.weakForCode.includes(attribution)) weak = true;
  }
  return unexplained || weak ? 'partly' : 'yes';
}
