import type { BuildFile } from '../../model/build-file.ts';
import type { NotComparable } from '../../model/rebuild.ts';
import type { BuildWords } from '../../ports-build.ts';

type Rule = { pattern: RegExp; reason: NotComparable; detail: (match: RegExpExecArray) => string };

// What buildah 1.28 says in its last line, before any step ran or in place of one.
const RULES: Rule[] = [
  {
    pattern: /no FROM statement found|no contents in /,
    reason: 'build-failed',
    detail: () => 'the Dockerfile does not parse: it has no FROM',
  },
  {
    pattern: /Unknown instruction: "([^"]*)"/i,
    reason: 'build-failed',
    detail: (m) => `the Dockerfile does not parse: unknown instruction ${m[1]}`,
  },
  {
    pattern: /parse error|syntax error - |failed to parse|requires (?:at least|exactly) \w+ argument/i,
    reason: 'build-failed',
    detail: () => 'the Dockerfile does not parse',
  },
  { pattern: /The target "([^"]*)" was not found/, reason: 'build-failed', detail: (m) => `the Dockerfile has no stage ${m[1]}` },
  {
    pattern: /(?:creating build container|COPY --from=): ?(\S+): image not known/,
    reason: 'build-failed',
    detail: (m) => `the base image ${m[1]} was not pinned`,
  },
  {
    pattern: /--from=(\S+): no stage or image found/,
    reason: 'build-failed',
    detail: (m) => `the Dockerfile has no stage ${m[1]}, and no image of that name was pinned`,
  },
  {
    pattern: /secret required but no secret|no ssh (?:key|agent)|ssh agent/i,
    reason: 'secret-required',
    detail: () => 'a step needs a secret',
  },
  {
    pattern: /only supports the |unsupported (?:mount|flag)|unknown flag/i,
    reason: 'unsupported',
    detail: () => 'a step uses what this builder does not know',
  },
  { pattern: /exec format error/i, reason: 'unsupported', detail: () => 'the image is for a processor that this machine does not have' },
];

const CANNOT_RUN =
  /runc create failed|runc did not|executable file not found in \$PATH.*(runc|buildah)|mounting new container|creating overlay mount/;

/** What buildah says of a build that failed. */
export function explain(lastLog: readonly string[], file: BuildFile): BuildWords {
  const error = lastLog.findLast((line) => line.startsWith('Error: ')) ?? lastLog.at(-1) ?? '';
  if (CANNOT_RUN.test(lastLog.join('\n'))) return { cannotRun: error };
  const text = /building at STEP "((?:[^"\\]|\\.)*)"/.exec(error)?.[1]?.replace(/\\"/g, '"');
  const words: BuildWords = text === undefined ? {} : { step: { text, ...file.find(text) } };
  for (const { pattern, reason, detail } of RULES) {
    const match = pattern.exec(error);
    if (match !== null) return { ...words, known: { reason, detail: detail(match) } };
  }
  return words;
}
