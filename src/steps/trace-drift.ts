import type { Path } from '../model/path.ts';
import type { AccountLine, Difference } from '../model/verdict.ts';
import { otherCommits } from './attribute-source.ts';
import type { Case } from './case.ts';
import { describeMove, type PackageDrift, withoutVersion } from './package-drift.ts';
import { isPrivileged, isWorldWritable } from './privileges.ts';

/** Names of the rules that give causes; they excuse nothing in the account of a file. */
const SOURCE_DRIFT = 'source-drift@1';
const PACKAGE_DRIFT = 'package-drift@1';

/**
 * Looks for a cause of each difference that no rule excuses: bytes of another commit of the same repository, or a package that
 * moved on. What is found explains the difference and vouches for nothing: attribution does that.
 */
export function traceDrift(
  file: Case,
  differences: readonly Difference[],
  account: readonly AccountLine[],
  drift: ReadonlyMap<string, PackageDrift>,
): Difference[] {
  const traced = traceSource(file, differences);
  if (drift.size === 0) return traced;
  const byPurl = new Map([...drift.values()].map((one) => [one.published.purl, one]));
  const lines = new Map<Path, AccountLine>();
  for (const line of account) lines.set(line.path, line);
  const renamed = renamedFiles(file, byPurl);
  return traced.map((difference): Difference => {
    if (difference.cause !== 'unknown' || difference.aspects.includes('configuration')) return difference;
    const found = packageOf(difference, lines.get(difference.path), byPurl, renamed);
    return found === undefined ? difference : { ...difference, cause: 'package-drift', rule: PACKAGE_DRIFT, detail: found };
  });
}

/** Source drift changes bytes and the x bit of plain files; it makes no setuid program and changes no owner. */
const DRIFTING: ReadonlySet<string> = new Set(['presence', 'content', 'mode']);

function traceSource(file: Case, differences: readonly Difference[]): Difference[] {
  const otherCommit = otherCommits(file);
  let any = false;
  const traced = differences.map((difference): Difference => {
    const { cause, published, path, aspects } = difference;
    if (cause !== 'unknown' || published?.kind !== 'file' || !aspects.every((aspect) => DRIFTING.has(aspect))) return difference;
    const entry = file.published.entries.get(path);
    const elsewhere = entry === undefined || isPrivileged(entry) || isWorldWritable(entry) ? undefined : otherCommit(entry);
    if (elsewhere === undefined) return difference;
    any = true;
    return {
      ...difference,
      cause: 'source-drift',
      rule: SOURCE_DRIFT,
      detail: `the bytes of ${elsewhere.path} at commit ${elsewhere.commit}`,
    };
  });
  if (!any) return traced;
  // A file that the named commit brings and the published image lacks came with the same move between commits.
  const source = new Map(file.sourceTree?.files.map((one) => [one.digest, one.path]));
  return traced.map((difference): Difference => {
    const { cause, published, rebuilt } = difference;
    const path =
      cause === 'unknown' && published === undefined && rebuilt?.digest !== undefined
        ? source.get(rebuilt.digest as `sha256:${string}`)
        : undefined;
    return path === undefined
      ? difference
      : { ...difference, cause: 'source-drift', rule: SOURCE_DRIFT, detail: `${path} of the source is not in the published image` };
  });
}

/** The sentence that explains a difference by a package that moved on; only where the published side is accounted for by Debian. */
function packageOf(
  difference: Difference,
  line: AccountLine | undefined,
  drifted: ReadonlyMap<string, PackageDrift>,
  renamed: ReadonlyMap<string, PackageDrift>,
): string | undefined {
  if (line === undefined) {
    const moved = renamed.get(withoutVersion(difference.path));
    return moved === undefined ? undefined : moves(moved);
  }
  if (line.attribution !== 'debian-official' && line.attribution !== 'debian-generated') return undefined;
  const owner = line.evidence.package === undefined ? undefined : drifted.get(line.evidence.package);
  if (owner !== undefined) return moves(owner);
  return line.attribution === 'debian-generated' && line.evidence.package === undefined
    ? `generated from the packages, of which ${drifted.size} moved on`
    : undefined;
}

function moves(drift: PackageDrift): string {
  return `${drift.published.name} ${describeMove(drift)}`;
}

/** Files of drifted packages by their path without digits: `libssl.so.3.0.17` comes back as `libssl.so.3.0.18`. */
function renamedFiles(file: Case, drifted: ReadonlyMap<string, PackageDrift>): ReadonlyMap<string, PackageDrift> {
  const found = new Map<string, PackageDrift>();
  for (const [path, packaged] of file.expectation.files) {
    const owner = packaged.state === 'equal' ? drifted.get(packaged.expected.package) : undefined;
    if (owner !== undefined && /\d/.test(path)) found.set(withoutVersion(path), owner);
  }
  return found;
}
