import type { Entry } from '../model/inventory.ts';
import type { Difference, DifferenceClass } from '../model/verdict.ts';
import type { Case, ImageSide } from './case.ts';
import { type Aspect, differingAspects } from './compare-facts.ts';
import { BUILDER_RULES } from './rules/index.ts';

/** Name of the cause; it excuses nothing in the account of a file, which counts what either rebuild makes anyway. */
const SECOND_REBUILD = 'second-rebuild@1';

type Builds = Pick<Case, 'published' | 'rebuilt' | 'rebuiltAgain' | 'rebuild'>;

/**
 * Says of each difference where it comes from. What the second rebuild makes exactly as it was published has that as its cause: the
 * plan does build it. Every other class changes no cause.
 */
export function classDifferences(file: Builds, differences: readonly Difference[]): Difference[] {
  const isFromBase = fromBase(file);
  return differences.map((difference): Difference => {
    if (difference.cause === 'unknown' && isAsInSecond(file, difference))
      return { ...difference, cause: 'second-rebuild', rule: SECOND_REBUILD, class: 'varies' };
    return { ...difference, class: classOf(file, difference, isFromBase) };
  });
}

function classOf(file: Builds, difference: Difference, isFromBase: (path: string) => boolean): DifferenceClass {
  const { cause, rule = '', path, aspects } = difference;
  switch (cause) {
    case 'normalised':
      return BUILDER_RULES.has(rule) ? 'builder' : 'noise';
    case 'source-drift':
    case 'package-drift':
      return 'drift';
    case 'second-rebuild':
      return 'varies';
    case 'unknown':
      if (aspects.includes('configuration')) return 'same'; // it follows from the plan, whatever a step does
      if (isFromBase(path)) return 'base';
      return isPinned(file, path) ? 'same' : varies(file, path, aspects);
  }
}

/** Untouched since the base image, whose layers are pinned by digest: no build can make it vary. */
function isPinned({ rebuilt, rebuild: { outcome } }: Builds, path: string): boolean {
  const entry = rebuilt?.entries.get(path);
  return outcome.status === 'built' && entry !== undefined && entry.layer < (outcome.baseLayers ?? 0);
}

/** In every aspect in which the published file differs: a setuid bit on a file whose bytes vary is nothing that varies. */
function varies({ rebuilt, rebuiltAgain }: Builds, path: string, aspects: Difference['aspects']): DifferenceClass {
  if (rebuiltAgain === undefined) return 'unrepeated';
  const first = rebuilt?.entries.get(path);
  const second = rebuiltAgain.entries.get(path);
  if (first === undefined && second === undefined) return 'same';
  const own: readonly Aspect[] = first === undefined || second === undefined ? ['presence'] : differingAspects(first, second);
  return aspects.every((aspect) => own.includes(aspect)) ? 'varies' : 'same';
}

function isAsInSecond({ published, rebuiltAgain }: Builds, { path, aspects }: Difference): boolean {
  if (rebuiltAgain === undefined || aspects.includes('configuration')) return false;
  const ours = published.entries.get(path);
  const second = rebuiltAgain.entries.get(path);
  return ours === undefined || second === undefined ? ours === second : differingAspects(ours, second).length === 0;
}

/**
 * Whether both sides have the path, as it is, from below the steps of the Dockerfile, where the published image rests on other layers than
 * the rebuild. How many of its layers are its base's is read off the rebuild, which has as many steps.
 */
function fromBase({ published, rebuilt, rebuild: { outcome } }: Builds): (path: string) => boolean {
  const ours = outcome.status === 'built' ? (outcome.baseLayers ?? 0) : 0;
  if (rebuilt === undefined || ours === 0) return () => false;
  const theirs = published.inventory.layers.length - (rebuilt.inventory.layers.length - ours);
  const diffIds = ({ inventory }: ImageSide, count: number): string =>
    inventory.layers
      .slice(0, count)
      .map(({ diffId }) => diffId)
      .join();
  if (theirs <= 0 || diffIds(published, ours) === diffIds(rebuilt, ours)) return () => false;
  const isBelow = (entry: Entry | undefined, layers: number): boolean => entry === undefined || entry.layer < layers;
  return (path) => isBelow(published.entries.get(path), theirs) && isBelow(rebuilt.entries.get(path), ours);
}
