import { alwaysAt, equalBy, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';

const LOG_TIME = /^Log (?:started|ended): \d{4}-\d\d-\d\d {1,2}\d\d:\d\d:\d\d$/;
/** Lines of maintainer scripts that differ in every run, each cut to what does not. */
const VARYING: readonly [RegExp, string][] = [
  [
    /^(Local time is now: {6}|Universal Time is now: {2})[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:[A-Z]{2,5} )?\d{4}\.$/,
    '$1<time>',
  ], // tzdata
  [/^(\d+) SHA256:[A-Za-z0-9+/]{43} \S+ \((RSA|ECDSA|ED25519|DSA)\)$/, '$1 <fingerprint> ($2)'], // openssh-server
  [/^(\(Reading database \.\.\. )\d+( files and directories currently installed\.\))$/, '$1<count>$2'],
];

/** What the terminal showed, without times; a single line that differs otherwise is a difference. */
function lines(side: Side, { drifted }: Pick<RuleContext, 'drifted'>): string[] | undefined {
  const all = linesOf(side);
  if (all === undefined) return undefined;
  const kept: string[] = [];
  for (const raw of all) {
    // dpkg's progress is written over itself with carriage returns: what was left standing counts.
    const line = raw.slice(raw.lastIndexOf('\r', raw.length - 2) + 1).trimEnd();
    if (LOG_TIME.test(line)) continue;
    if (drifted.size > 0 && mentions(line, drifted)) continue;
    kept.push(VARYING.reduce((text, [pattern, by]) => text.replace(pattern, by), line));
  }
  return kept;
}

const DPKG_LINE =
  /^(?:Selecting previously unselected package|Preparing to unpack \S*\/|Unpacking|Setting up|Processing triggers for|Removing|Purging configuration files for) ?([a-z0-9][a-z0-9+.-]*)/;

function mentions(line: string, drifted: ReadonlySet<string>): boolean {
  const name = DPKG_LINE.exec(line)?.[1];
  return name !== undefined && drifted.has(name);
}

export const aptTerm: Rule = {
  name: 'apt-term',
  version: 1,
  reason:
    'apt writes when each run began and ended, and some maintainer scripts print times and key fingerprints; every other line is compared',
  applies: alwaysAt('/var/log/apt/term.log'),
  equal: equalBy(lines),
  form: (side) => linesOf(side)?.some((line) => LOG_TIME.test(line)) === true,
};
