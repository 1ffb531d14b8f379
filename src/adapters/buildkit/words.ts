import type { BuildFile } from '../../model/build-file.ts';
import type { NotComparable } from '../../model/rebuild.ts';
import type { BuildWords } from '../../ports-build.ts';

type Rule = { pattern: RegExp; reason: NotComparable; detail: (match: RegExpExecArray) => string };

// What BuildKit 0.34 says in its last line.
const RULES: Rule[] = [
  {
    pattern: /unknown flag: (\S+)|unsupported (?:mount|RUN)|(?:security|device)\S* is not allowed/i,
    reason: 'unsupported',
    detail: (m) => `a step uses what this builder does not do${m[1] === undefined ? '' : `: ${m[1]}`}`,
  },
  {
    pattern: /unknown instruction: (\S+)/i,
    reason: 'build-failed',
    detail: (m) => `the Dockerfile does not parse: unknown instruction ${m[1]}`,
  },
  {
    pattern: /no build stage in current context|file with no instructions|the Dockerfile cannot be empty/i,
    reason: 'build-failed',
    detail: () => 'the Dockerfile does not parse: it has no FROM',
  },
  { pattern: /dockerfile parse error/i, reason: 'build-failed', detail: () => 'the Dockerfile does not parse' },
  {
    pattern: /target stage "?([^"\s]+)"? could not be found/,
    reason: 'build-failed',
    detail: (m) => `the Dockerfile has no stage ${m[1]}`,
  },
  {
    pattern: /docker-image:\/\/(\S+?)"?(?: not allowed|: source|.*denied)/,
    reason: 'unsupported',
    detail: (m) => `the image ${m[1]} was not pinned`,
  },
  { pattern: /secret \S+: not found|no SSH key|ssh agent/i, reason: 'secret-required', detail: () => 'a step needs a secret' },
  { pattern: /exec format error/i, reason: 'unsupported', detail: () => 'the image is for a processor that this machine does not have' },
];

/** runc's complaints about a program that it should start are the image's; all others are about this machine. */
const CANNOT_RUN =
  /runc (?:run|create) failed: (?!unable to start container process: exec)|failed to prepare .* as |failed to mount \/|executable file not found in \$PATH.*runc/;

/** What buildctl says of a build that failed: it quotes the Dockerfile, with the line on top, and closes with one line of causes. */
export function explain(lastLog: readonly string[], file: BuildFile): BuildWords {
  const error = lastLog.findLast((line) => line.startsWith('error: ')) ?? lastLog.at(-1) ?? '';
  if (CANNOT_RUN.test(error)) return { cannotRun: error };
  const frame = lastLog.findLastIndex((line, index) => /^-{20}$/.test(line) && /:\d+$/.test(lastLog[index - 1] ?? ''));
  const line = Number(/:(\d+)$/.exec(lastLog[frame - 1] ?? '')?.[1] ?? /parse error on line (\d+)/.exec(error)?.[1] ?? 0);
  const exit = /exit code: (\d+)/.exec(error)?.[1];
  // A source that cannot be had is told without the quotation, but under the name of its step.
  const named = /^ > (?:\[[^\]]*\] )?(.*):$/.exec(lastLog.findLast((each) => each.startsWith(' > ')) ?? '')?.[1] ?? '';
  const found = file.find(line === 0 ? named : line);
  const at = found?.line ?? line;
  const words: BuildWords = {
    ...(at === 0 ? {} : { step: { text: found?.text ?? named, line: at, wantsSecret: found?.wantsSecret === true } }),
    ...(exit === undefined ? {} : { exit: Number(exit) }),
  };
  for (const { pattern, reason, detail } of RULES) {
    const match = pattern.exec(error);
    if (match !== null) return { ...words, known: { reason, detail: detail(match) } };
  }
  return words;
}
