import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseDiffoscope } from '../../model/diffoscope-parse.ts';
import type { DiffNode } from '../../model/explanation.ts';
import type { Explain, RunConfined } from '../../ports-explain.ts';

/** Debian's own program, and Debian's Python: not what stands before them in some PATH. */
const PROGRAM = '/usr/bin/diffoscope';
const ENVIRONMENT = ['PATH=/usr/bin:/bin', 'HOME=/job/tmp', 'TMPDIR=/job/tmp', 'LC_ALL=C.UTF-8', 'PYTHONDONTWRITEBYTECODE=1'];
/** Bytes of a report; what is kept of it is far less. */
const REPORT_BYTES_MAX = 16 * 1024 ** 2;
/** Seconds for what goes on when diffoscope's own limit, which it looks at between files, has passed. */
const SLACK_SECONDS = 10;
/** Seconds below which it is not started: Python alone takes one. */
const LEAST_SECONDS = 3;

// diffoscope(1) of Debian 12 and later.
const OPTIONS = [
  '--no-progress',
  // The files were written by us: their times and owners mean nothing. Those of members in archives do.
  '--exclude-directory-metadata=yes',
  // No guesses which of many files belong together: their names say so.
  '--fuzzy-threshold=0',
  '--max-diff-block-lines=80',
  '--max-page-diff-block-lines=80',
  '--max-diff-block-lines-saved=80',
  // Lines handed to diff(1), whose time is quadratic.
  '--max-diff-input-lines=200000',
  '--max-container-depth=5',
  // Disassembly takes minutes for a large program and shows a reader what the bytes of the section do as well.
  '--exclude-command=^objdump',
  String.raw`--exclude-command=^readelf.*\s--debug-dump`,
  '--exclude-command=^(radare2|r2|ghidra)',
];

/** diffoscope where it is installed. It reads hostile files with a hundred programs, so that it only ever runs where `run` confines it. */
export async function findDiffoscope(run: RunConfined): Promise<Explain | undefined> {
  const version = await promisify(execFile)(PROGRAM, ['--version'], { timeout: 30_000 }).catch(() => undefined);
  const found = /^diffoscope ([0-9A-Za-z.+~-]{1,40})\s*$/.exec(version?.stdout ?? '')?.[1];
  return found === undefined ? undefined : makeDiffoscope(run, `diffoscope ${found}`);
}

export function makeDiffoscope(run: RunConfined, tool: string): Explain {
  return {
    tool,
    async explain(pairs, { seconds, signal }) {
      const end = performance.now() + 1000 * seconds;
      const left = (): number => Math.ceil((end - performance.now()) / 1000);
      const runOver = (some: typeof pairs) => compare(run, some, { seconds: left(), ...(signal && { signal }) });
      if (pairs.length === 0) return { told: [] };
      const first = await runOver(pairs);
      if (first.fault === undefined || pairs.length === 1) return first;
      // One file can be such that nothing is said of the others: each on its own, as far as the time goes.
      const told: (readonly DiffNode[] | undefined)[] = [];
      const faults = new Set<string>();
      for (const pair of pairs) {
        const one = left() < LEAST_SECONDS ? { told: [undefined], fault: 'there was no time left' } : await runOver([pair]);
        told.push(one.told[0]);
        if (one.fault !== undefined) faults.add(one.fault);
      }
      return { told, fault: [...faults].join('; ') || first.fault };
    },
  };
}

async function compare(
  run: RunConfined,
  pairs: readonly { rebuilt: string; published: string }[],
  { seconds, signal }: { seconds: number; signal?: AbortSignal },
): ReturnType<Explain['explain']> {
  const { ended, code, answer, lastLog } = await run({
    command: [
      'env',
      '-i',
      ...ENVIRONMENT,
      PROGRAM,
      ...OPTIONS,
      `--timeout=${Math.max(1, seconds - SLACK_SECONDS)}`,
      '--json=/job/out/answer',
      '/job/rebuilt',
      '/job/published',
    ],
    files: pairs.flatMap(({ rebuilt, published }, index) => [
      { from: rebuilt, to: `/job/rebuilt/${index}` },
      { from: published, to: `/job/published/${index}` },
    ]),
    seconds,
    answerBytesMax: REPORT_BYTES_MAX,
    ...(signal && { signal }),
  });
  const nothing = pairs.map(() => undefined);
  if (ended === 'limit') return { told: nothing, fault: lastLog.at(-1) ?? 'a limit was met' };
  // 0: no difference, 1: differences; anything else is its own failure.
  if (code !== 0 && code !== 1) return { told: nothing, fault: `it ended with ${code}` };
  const report = answer === undefined ? undefined : parseDiffoscope(answer.toString('utf8'));
  if (report === undefined) return code === 0 ? { told: nothing } : { told: nothing, fault: 'its report cannot be read' };
  return { told: pairs.map((_pair, index) => report.get(String(index))) };
}
