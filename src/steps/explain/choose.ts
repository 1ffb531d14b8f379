import type { Digest } from '../../model/digest.ts';
import type { Entry } from '../../model/inventory.ts';
import { byText, type Path } from '../../model/path.ts';
import { type Difference, DIFFERENCE_CLASSES } from '../../model/verdict.ts';
import type { Case } from '../case.ts';
import { classDifferences } from '../class-differences.ts';
import { isCode } from '../is-code.ts';
import { isSensitive } from '../sensitive-places.ts';

type Builds = Pick<Case, 'published' | 'rebuilt' | 'rebuiltAgain' | 'rebuild'>;
export type Pair = { path: Path; published: Entry & { digest: Digest }; rebuilt: Entry & { digest: Digest } };

/**
 * Regular files whose bytes differ and that no rule excuses, the gravest first: by the class of the difference, then what did not come with packages
 * that moved on, then code and settings, then small before large.
 */
export function gravestFiles(file: Builds, differences: readonly Difference[], anyMoved: boolean): Pair[] {
  const { published, rebuilt } = file;
  if (rebuilt === undefined) return [];
  const withPackages = anyMoved ? packageLayers(rebuilt.inventory.entries) : new Set<number>();
  return classDifferences(file, differences)
    .flatMap(({ path, cause, class: where = 'noise' }) => {
      const pair = { path, published: published.entries.get(path), rebuilt: rebuilt.entries.get(path) };
      if (cause === 'normalised' || !isPair(pair)) return [];
      const rank = [
        -DIFFERENCE_CLASSES.indexOf(where),
        Number(withPackages.has(pair.rebuilt.layer)),
        -Number(isCode(path, pair.published) || isSensitive(path)),
        pair.published.size + pair.rebuilt.size,
      ];
      return [{ pair, rank }];
    })
    .sort((a, b) => byRank(a.rank, b.rank) || byText(a.pair.path, b.pair.path))
    .map(({ pair }) => pair);
}

function isPair(pair: { path: Path; published: Entry | undefined; rebuilt: Entry | undefined }): pair is Pair {
  const { published, rebuilt } = pair;
  const both = published?.digest !== undefined && rebuilt?.digest !== undefined;
  return both && published.digest !== rebuilt.digest;
}

/** Layers in which the rebuild installed packages: where some moved on, most of what differs in these came with them. */
function packageLayers(entries: readonly Entry[]): ReadonlySet<number> {
  return new Set(entries.flatMap(({ path, layer }) => (path.startsWith('/var/lib/dpkg/info/') ? [layer] : [])));
}

function byRank(a: readonly number[], b: readonly number[]): number {
  for (const [index, one] of a.entries()) {
    const difference = one - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
