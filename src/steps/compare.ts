import type { Entry, FileFacts } from '../model/inventory.ts';
import type { Difference } from '../model/verdict.ts';
import type { Path } from '../model/path.ts';
import { byText } from '../model/path.ts';
import { type ImageSide, ruleContext, sideOf } from './case.ts';
import { compareConfiguration } from './compare-configuration.ts';
import { type Aspect, differingAspects } from './compare-facts.ts';
import { rulesFor, STEP_RULES } from './rules/index.ts';
import { isPlain, ruleId, type Rule, type RuleContext, type Side } from './rules/rule.ts';

/** Stands for every path that differs in nothing but its time: `mtime:*`. */
export const MTIME_PATH = 'mtime:*';

/**
 * Every difference between the two images, in the order of their paths, configuration last. What a named rule excuses has the
 * cause `normalised`, all else `unknown` until `traceDrift` has looked at it. Paths that differ in time alone are one entry.
 * `drifted` names the packages that moved on: logs and caches may differ by these.
 */
export function compare(published: ImageSide, rebuilt: ImageSide, drifted: ReadonlySet<string> = new Set()): Difference[] {
  const context = ruleContext(published, rebuilt, { drifted });
  const mirror = (side: 'published' | 'other'): typeof side => (side === 'published' ? 'other' : 'published');
  const mirrored: RuleContext = {
    ...context,
    neighbour: (side, path) => context.neighbour(mirror(side), path),
    lists: (side) => context.lists(mirror(side)),
  };
  const differences: Difference[] = [];
  let times = 0;
  for (const entry of published.inventory.entries) {
    const other = rebuilt.entries.get(entry.path);
    const aspects: Aspect[] = other === undefined ? ['presence'] : differingAspects(entry, other);
    if (other !== undefined && aspects.length === 0) {
      if (entry.mtime !== other.mtime) times += 1;
      continue;
    }
    const side = sideOf(published, entry);
    const rule = other === undefined ? excusesPresence(side, context) : excusesContent(side, sideOf(rebuilt, other), aspects, context);
    differences.push(describe(entry.path, aspects, entry, other, rule));
  }
  for (const other of rebuilt.inventory.entries) {
    if (published.entries.has(other.path)) continue;
    const rule = excusesPresence(sideOf(rebuilt, other), mirrored);
    differences.push(describe(other.path, ['presence'], undefined, other, rule));
  }
  differences.sort((a, b) => byText(a.path, b.path));
  if (times > 0) {
    const detail = times === 1 ? '1 path differs in nothing but its time' : `${times} paths differ in nothing but their times`;
    differences.push({ path: MTIME_PATH, aspects: ['mtime'], cause: 'normalised', rule: ruleId(STEP_RULES.mtime), detail });
  }
  return [...differences, ...compareConfiguration(published.inventory.config, rebuilt.inventory.config)];
}

/** A rule excuses bytes, and nothing else: any further aspect stays a difference of the whole path. */
function excusesContent(published: Side, rebuilt: Side, aspects: readonly Aspect[], context: RuleContext): Rule | undefined {
  if (!aspects.every((aspect) => aspect === 'content')) return undefined;
  return rulesFor(published.facts.path).find(
    (rule) => admits(rule, published.facts) && admits(rule, rebuilt.facts) && isExcused(rule, published, rebuilt, context),
  );
}

function isExcused(rule: Rule, published: Side, rebuilt: Side, context: RuleContext): boolean {
  if (rule.equal?.(published, rebuilt, context) === true) return true;
  // A cache of what is installed cannot be equal where a package moved on; it still has to be such a cache.
  return rule.followsPackages === true && context.drifted.size > 0 && rule.form?.(published, context) === true;
}

function excusesPresence(side: Side, context: RuleContext): Rule | undefined {
  return rulesFor(side.facts.path).find(
    (rule) => rule.mayBeAbsent === true && admits(rule, side.facts) && rule.form?.(side, context) === true,
  );
}

export function admits(rule: Rule, facts: Side['facts']): boolean {
  return (rule.admits ?? isPlain)(facts);
}

function describe(
  path: Path,
  aspects: Aspect[],
  published: Entry | undefined,
  rebuilt: Entry | undefined,
  rule: Rule | undefined,
): Difference {
  return {
    path,
    aspects,
    ...(published === undefined ? {} : { published: factsOf(published) }),
    ...(rebuilt === undefined ? {} : { rebuilt: factsOf(rebuilt) }),
    ...(rule === undefined ? { cause: 'unknown' } : { cause: 'normalised', rule: ruleId(rule) }),
  };
}

function factsOf({ path: _path, layer: _layer, earlier: _earlier, ...facts }: Entry): FileFacts {
  return facts;
}
