import { partyOf, type RebuilderAnswer } from './rebuilders.ts';
import type { AccountLine, Attribution, Auditable, Finding, Verdict } from './verdict.ts';

/** Raised when any rule comes to excuse more or less, or when attribution or findings change: verdicts are then made anew. */
export const RULES_VERSION = '3';

export type Policy = {
  name: string;
  version: number;
  /** What code must not rest on for `yes`: it says that the same build makes it, not where it comes from. */
  weakForCode: readonly Attribution[];
  /** How many parties of those asked have to have reproduced a package before it counts as reproduced. */
  reproducedBy: { atLeast: number };
};

/**
 * The policy that turns four answers into one. `volatile` is as weak as `rebuilt` for code: a normalisation made it equal to
 * what the rebuild made, and nothing else speaks for it; `third-party` too, since the key that signed it came with the image. Whether packages were reproduced is told and does not decide: Debian
 * signed each of them, and one that nobody could build again is mostly one that holds the time of its build.
 */
export const DEFAULT_POLICY: Policy = {
  name: 'default',
  version: 1,
  weakForCode: ['third-party', 'rebuilt', 'volatile'],
  reproducedBy: { atLeast: 1 },
};

/** How many parties reproduced it, of how many that were asked. Two instances of one party are one. */
export function reproducersOf(answers: readonly RebuilderAnswer[]): { by: number; of: number } {
  const parties = new Set(answers.map(({ rebuilder }) => partyOf({ url: rebuilder })));
  const agreeing = answers.filter(({ outcome }) => outcome === 'reproduced').map(({ rebuilder }) => partyOf({ url: rebuilder }));
  return { by: new Set(agreeing).size, of: parties.size };
}

/** Whether a package counts as independently reproduced. */
export function isReproduced({ reproducedBy }: Policy, answers: readonly RebuilderAnswer[]): boolean {
  return reproducersOf(answers).by >= Math.max(1, reproducedBy.atLeast);
}

export type AuditFacts = {
  account: readonly Pick<AccountLine, 'attribution' | 'code'>[];
  findings: readonly Pick<Finding, 'severity'>[];
  /** Whether settings that decide what runs, who logs in or whom the system trusts rest on the rebuild or a third party alone. */
  weakSettings: boolean;
  /** Whether the packages could be installed anew, or the image rebuilt: without either, honest files have no account as well. */
  evidence: boolean;
};

/** Can the contents be audited? Design, "The verdict": policy `default`. */
export function auditableBy(policy: Policy, { account, findings, weakSettings, evidence }: AuditFacts): Auditable {
  if (findings.some(({ severity }) => severity === 'critical')) return 'no';
  if (account.length === 0) return 'unknown';
  let unexplained = false;
  let weak = weakSettings; // a poisoned base image makes its cron job again in every rebuild
  for (const { attribution, code } of account) {
    if (attribution === 'unexplained') {
      if (!evidence) return 'unknown';
      if (code) return 'no';
      unexplained = true;
    } else if (code && policy.weakForCode.includes(attribution)) weak = true;
  }
  return unexplained || weak ? 'partly' : 'yes';
}

/**
 * Whether a verdict is good in the sense of a machine that knows nothing between yes and no: every file is accounted for, and the rebuild
 * accuses nobody. `partly` and `unknown` do not pass: whoever wants to accept them reads the verdict itself.
 */
export function passes({ auditable, result }: Pick<Verdict, 'auditable' | 'result'>): boolean {
  return auditable === 'yes' && result !== 'suspicious';
}
