import { alwaysAt, equalBy, isPlain, linesOf, type Rule, type Side } from './rule.ts';

/** shadow(5): nine fields; the third is the day of the last change of the password. */
function withoutLastChange(side: Side): string[] | undefined {
  const lines = linesOf(side);
  if (lines === undefined) return undefined;
  const kept: string[] = [];
  for (const line of lines) {
    const fields = line.split(':');
    if (fields.length !== 9 || !/^\d*$/.test(fields[2] ?? '')) return undefined;
    fields[2] = '';
    kept.push(fields.join(':'));
  }
  return kept;
}

export const shadowLastChange: Rule = {
  name: 'shadow-last-change',
  version: 1,
  reason: 'shadow(5), field 3, is the day an account was made; every other field is compared, the passwords above all',
  applies: alwaysAt('/etc/shadow', '/etc/shadow-'),
  admits: (facts) => isPlain(facts) && facts.uid === 0 && (facts.mode & 0o007) === 0,
  equal: equalBy(withoutLastChange),
};
