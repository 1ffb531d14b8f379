import { type AccountLine, type Attribution, ATTRIBUTIONS, type Verdict } from '../model/verdict.ts';

type Coverage = Verdict['coverage'];

/**
 * Counts every line of the account once, by files, by bytes and for executables alone; and what of it rests on packages that were
 * reproduced (their .debs), of how many that were asked about.
 */
export function countCoverage(account: readonly AccountLine[], reproduced?: { debs: ReadonlySet<string>; of: number }): Coverage {
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
  return {
    files,
    bytes,
    executables,
    accounted,
    ...(reproduced === undefined ? {} : { reproduced: countReproduced(account, reproduced) }),
  };
}

function countReproduced(
  account: readonly AccountLine[],
  { debs, of }: { debs: ReadonlySet<string>; of: number },
): NonNullable<Coverage['reproduced']> {
  const lines = account.filter(
    ({ attribution, evidence }) => attribution === 'debian-official' && evidence.deb !== undefined && debs.has(evidence.deb),
  );
  return { packages: debs.size, of, files: lines.length, bytes: lines.reduce((sum, { size }) => sum + size, 0) };
}
