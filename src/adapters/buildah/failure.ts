import type { BuildFailure, NotComparable, ResolvedDependency } from '../../model/rebuild.ts';
import { Problem } from '../../problem.ts';
import type { BuildFile } from './dockerfile.ts';
import type { Limit, Limits } from './limits.ts';

/** Why a build that met a limit has no image. A limit is this service's, not a fault of the image. */
export function limitFailure(limit: Limit, limits: Limits, lastLog: string[]): BuildFailure {
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  switch (limit) {
    case 'seconds':
      return { reason: 'timeout', detail: `the build took longer than ${limits.seconds} seconds`, lastLog };
    case 'memory':
      return { reason: 'policy-blocked', detail: `the build needed more than ${mib(limits.memoryBytes)} of memory`, lastLog };
    case 'disk':
      return {
        reason: 'policy-blocked',
        detail: `the build needed more than ${mib(limits.diskBytes)} of disk, or too many files`,
        lastLog,
      };
    case 'processes':
      return { reason: 'policy-blocked', detail: `the build started more than ${limits.processes} processes`, lastLog };
    case 'log':
      return { reason: 'policy-blocked', detail: `the build wrote a log of more than ${mib(limits.logBytes)}`, lastLog };
  }
}

/** What the proxy saw, as far as it explains a failure. */
export type NetworkFacts = { refused: { url: string; reason: string }[]; fetched: ResolvedDependency[] };

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

/** Why buildah failed. Throws where it was our own environment that did. */
export function stepFailure(exit: number, lastLog: string[], file: BuildFile, network: NetworkFacts): BuildFailure {
  const text = lastLog.join('\n');
  const error = lastLog.findLast((line) => line.startsWith('Error: ')) ?? lastLog.at(-1) ?? '';
  if (
    /runc create failed|runc did not|executable file not found in \$PATH.*(runc|buildah)|mounting new container|creating overlay mount/.test(
      text,
    )
  ) {
    throw new Problem('environment-missing', `the builder cannot run here: ${error.slice(0, 500)}`);
  }
  const named = /building at STEP "((?:[^"\\]|\\.)*)"/.exec(error)?.[1]?.replace(/\\"/g, '"');
  const step = named === undefined ? undefined : file.find(named);
  const at = step === undefined ? {} : { line: step.line };
  for (const { pattern, reason, detail } of RULES) {
    const match = pattern.exec(error);
    if (match !== null) return { reason, detail: detail(match), ...at, lastLog };
  }
  const failed = (reason: NotComparable, why: string): BuildFailure => ({
    reason,
    detail: `${named === undefined ? 'the build' : `the step ${shorten(named)}`} failed${why}`,
    ...at,
    lastLog,
  });
  if (step?.wantsSecret) return failed('secret-required', ': it mounts a secret, and none is given here');
  const [refused] = network.refused;
  if (refused !== undefined) return failed('policy-blocked', `: ${shorten(refused.url)} may not be reached (${refused.reason})`);
  const gone = network.fetched.find(({ annotations }) => annotations?.status === 404 || annotations?.status === 410);
  if (gone !== undefined && /\b(404|410)\b/.test(text)) return failed('input-gone', `: ${shorten(gone.uri)} is no longer there`);
  if (
    /Network is unreachable|Temporary failure (in name resolution|resolving)|Could not resolve host|bad address|lookup \S+ on \S+:53/i.test(
      text,
    )
  ) {
    return failed('policy-blocked', ': it wants the network by another way than the proxy');
  }
  return failed('build-failed', ` with exit code ${exit}`);
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
