import { type AccountLine, type Attribution, ATTRIBUTIONS, type Verdict } from '../model/verdict.ts';

type Coverage = Verdict['coverage'];

/** Counts every line of the account once, by files, by bytes and for executables alone. */
export function countCoverage(account: readonly AccountLine[]): Coverage {
  const zero = (): Record<Attribution, number> => Object.fromEntries(ATTRIBUTIONS.map((name) => [name, 0])) as Record<Attribution, number>;
  const files = zero();
  const bytes = zero();
  const executables = zero();
  for (const { attribution, size, code } of account) {
    files[attribution] += 1;
    bytes[attribution] += size;
    if (code) executables[attribution] += 1;
  }
  const strong = account.length - files.unexplained - files.rebuilt - files['third-party'];
  // Rounded down, so that 1 is said of nothing less.
  const accounted = account.length === 0 ? 0 : Math.floor((strong / account.length) * 10_000) / 10_000;
  return { files, bytes, executables, accounted };
}
