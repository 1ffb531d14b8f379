import type { Path } from '../../model/path.ts';
import { alwaysAt, isPlain, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';

/** Debian policy 9.2.2: ids that `adduser --system` gives out in the order in which packages are configured. */
const DYNAMIC_MIN = 100;
const DYNAMIC_MAX = 999;

export function isDynamicId(id: number): boolean {
  return id >= DYNAMIC_MIN && id <= DYNAMIC_MAX;
}

/** passwd(5), group(5), shadow(5), gshadow(5): how many fields, which are ids, which is not compared, which are lists of names. */
const FORMS: ReadonlyMap<string, { fields: number; own?: number; other?: number; free?: number; lists: readonly number[] }> = new Map([
  ['/etc/passwd', { fields: 7, own: 2, other: 3, lists: [] }],
  ['/etc/group', { fields: 4, own: 2, lists: [3] }],
  ['/etc/shadow', { fields: 9, free: 2, lists: [] }],
  ['/etc/gshadow', { fields: 4, lists: [2, 3] }],
]);
const FILES = [...FORMS.keys()];

type Account = { id?: number; text: string; group?: number };

/** Accounts by name; undefined where a line has another form, or a name or an own id stands twice. */
function accounts(side: Side, main: Path): Map<string, Account> | undefined {
  const form = FORMS.get(main);
  const lines = linesOf(side);
  if (form === undefined || lines === undefined) return undefined;
  const found = new Map<string, Account>();
  const ids = new Set<number>();
  for (const line of lines) {
    const fields = line.split(':');
    const name = fields[0] ?? '';
    if (fields.length !== form.fields || name === '' || found.has(name)) return undefined;
    const account: Account = { text: '' };
    for (const index of form.lists) fields[index] = (fields[index] ?? '').split(',').sort().join(',');
    if (form.free !== undefined) {
      if (!/^\d*$/.test(fields[form.free] ?? '')) return undefined;
      fields[form.free] = '';
    }
    for (const [index, key] of [
      [form.own, 'id'],
      [form.other, 'group'],
    ] as const) {
      if (index === undefined) continue;
      if (!/^\d{1,10}$/.test(fields[index] ?? '')) return undefined;
      const id = Number(fields[index]);
      account[key] = id;
      if (isDynamicId(id)) fields[index] = 'dynamic';
    }
    if (account.id !== undefined) {
      if (ids.has(account.id)) return undefined;
      ids.add(account.id);
    }
    account.text = fields.join(':');
    found.set(name, account);
  }
  return found;
}

function regenerates(published: Side, reinstalled: Side, context: RuleContext): boolean {
  const { path } = published.facts;
  const backup = path.endsWith('-');
  const main = backup ? path.slice(0, -1) : path;
  const made = accounts(published, main);
  const against = backup ? context.neighbour('other', main) : reinstalled;
  const expected = against === undefined ? undefined : accounts(against, main);
  if (made === undefined || expected === undefined) return false;
  // The backup is the file before its last change: it holds no account that the packages do not make, and may lack some.
  if (!backup && made.size !== expected.size) return false;
  for (const [name, account] of made) {
    const other = expected.get(name);
    if (other === undefined) return false;
    // The member that came last stands in the file and not yet in its backup.
    if (
      account.text !== other.text &&
      !(backup && main !== '/etc/passwd' && main !== '/etc/shadow' && isPrefixOfMembers(account.text, other.text))
    )
      return false;
    if (account.group !== undefined && other.group !== undefined && !context.sameGroup(account.group, other.group)) return false;
  }
  return true;
}

function isPrefixOfMembers(earlier: string, later: string): boolean {
  const a = earlier.split(':');
  const b = later.split(':');
  return (
    a.length === b.length &&
    a.every((field, index) => field.split(',').every((name) => name === '' || (b[index] ?? '').split(',').includes(name)))
  );
}

export const packageAccounts: Rule = {
  name: 'accounts',
  version: 1,
  reason:
    'packages make the same accounts whatever order they come in; ids from 100 to 999 are given out in that order, and shadow(5) notes the day. Names, other ids, shells, homes, members and passwords are compared',
  applies: alwaysAt(...FILES, ...FILES.map((path) => `${path}-`)),
  admits: (facts) => isPlain(facts) && facts.uid === 0,
  regenerates,
};
