import { isPresent } from '../../model/debian.ts';
import { SEVERITIES, type Severity } from '../../model/verdict.ts';
import { count, found, type Found, type Scene } from './finding.ts';
import { layerOfPackages } from '../package-layers.ts';

const LISTED_MAX = 100; // the evidence among the byproducts has every one

/** The security tracker's words where they say more than "not yet assigned". */
const SEVERITY: Record<string, Severity> = { high: 'high', low: 'low', unimportant: 'info' };

/**
 * Known vulnerabilities that a newer version of an installed source package fixes, one finding for each source package: what the
 * tracker's data said, which nothing signs.
 */
export function* vulnerable(scene: Scene): Generator<Found> {
  const { security, packages } = scene.file.evidence;
  if (security === undefined) return;
  const layerOf = layerOfPackages(scene.file.published.inventory);
  for (const { source, version, issues } of security.fixes) {
    const binaries = packages.filter((one) => one.source === source && one.sourceVersion === version && isPresent(one));
    const layers = binaries.flatMap((one) => layerOf(one) ?? []);
    const severities = issues.map(({ urgency }) => SEVERITIES.indexOf(SEVERITY[urgency.replace(/\*+$/, '')] ?? 'medium'));
    const names = issues.slice(0, 5).map(({ cve }) => cve);
    const more = issues.length > names.length ? ' …' : '';
    yield found(
      scene,
      'known-vulnerability',
      `${source} ${version} lacks fixes for ${count(issues.length, 'known vulnerability').replace(/ys$/, 'ies')}: ${names.join(', ')}${more}`,
      {
        severity: SEVERITIES[Math.min(...severities)] ?? 'medium',
        ...(layers.length === 0 ? {} : { layer: Math.max(...layers) }),
        evidence: {
          packages: binaries.map(({ name }) => name).join(', '),
          tracker: `${security.tracker.digest} of ${security.tracker.fetchedAt}`,
          ...Object.fromEntries(
            issues.slice(0, LISTED_MAX).map(({ cve, fixed, urgency }) => [cve, `fixed in ${fixed}; urgency: ${urgency}`]),
          ),
        },
      },
    );
  }
}
