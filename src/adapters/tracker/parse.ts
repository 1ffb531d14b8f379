import { JSONParser } from '@streamparser/json';
import { parseDebianVersion } from '../../model/debian-version.ts';
import { byText } from '../../model/path.ts';
import { CVE_PATTERN, type SecurityIssue, type SourceIssues } from '../../model/security.ts';

const SOURCE = /^[a-z0-9][a-z0-9+.-]{1,127}$/; // Debian policy 5.6.1
const CVE = new RegExp(CVE_PATTERN);
const RELEASE = /^[a-z][a-z0-9-]{0,39}$/;
const URGENCY = /^[a-z*_ -]{1,40}$/;

/**
 * Reads the tracker's JSON (source package → CVE → releases → status, fixed_version, urgency) piece by piece: nothing but the
 * issue at hand is ever whole in memory. Source packages come in the order of the document. What affects no version (`fixed_version`
 * is "0") or is not decided is left out, and so is what does not have the form of an issue. Throws `SyntaxError` for what is no JSON
 * object.
 */
export async function* parseTracker(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<SourceIssues> {
  const done: SourceIssues[] = [];
  let current: SourceIssues | undefined;
  let ended = false;
  // With `paths` of two levels the parser drops each issue once it was told, and keeps no list of them.
  const parser = new JSONParser({ paths: ['$.*.*'], keepStack: false, stringBufferSize: 0 });
  parser.onValue = ({ value, key, stack }) => {
    const source = stack.at(-1)?.key;
    if (typeof source !== 'string' || typeof key !== 'string') throw new SyntaxError('not an object of objects');
    if (current?.source !== source) {
      if (current !== undefined) done.push(current);
      current = { source, issues: [] };
    }
    current.issues.push(...issuesOf(key, value));
  };
  parser.onEnd = () => {
    ended = true;
  };
  parser.onError = (error) => {
    throw new SyntaxError(error.message);
  };
  for await (const chunk of bytes) {
    parser.write(chunk);
    yield* done.splice(0).filter(isUsed);
  }
  if (!ended) throw new SyntaxError('the JSON ends too early');
  if (current !== undefined && isUsed(current)) yield current;
}

function isUsed({ source, issues }: SourceIssues): boolean {
  return SOURCE.test(source) && issues.length > 0;
}

function issuesOf(cve: string, value: unknown): SecurityIssue[] {
  const releases = member(value, 'releases');
  if (!CVE.test(cve) || releases === null || typeof releases !== 'object') return [];
  const found: SecurityIssue[] = [];
  for (const [release, facts] of Object.entries(releases).sort(([a], [b]) => byText(a, b))) {
    const status = member(facts, 'status');
    const fixed = member(facts, 'fixed_version');
    const told = member(facts, 'urgency');
    const urgency = typeof told === 'string' && URGENCY.test(told) ? told : 'not yet assigned';
    if (!RELEASE.test(release)) continue;
    if (status === 'open') found.push({ cve, release, status, urgency });
    else if (status === 'resolved' && typeof fixed === 'string' && fixed !== '0' && parseDebianVersion(fixed) !== undefined)
      found.push({ cve, release, status, fixed, urgency });
  }
  return found;
}

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
