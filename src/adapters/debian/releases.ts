import type { InstalledPackage } from '../../model/debian.ts';

/** A suite as it is asked for, with the key files whose keys may sign it. */
export type SuiteRequest = {
  /** {@link ArchiveSuite.id}. */
  id: string;
  role: 'archive' | 'security';
  /** Folder below `dists/`. */
  suite: string;
  /** What its Release file must give as Origin and as Codename; undefined for a repository of which nobody knows. */
  origin: string | undefined;
  codename: string | undefined;
  /** What its Release file must give as Suite or as Codename, where the archive is not strict about which. */
  eitherName?: string;
  /**
   * Names of key files of the package debian-archive-keyring, without extension; a derivative's by its path. One good signature of one
   * of them is needed.
   */
  keyrings: string[];
  /** A suite that a release need not have yet, or any more. */
  optional: boolean;
};

/**
 * Releases in order; the mirrors may have moved the first one to an archive of its own. Keys of a release are made before it and shipped in the keyring package of the release before; testing
 * and unstable are signed by the newest keys there are, so the predecessor's stand in until a release has its own.
 */
const RELEASES = [
  { codename: 'bullseye', version: '11' },
  { codename: 'bookworm', version: '12' },
  { codename: 'trixie', version: '13' },
  { codename: 'forky', version: '14' },
  { codename: 'duke', version: '15' },
] as const;

/** The release an image says it is of; its packages' names and versions are looked for there, and have to be found there. */
export function codenameOf(osRelease: Record<string, string>, packages: readonly InstalledPackage[]): string | undefined {
  const known = (name: string | undefined): string | undefined => RELEASES.find(({ codename }) => codename === name)?.codename;
  const numbered = (version: string | undefined): string | undefined => RELEASES.find((one) => one.version === version)?.codename;
  if (osRelease['ID'] !== undefined && osRelease['ID'] !== 'debian') return undefined;
  return (
    known(osRelease['VERSION_CODENAME']) ??
    known(/\((\w+)\)/.exec(osRelease['VERSION'] ?? '')?.[1]) ?? // distroless has no VERSION_CODENAME
    numbered(osRelease['VERSION_ID']) ??
    numbered(/^(\d+)/.exec(packages.find(({ name }) => name === 'base-files')?.version ?? '')?.[1])
  );
}

/** Releases whose keys are installed, newest first: what an image without any name of a release may be of. */
export function knownReleases(has: (keyring: string) => boolean): string[] {
  return RELEASES.map(({ codename }) => codename)
    .filter((codename) => has(`debian-archive-${codename}-stable`) || has(`debian-archive-${codename}-automatic`))
    .toReversed();
}

/** The suites that packages of a release come from. `has` tells which key files there are; without pinned keys a suite is not asked. */
export function suitesOf(codename: string, packages: readonly InstalledPackage[], has: (keyring: string) => boolean): SuiteRequest[] {
  const stable = [`debian-archive-${codename}-stable`].filter(has);
  const automatic = pinnedKeys(codename, 'automatic', has).slice(0, 1);
  const securityAutomatic = pinnedKeys(codename, 'security-automatic', has).slice(0, 1);
  return requests(codename, packages, { stable, automatic, securityAutomatic });
}

/**
 * The suites as they were at a time past. Until some months after its own release a suite is signed by the keys of the release before,
 * so that these count as well. With `everywhere` also where packages stand before they come to the release: unstable, while it
 * was testing, and proposed updates.
 */
export function pastSuitesOf(
  codename: string,
  packages: readonly InstalledPackage[],
  has: (keyring: string) => boolean,
  everywhere: boolean,
): SuiteRequest[] {
  const stable = [`debian-archive-${codename}-stable`].filter(has);
  const automatic = pinnedKeys(codename, 'automatic', has).slice(0, 2);
  const securityAutomatic = pinnedKeys(codename, 'security-automatic', has).slice(0, 2);
  const suites = requests(codename, packages, { stable, automatic, securityAutomatic });
  if (!everywhere || automatic.length === 0) return suites;
  const further = ['sid', `${codename}-proposed-updates`].filter((name) => !suites.some(({ suite }) => suite === name));
  return [...suites, ...further.map((suite) => archiveSuite(suite, automatic, true))];
}

/**
 * Key files that may have signed a Release file of this codename, at whatever time it was in use: its own, and those of the release
 * before, as above. `sid` is signed by the keys of whatever release is the newest. None for a codename of which no key is pinned.
 */
export function keyringsOf(codename: string, has: (keyring: string) => boolean): string[] {
  if (/^(?:sid|rc-buggy)(?:-|$)/.test(codename)) return RELEASES.map((one) => `debian-archive-${one.codename}-automatic`).filter(has);
  const [, release = '', suffix] = /^([a-z]+)(-[a-z-]+)?$/.exec(codename) ?? [];
  if (suffix === '-security') return pinnedKeys(release, 'security-automatic', has).slice(0, 2);
  const stable = suffix === undefined ? [`debian-archive-${release}-stable`].filter(has) : [];
  return [...pinnedKeys(release, 'automatic', has).slice(0, 2), ...stable];
}

type Keys = { stable: string[]; automatic: string[]; securityAutomatic: string[] };

function requests(codename: string, packages: readonly InstalledPackage[], { stable, automatic, securityAutomatic }: Keys): SuiteRequest[] {
  const suites: SuiteRequest[] = [
    archiveSuite(codename, [...automatic, ...stable], codename === RELEASES[0].codename),
    {
      id: `debian-security ${codename}-security`,
      role: 'security',
      origin: 'Debian',
      suite: `${codename}-security`,
      codename: `${codename}-security`,
      keyrings: securityAutomatic,
      optional: true,
    },
    archiveSuite(`${codename}-updates`, automatic, true),
  ];
  // deb-version(7): backports are told by their version; testing images carry packages that unstable has already replaced.
  if (packages.some(({ version }) => version.includes('~bpo')))
    suites.push({ ...archiveSuite(`${codename}-backports`, automatic, true), origin: 'Debian Backports' });
  if (stable.length === 0) suites.push(archiveSuite('sid', automatic, true));
  return suites.filter(({ keyrings }) => keyrings.length > 0);
}

function archiveSuite(suite: string, keyrings: string[], optional: boolean): SuiteRequest {
  return { id: `debian ${suite}`, role: 'archive', suite, codename: suite, origin: 'Debian', keyrings, optional };
}

/** Key files for a release and those before it, the nearest first. */
function pinnedKeys(codename: string, role: string, has: (keyring: string) => boolean): string[] {
  const index = RELEASES.findIndex((one) => one.codename === codename);
  const names = RELEASES.slice(0, index + 1).map((one) => `debian-archive-${one.codename}-${role}`);
  return names.filter(has).reverse();
}
