import { type Finding, SEVERITIES } from '../model/verdict.ts';

/** The gravest first; the order of the verdict among equals. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** `1 critical, 2 low`, or `none`. */
export function countFindings(findings: readonly Pick<Finding, 'severity'>[]): string {
  const counts = SEVERITIES.map((severity) => [findings.filter((finding) => finding.severity === severity).length, severity] as const);
  const told = counts.flatMap(([count, severity]) => (count === 0 ? [] : [`${count} ${severity}`]));
  return told.length === 0 ? 'none' : told.join(', ');
}
