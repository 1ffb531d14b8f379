import { type InstalledPackage, isPresent } from '../model/debian.ts';
import { compareDebianVersions, parseDebianVersion } from '../model/debian-version.ts';
import { byText } from '../model/path.ts';
import type { SecurityEvidence, SourceIssues } from '../model/security.ts';

/**
 * What the tracker says was fixed in later versions of the source packages than those that are installed. An issue without a fix is
 * not told here: no rebuild of the image would help.
 */
export function securityFixes(
  release: string,
  packages: readonly Pick<InstalledPackage, 'source' | 'sourceVersion' | 'state'>[],
  known: readonly SourceIssues[],
): SecurityEvidence['fixes'] {
  const issuesOf = new Map(known.map(({ source, issues }) => [source, issues]));
  const installed = new Map<string, { source: string; version: string }>();
  for (const { source, sourceVersion: version, state } of packages)
    if (isPresent({ state }) && parseDebianVersion(version) !== undefined) installed.set(`${source} ${version}`, { source, version });
  const fixes: SecurityEvidence['fixes'] = [];
  for (const { source, version } of installed.values()) {
    const issues = (issuesOf.get(source) ?? []).flatMap(({ cve, release: of, status, fixed, urgency }) =>
      of === release && status === 'resolved' && fixed !== undefined && compareDebianVersions(version, fixed) < 0
        ? [{ cve, fixed, urgency }]
        : [],
    );
    if (issues.length > 0) fixes.push({ source, version, issues: issues.sort((a, b) => byText(a.cve, b.cve)) });
  }
  return fixes.sort((a, b) => byText(a.source, b.source) || byText(a.version, b.version));
}
