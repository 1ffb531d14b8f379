import type { InstalledPackage, NewerVersion } from '../../model/debian.ts';
import { compareDebianVersions, parseDebianVersion } from '../../model/debian-version.ts';
import type { Location } from './locate.ts';
import type { SuiteRequest } from './releases.ts';

/** Whether `apt upgrade` takes packages from this suite in an ordinary installation: backports and unstable are another choice. */
export function isUpgradedFrom({ role, suite }: SuiteRequest, release: string): boolean {
  return role === 'security' || suite === release || suite === `${release}-updates`;
}

/**
 * What the suites that a release is kept up to date from have that is newer than what is installed: the newest of each suite, the
 * security suite's first. `places` are all packages of the name; `architecture` is the image's own. A package may have moved
 * between `all` and an architecture. Nothing is said of a version that dpkg would refuse.
 */
export function newerVersions(
  one: Pick<InstalledPackage, 'version' | 'architecture'>,
  places: readonly Location[],
  { release, architecture }: { release: string; architecture: string },
): NewerVersion[] {
  if (parseDebianVersion(one.version) === undefined) return [];
  const newest = new Map<string, NewerVersion & { security: boolean }>();
  for (const { suite, found } of places) {
    const { request } = suite;
    const same =
      found.architecture === one.architecture ||
      found.architecture === 'all' ||
      (one.architecture === 'all' && found.architecture === architecture);
    if (!same || !isUpgradedFrom(request, release) || parseDebianVersion(found.version) === undefined) continue;
    const known = newest.get(request.id)?.version ?? one.version;
    if (compareDebianVersions(found.version, known) > 0)
      newest.set(request.id, { version: found.version, archive: request.id, security: request.role === 'security' });
  }
  return [...newest.values()]
    .sort((a, b) => Number(b.security) - Number(a.security) || compareDebianVersions(b.version, a.version))
    .map(({ version, archive, security }) => ({ version, archive, ...(security ? { security } : {}) }));
}
