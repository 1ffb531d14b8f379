import type { ImageSide } from './case.ts';
import { compare } from './compare.ts';
import { differingPackages } from './explain/packages.ts';

/**
 * Whether a second build could tell more about the differences of the first: one that no rule excuses, at a path that steps of the
 * Dockerfile wrote, or that the build did not make. What lies untouched in the layers of the pinned base comes out the same each time,
 * and so does the configuration.
 */
export function mayVary(published: ImageSide, rebuilt: ImageSide, baseLayers: number): boolean {
  return compare(published, rebuilt, movedNames(published, rebuilt)).some(({ cause, aspects, path }) => {
    if (cause !== 'unknown' || aspects.includes('configuration')) return false;
    const entry = rebuilt.entries.get(path);
    return entry === undefined || entry.layer >= baseLayers;
  });
}

/** Packages that the two databases name in other versions, whoever vouches for them: their logs and caches differ by these. */
export function movedNames(published: ImageSide, rebuilt: ImageSide): ReadonlySet<string> {
  const moved = differingPackages(published, rebuilt).filter((one) => one.published !== undefined && one.rebuilt !== undefined);
  return new Set(moved.map(({ name }) => name));
}
