import type { Digest } from '../model/digest.ts';
import type { Path } from '../model/path.ts';
import type { Difference } from '../model/verdict.ts';
import type { Case } from './case.ts';
import { lineOfLayers } from './dockerfile-lines.ts';

/**
 * Adds to each difference where a reader goes on: the line of the Dockerfile whose step made the file, in the published image or else in the
 * rebuild, and what differs inside. Both are for reading; nothing is decided by them.
 */
export function pointDifferences(
  { published, rebuilt, rebuild }: Pick<Case, 'published' | 'rebuilt' | 'rebuild'>,
  differences: readonly Difference[],
): Difference[] {
  const steps = rebuild.dockerfile?.steps ?? [];
  const theirs = lineOfLayers(published.inventory.layers, steps);
  const ours = lineOfLayers(rebuilt?.inventory.layers ?? [], steps);
  const explained = new Map<Path, Digest>(rebuild.explanations?.files.map(({ path, document }) => [path, document]));
  return differences.map((difference): Difference => {
    const { path, cause } = difference;
    const [before, after] = [rebuilt?.entries.get(path), published.entries.get(path)];
    const line = (after && theirs(after.layer)) ?? (before && ours(before.layer));
    const explanation = cause === 'normalised' ? undefined : explained.get(path);
    return { ...difference, ...(line === undefined ? {} : { line }), ...(explanation === undefined ? {} : { explanation }) };
  });
}
