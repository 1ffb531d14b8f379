import type { DifferingPart, DifferingParts, ExplainedSide } from '../../model/explanation.ts';

/** Parts that are listed: what a reader looks at. */
const LISTED_MAX = 100;

type Named = ExplainedSide & { name: string };

/**
 * Parts of two files by their names, in the order of the published side, then what the rebuilt side has alone. Of several with one name the first is
 * held against the first, and so on.
 */
export function differingParts(rebuilt: readonly Named[], published: readonly Named[]): DifferingParts {
  const ours = byName(rebuilt);
  const differing: DifferingPart[] = [];
  let same = 0;
  for (const [name, theirs] of byName(published)) {
    const counterparts = ours.get(name) ?? [];
    ours.delete(name);
    for (let index = 0; index < Math.max(theirs.length, counterparts.length); index += 1) {
      const [before, after] = [counterparts[index], theirs[index]];
      if (before !== undefined && after !== undefined && isSame(before, after)) same += 1;
      else differing.push(partOf(name, before, after));
    }
  }
  for (const [name, alone] of ours) for (const one of alone) differing.push(partOf(name, one, undefined));
  return { listed: differing.slice(0, LISTED_MAX), more: Math.max(0, differing.length - LISTED_MAX), same };
}

function byName(parts: readonly Named[]): Map<string, Named[]> {
  const named = new Map<string, Named[]>();
  for (const part of parts) {
    const others = named.get(part.name);
    if (others === undefined) named.set(part.name, [part]);
    else others.push(part);
  }
  return named;
}

/** What was not read is not the same: nobody knows. */
function isSame(a: ExplainedSide, b: ExplainedSide): boolean {
  return a.size === b.size && a.digest !== undefined && a.digest === b.digest;
}

function partOf(name: string, rebuilt: Named | undefined, published: Named | undefined): DifferingPart {
  const side = ({ size, digest }: Named): ExplainedSide => ({ size, ...(digest === undefined ? {} : { digest }) });
  return {
    name,
    ...(rebuilt === undefined ? {} : { rebuilt: side(rebuilt) }),
    ...(published === undefined ? {} : { published: side(published) }),
  };
}
