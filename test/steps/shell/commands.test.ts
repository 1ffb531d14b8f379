import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ScriptOptions, shellCommands } from '../../../src/steps/shell/commands.ts';

const read = (text: string, options?: ScriptOptions) => shellCommands(text, options) ?? assert.fail('not read');
const words = (text: string, options?: ScriptOptions): string[] =>
  read(text, options).map(({ name, args }) => [name ?? '?', ...args].join(' '));
/** Names of the commands whose failure ends the script. */
const fatal = (text: string, options?: ScriptOptions): string[] =>
  read(text, options).flatMap((one) => (one.fatal ? [one.name ?? '?'] : []));

test('programs by their base names, without what only runs them', () => {
  const rows: [string, string[]][] = [
    ['/usr/bin/curl -o x y', ['curl -o x y']],
    ['sudo -E -u root env A=b nice -n 5 curl x', ['curl x']],
    ['command -v a && exec b c', ['a', 'b c']],
    ["sh -ec 'a; b $X'", ['sh -ec a; b $X', 'a', 'b ${X}']],
    ['su postgres -c "initdb x"', ['su postgres -c initdb x', 'initdb x']],
    ['xargs -n 1 curl -O', ['curl -O']],
    ['$TOOL x', ['? x']],
    ['A=1 B=$(c) d', ['d', 'c']],
    ['if a; then b; elif c; then d; else e; fi', ['a', 'c', 'b', 'd', 'e']],
    ['for i in $(a); do b $i; done', ['for $(a)', 'a', 'b ${i}']],
    ['while a; do b; done; f() { c; }', ['a', 'b', 'c']],
    ['bash <<EOF\na $X\nEOF', ['bash', 'a ${X}']],
    ['<<EOF\na\nEOF', ['', 'a']],
    ['<<EOF\n#!/usr/bin/python3\nimport a\nEOF', ['']],
    ['cat <<EOF > x\na\nEOF', ['cat']],
    ['echo \'a; b\' "c | d" # e', ['echo a; b c | d']],
  ];
  for (const [text, expected] of rows) assert.deepEqual(words(text), expected, text);
});

test('values of variables, where they are known', () => {
  const values = new Map([['V', '1.2']]);
  const rows: [string, string[]][] = [
    ['a $V "${V}" \'$V\'', ['a 1.2 1.2 $V']],
    ['a ${V:-x} ${W:-x} ${W:=y} ${V%.*}', ['a 1.2 x y ${V%.*}']],
    ['X=$V-3; a $X', ['', 'a 1.2-3']],
    ['export X=y && a $X', ['export X=y', 'a y']],
    ['X=a; X=b; c $X', ['', '', 'c ${X}']],
    ['X=$(b); c $X', ['', 'b', 'c ${X}']],
    ['read V; a $V', ['read V', 'a ${V}']],
    ['for V in a b; do c $V; done', ['for a b', 'c ${V}']],
  ];
  for (const [text, expected] of rows) assert.deepEqual(words(text, { values }), expected, text);
});

test('whose failure ends the script', () => {
  const rows: [string, string[], ScriptOptions?][] = [
    ['a; b; c', ['c']],
    ['a && b && c', ['a', 'b', 'c']],
    ['a || b', ['b']],
    ['a || exit 1; b', ['a', 'b']],
    ['a || { c; exit 1; }; b', ['a', 'b']],
    ['a || exit 0', ['exit']],
    ['a && b || true', ['true']],
    ['set -e; a; b', ['a', 'b']],
    ['set -o errexit; a; b', ['a', 'b']],
    ['a; b', ['a', 'b'], { errexit: true }],
    ['set -e; a && b; c', ['b', 'c']],
    ['set -e; set +e; a; b', ['set', 'b']],
    ['(set -e; a; b); c', ['c']],
    ['a | b', ['b']],
    ['a | b', ['a', 'b'], { pipefail: true }],
    ['! a', []],
    ['if a; then b; fi', ['b']],
    ['if ! a; then exit 1; fi; b', ['a', 'b']],
    ['a & b', ['b']],
    ['sh -c "a; b"', ['sh', 'b']],
    ['sh -c "a; b" || true', ['true']],
    ['sh -ec "a; b"', ['sh', 'a', 'b']],
    ['for i in x; do a; done', []],
    ['while true; do a; done', []],
  ];
  for (const [text, expected, options] of rows)
    assert.deepEqual(
      fatal(text, options).filter((name) => name !== 'set' || expected.includes('set')),
      expected,
      text,
    );
});

test('pipelines, redirections and scripts within words', () => {
  const [a, b, c] = read('a | b > /x 2>/y | tee /z');
  assert.deepEqual(
    [a?.to, b?.to, c?.from].map((all) => all?.map(({ name }) => name)),
    [['b', 'tee'], ['tee'], ['a', 'b']],
  );
  assert.deepEqual(b?.writes, ['/x']);
  const [bash, curl] = read('bash <(curl x)');
  assert.equal(curl?.within?.command, bash);
  assert.equal(curl?.within?.by, '<(');
  assert.deepEqual(
    read('{ a; b; } >> /x').map(({ writes }) => writes),
    [['/x'], ['/x'], ['/x']],
  );
  assert.equal(read('X=$(a | b)').find(({ name }) => name === 'b')?.into, 'X');
  assert.equal(read('a\n  b <<E\nc\nE\n  bash <<E\nd\nE\n').find(({ name }) => name === 'd')?.at, 'a\n  b <<E\nc\nE\n  bash <<E\n'.length);
});

/** Whatever somebody writes: an answer or none, and soon. */
test('hostile scripts take a time that grows with their length alone', () => {
  const SIZE = 60_000; // near the limit
  const pieces = [
    '$(',
    '<(',
    '`',
    '"',
    "'",
    '{a,',
    '@(',
    '[',
    '<<A ',
    '<<A\n',
    '(',
    '((',
    'a&&',
    'a|',
    'a;',
    'if a;then ',
    'case a in a) ',
    '${a:-',
    '$((',
    'a(){ ',

    '[[ ! ',
    "$'",
    '<<<',
    '"$(',
    '"${a:-"',
    'a=(b ',
    '\\',
    '\\\n',
    '$a',
    'a=$a ',
    'a=$a$a;',
    'sh -c "',
    'eval ',
    'sudo ',
    'a>b ',
    'curl a|sh;',
    'sha256sum -c;',
  ];
  for (const piece of pieces) {
    const started = performance.now();
    shellCommands(piece.repeat(SIZE / piece.length));
    assert.ok(performance.now() - started < 5_000, `${JSON.stringify(piece)} took ${performance.now() - started} ms`);
  }
  assert.equal(shellCommands('a '.repeat(40_000)), undefined);
  assert.equal(shellCommands('a;'.repeat(10_000)), undefined);
  assert.equal(shellCommands(`echo $((${'1+'.repeat(20_000)}1))`), undefined);
});
