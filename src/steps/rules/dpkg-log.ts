import { alwaysAt, equalBy, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';

const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /;
const VERSION = '(?:<none>|[A-Za-z0-9.+~:-]+)';
const PACKAGE = '([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?';
/** dpkg(1), "--log": the forms a line has behind its time. */
const ACTION = new RegExp(
  `^(?:startup (?:archives (?:unpack|install)|packages (?:configure|purge|remove|triggers-only)|triggers-only)` +
    `|status [a-z-]+ ${PACKAGE} ${VERSION}` +
    `|(?:install|upgrade|trigproc|configure|triggers-only|disappear|remove|purge|triggers) ${PACKAGE} ${VERSION}(?: ${VERSION})?` +
    `|conffile \\S+ (?:install|keep))$`,
);

/** What was done, without when; undefined where a line is none of dpkg's. */
function actions(side: Side, { drifted }: Pick<RuleContext, 'drifted'>): string[] | undefined {
  const lines = linesOf(side);
  if (lines === undefined) return undefined;
  const done: string[] = [];
  for (const line of lines) {
    const action = TIME.test(line) ? line.slice(20) : '';
    const match = ACTION.exec(action);
    if (match === null) return undefined;
    const name = match[1] ?? match[2];
    // Which packages are configured in one run depends on versions: the runs are left out where a package moved on.
    if (drifted.size > 0 && (name === undefined || drifted.has(name) || action.startsWith('trigproc ') || action.startsWith('status ')))
      continue;
    done.push(action);
  }
  return done;
}

export const dpkgLog: Rule = {
  name: 'dpkg-log',
  version: 1,
  reason: 'dpkg writes the time of each action; what it did, to which package in which version and order, is compared',
  applies: alwaysAt('/var/log/dpkg.log'),
  equal: equalBy(actions),
  form: (side, context) => actions(side, context) !== undefined,
};
