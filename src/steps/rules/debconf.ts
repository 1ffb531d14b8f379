import { alwaysAt, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';
import { sameButHostName } from './host-name.ts';

const FOLDER = '/var/cache/debconf/';
const NAMES = ['config.dat', 'templates.dat'] as const;
type Item = ReadonlyMap<string, string>;

/** debconf-devel(7), the database as text: stanzas by name, fields by name; undefined where a line is neither or a name stands twice. */
function items(side: Side | undefined): Map<string, Item> | undefined {
  const lines = side === undefined ? undefined : linesOf(side);
  if (lines === undefined) return undefined;
  const found = new Map<string, Item>();
  let item = new Map<string, string>();
  let last = '';
  for (const line of [...lines, '']) {
    if (line === '') {
      const name = item.get('Name');
      if (name !== undefined && !found.has(name)) found.set(name, item);
      else if (item.size > 0) return undefined;
      item = new Map();
      continue;
    }
    const [, field, value = ''] = /^([A-Za-z][A-Za-z0-9_.@-]*): ?(.*)$/.exec(line) ?? [];
    if (field !== undefined) item.set((last = field), value);
    else if (line.startsWith(' ') && item.has(last)) item.set(last, `${item.get(last)}\n${line}`);
    else return undefined;
  }
  return found;
}

/** Whether anybody was asked, which depends on the terminal of the build. */
const FLAGS: ReadonlySet<string> = new Set(['seen', 'changed', 'run']);

const words = (list: string | undefined): string[] => (list ?? '').split(/,\s*/).filter((word) => word !== '');

/** The same question with the same answer. The name of the machine may be an answer, and an earlier state has fewer owners. */
function sameItem(made: Item, expected: Item, earlier: boolean): boolean {
  for (const [field, value] of made) {
    const other = expected.get(field);
    if (value === other) continue;
    if (field === 'Flags' && words(value).every((word) => FLAGS.has(word))) continue;
    if (field === 'Owners') {
      const all = words(other);
      const own = words(value);
      if (!own.every((word) => all.includes(word)) || (!earlier && own.length !== all.length)) return false;
    } else if (other === undefined || field !== 'Value' || !sameButHostName([value], [other])) return false;
  }
  return earlier || [...expected.keys()].every((field) => made.has(field) || field === 'Flags');
}

function regenerates(published: Side, reinstalled: Side, context: RuleContext): boolean {
  const { path } = published.facts;
  const earlier = path.endsWith('-old');
  const made = items(published);
  const expected = items(earlier ? context.neighbour('other', path.slice(0, -'-old'.length)) : reinstalled);
  if (made === undefined || expected === undefined || (!earlier && made.size !== expected.size)) return false;
  return [...made].every(([name, item]) => {
    const other = expected.get(name);
    return other !== undefined && sameItem(item, other, earlier);
  });
}

export const debconfDatabase: Rule = {
  name: 'debconf',
  version: 1,
  reason:
    "debconf's questions and answers in whatever order packages asked them; every answer is compared, but for the builder's own name; whether anybody was asked is not. The copies named -old are the state before the last change, and may hold less",
  applies: alwaysAt(...NAMES.flatMap((name) => [`${FOLDER}${name}`, `${FOLDER}${name}-old`])),
  admits: ({ kind, mode, uid, gid, xattrs, magic }) =>
    kind === 'file' && mode === 0o644 && uid === 0 && gid === 0 && xattrs === undefined && magic === undefined,
  regenerates,
};
