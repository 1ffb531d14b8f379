import type { NotComparable } from '../model/rebuild.ts';
import type { Difference, Result } from '../model/verdict.ts';
import type { Case } from './case.ts';
import type { Found } from './findings/finding.ts';

export type Decision = { result: Result; reason?: NotComparable };

/**
 * The first answer: how the published image stands to our rebuild of it. Design, "The verdict". A build that failed accuses
 * nobody; the other answers (coverage, findings, auditable) are given whatever this one is.
 */
export function decide(
  file: Pick<Case, 'published' | 'rebuilt' | 'rebuild'>,
  differences: readonly Difference[],
  findings: readonly Pick<Found, 'accuses'>[],
): Decision {
  const { published, rebuilt, rebuild } = file;
  if (rebuilt === undefined) {
    return { result: 'not-comparable', reason: rebuild.outcome.status === 'not-comparable' ? rebuild.outcome.reason : 'build-failed' };
  }
  if (published.inventory.manifestDigest === rebuilt.inventory.manifestDigest) return { result: 'identical' };
  if (haveSameLayers(file) && differences.every(({ cause }) => cause === 'normalised')) return { result: 'layers-identical' };
  if (findings.some(({ accuses }) => accuses)) return { result: 'suspicious' };
  const causes = new Set(differences.map(({ cause }) => cause));
  if (causes.has('unknown') || causes.has('source-drift')) return { result: 'different' };
  return { result: causes.has('package-drift') || causes.has('second-rebuild') ? 'explained' : 'equivalent' };
}

/** The same uncompressed layers in the same order. With them equal, only the configuration can differ at all. */
function haveSameLayers({ published, rebuilt }: Pick<Case, 'published' | 'rebuilt'>): boolean {
  const a = published.inventory.layers;
  const b = rebuilt?.inventory.layers ?? [];
  return a.length === b.length && a.every(({ diffId }, index) => diffId === b[index]?.diffId);
}
