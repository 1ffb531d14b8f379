import type { InstalledPackage } from '../../model/debian.ts';

/** A suite as it is asked for, with the key files whose keys may sign it. */
export type SuiteRequest = {
  /** {@link ArchiveSuite.id}. */
  id: string;
  role: 'archive' | 'security';
  /** Folder below `dists/`; also the Codename that its Release file must have. */
  suite: string;
  /** What its Release file must give as Origin. */
  origin: 'Debian' | 'Debian Backports';
  /** Names of key files of the package debian-archive-keyring, without extension. One good signature of one of them is needed. */
  keyrings: string[];
  /** A suite that a release need not have yet, or any more. */
  optional: boolean;
};

/**
 * Releases in order. Keys of a release are made before it and shipped in the keyring package of the release before; testing
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
  const index = RELEASES.findIndex((one) => one.codename === codename);
  const pinned = (role: string): string[] => {
    for (let i = index; i >= 0; i--) {
      const name = `debian-archive-${RELEASES[i]?.codename}-${role}`;
      if (has(name)) return [name];
    }
    return [];
  };
  const automatic = pinned('automatic');
  const stable = [`debian-archive-${codename}-stable`].filter(has);
  const archive = { role: 'archive', origin: 'Debian', keyrings: automatic } as const;
  const suites: SuiteRequest[] = [
    { ...archive, id: `debian ${codename}`, suite: codename, keyrings: [...automatic, ...stable], optional: false },
    {
      id: `debian-security ${codename}-security`,
      role: 'security',
      origin: 'Debian',
      suite: `${codename}-security`,
      keyrings: pinned('security-automatic'),
      optional: true,
    },
    { ...archive, id: `debian ${codename}-updates`, suite: `${codename}-updates`, optional: true },
  ];
  // deb-version(7): backports are told by their version; testing images carry packages that unstable has already replaced.
  if (packages.some(({ version }) => version.includes('~bpo')))
    suites.push({
      ...archive,
      id: `debian ${codename}-backports`,
      suite: `${codename}-backports`,
      origin: 'Debian Backports',
      optional: true,
    });
  if (stable.length === 0) suites.push({ ...archive, id: 'debian sid', suite: 'sid', optional: true });
  return suites.filter(({ keyrings }) => keyrings.length > 0);
}
