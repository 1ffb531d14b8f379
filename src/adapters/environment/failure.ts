import type { BuildFailure, NotComparable, ResolvedDependency } from '../../model/rebuild.ts';
import type { BuildWords } from '../../ports-build.ts';
import { Problem } from '../../problem.ts';
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

/** Why a build failed. Throws where it was our own environment that did. */
export function buildFailure(words: BuildWords, exit: number, lastLog: string[], network: NetworkFacts): BuildFailure {
  const { cannotRun, known, step } = words;
  if (cannotRun !== undefined) throw new Problem('environment-missing', `the builder cannot run here: ${cannotRun.slice(0, 500)}`);
  const text = lastLog.join('\n');
  const at = step?.line === undefined ? {} : { line: step.line };
  if (known !== undefined) return { ...known, ...at, lastLog };
  const failed = (reason: NotComparable, why: string): BuildFailure => ({
    reason,
    detail: `${step === undefined ? 'the build' : `the step ${shorten(step.text)}`} failed${why}`,
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
  return failed('build-failed', ` with exit code ${words.exit ?? exit}`);
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}
