import type { PackageEvidence } from '../model/debian.ts';
import type { Entry } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';
import type { Case } from './case.ts';
import { installedPackages } from './installed-packages.ts';

/** A package that is in another version in the rebuilt image. */
export type PackageDrift = { published: PackageEvidence; rebuiltVersion: string };

/**
 * Packages that moved on, by name. Only a published version whose chain holds counts: a version that the archive never had
 * explains nothing. What the rebuild installed is named by its own database, which no publisher could touch.
 */
export function packageDrift(file: Pick<Case, 'evidence' | 'rebuilt'>): ReadonlyMap<string, PackageDrift> {
  return movedPackages(file, 'verified');
}

function movedPackages(
  { evidence, rebuilt }: Pick<Case, 'evidence' | 'rebuilt'>,
  status: PackageEvidence['status'],
): ReadonlyMap<string, PackageDrift> {
  const moved = new Map<string, PackageDrift>();
  if (rebuilt === undefined) return moved;
  const now = new Map<string, string>();
  for (const { name, architecture, version, state } of installedPackages(rebuilt.inventory, rebuilt.contents).packages) {
    if (state === 'installed') now.set(`${name}:${architecture}`, version);
  }
  for (const published of evidence.packages) {
    if (published.status !== status || published.state !== 'installed') continue;
    const rebuiltVersion = now.get(`${published.name}:${published.architecture}`);
    if (rebuiltVersion !== undefined && rebuiltVersion !== published.version) moved.set(published.name, { published, rebuiltVersion });
  }
  return moved;
}

/** `nginx 1 → 2`, and whether the newer version as well is one that a signed suite has. */
export function describeMove({ published, rebuiltVersion }: PackageDrift): string {
  const signed = published.newer?.some(({ version }) => version === rebuiltVersion) === true;
  return `${published.version} → ${rebuiltVersion}, ${signed ? 'both in signed suites' : "the second by the rebuild's own database"}`;
}

/** Where dpkg installs files; what lies elsewhere came with no package. */
export const PACKAGED_FOLDER = /^\/(?:usr\/(?!local\/)|etc\/|lib(?:32|64|x32)?\/|s?bin\/|var\/lib\/)/;

/**
 * Whether a file may belong to a package that moved on and that the archive no longer has in the published version. Nothing
 * vouches for it then, and nothing speaks against it: it has no account, and accuses nobody. The rebuild must have a file by
 * that name, but for digits in it, and no verified package may own the path.
 */
export function mayHaveMoved(file: Case): (entry: Pick<Entry, 'path'>) => boolean {
  const { rebuilt, expectation } = file;
  if (rebuilt === undefined || movedPackages(file, 'unverified-version').size === 0) return () => false;
  const names = new Set<string>();
  for (const path of rebuilt.entries.keys()) if (PACKAGED_FOLDER.test(path)) names.add(withoutVersion(path));
  return ({ path }) => names.has(withoutVersion(path)) && !expectation.files.has(path);
}

/** `libssl.so.3.0.17` and `libssl.so.3.0.18` are one. */
export function withoutVersion(path: Path): string {
  return path.replace(/\d+/g, '#');
}
