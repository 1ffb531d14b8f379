import { isPresent, type NewerVersion, type PackageEvidence } from '../../model/debian.ts';
import { compareDebianVersions } from '../../model/debian-version.ts';
import { byText } from '../../model/path.ts';
import { layerOfPackages } from '../package-layers.ts';
import { count, found, type Found, type Scene } from './finding.ts';

type Outdated = PackageEvidence & { newer: [NewerVersion, ...NewerVersion[]] };

/**
 * Installed packages that the signed suites have in a newer version: for what the security archive has, a finding for each source
 * package, because a fix is out; one for all others together.
 */
export function* outdated(scene: Scene): Generator<Found> {
  const { packages } = scene.file.evidence;
  const old = packages.filter((one): one is Outdated => isPresent(one) && one.newer?.[0] !== undefined);
  const layerOf = layerOfPackages(scene.file.published.inventory);
  const fixed = old.filter(({ newer: [first] }) => first.security === true);
  for (const group of bySource(fixed)) {
    const [{ source, sourceVersion, version, newer }] = group;
    const layers = group.flatMap((one) => layerOf(one) ?? []);
    const [fix, ...others] = newer;
    const later = others.find((one) => compareDebianVersions(one.version, fix.version) > 0);
    const date = dateOf(scene, fix);
    yield found(scene, 'outdated-package', `${source} ${version}: ${fix.archive} of ${date} has ${fix.version}, a security update`, {
      severity: 'medium',
      ...(layers.length === 0 ? {} : { layer: Math.max(...layers) }),
      evidence: {
        source: `${source} ${sourceVersion}`,
        packages: group.map(({ name }) => name).join(', '),
        installed: version,
        newest: later?.version ?? fix.version,
        fixed: fix.version,
        archive: fix.archive,
        date,
        ...(later === undefined ? {} : { newestArchive: later.archive }),
      },
    });
  }
  const others = old.filter(({ newer: [first] }) => first.security !== true);
  if (others.length === 0) return;
  const move = ({ name, architecture, version, newer: [first] }: Outdated): [string, string] => [
    `${name}:${architecture}`,
    `${version} → ${first.version} in ${first.archive} of ${dateOf(scene, first)}`,
  ];
  yield found(scene, 'outdated-package', `the archive has newer versions of ${count(others.length, 'installed package')}`, {
    severity: 'low',
    evidence: Object.fromEntries(others.slice(0, LISTED_MAX).map(move)),
  });
}

const LISTED_MAX = 100; // the evidence among the byproducts has every one

/** Binary packages of one source in one version that have one fix: they are built and fixed together. */
function bySource(packages: readonly Outdated[]): [Outdated, ...Outdated[]][] {
  const groups = new Map<string, [Outdated, ...Outdated[]]>();
  for (const one of packages) {
    const key = [one.source, one.version, one.newer[0].version, one.newer[0].archive].join(' ');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.entries()].sort(([a], [b]) => byText(a, b)).map(([, group]) => group);
}

/** `Date` of the Release file that names it. */
function dateOf(scene: Scene, { archive }: NewerVersion): string {
  return scene.file.evidence.archives.find(({ id }) => id === archive)?.date ?? 'an unknown date';
}
