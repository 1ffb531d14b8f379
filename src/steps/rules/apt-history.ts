import { alwaysAt, equalBy, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';

const TIME = /^(?:Start|End)-Date: \d{4}-\d\d-\d\d {1,2}\d\d:\d\d:\d\d$/;
const FIELD = /^(Commandline|Requested-By|Comment|Error|Install|Reinstall|Upgrade|Downgrade|Remove|Purge): (.+)$/;
const PACKAGES: ReadonlySet<string> = new Set(['Install', 'Reinstall', 'Upgrade', 'Downgrade', 'Remove', 'Purge']);
const ITEM = /^([a-z0-9][a-z0-9+.-]*):[a-z0-9-]+ \([A-Za-z0-9.+~:-]+(?:, [A-Za-z0-9.+~:-]+)?(?:, automatic)?\)$/;

/** Commands and packages in the order of the log; apt lists the packages of one run in the order of a hash table: sorted here. */
function runs(side: Side, { drifted }: Pick<RuleContext, 'drifted'>): string[] | undefined {
  const lines = linesOf(side);
  if (lines === undefined) return undefined;
  const done: string[] = [];
  for (const line of lines) {
    if (line === '' || TIME.test(line)) continue;
    const match = FIELD.exec(line);
    if (match === null) return undefined;
    const [, field = '', value = ''] = match;
    if (!PACKAGES.has(field)) {
      done.push(line);
      continue;
    }
    const items = value.split(/(?<=\)), /);
    if (!items.every((item) => ITEM.test(item))) return undefined;
    const kept = items.filter((item) => !drifted.has(ITEM.exec(item)?.[1] ?? '')).sort();
    if (kept.length > 0) done.push(`${field}: ${kept.join(', ')}`);
  }
  return done;
}

export const aptHistory: Rule = {
  name: 'apt-history',
  version: 1,
  reason: 'apt writes when each run began and ended; the commands and the packages with their versions are compared',
  applies: alwaysAt('/var/log/apt/history.log'),
  equal: equalBy(runs),
  form: (side, context) => runs(side, context) !== undefined,
};
