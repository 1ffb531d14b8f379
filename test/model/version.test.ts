import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { compareDebianVersions, parseDebianVersion } from '../../src/model/debian-version.ts';
import { debianVersionKey } from '../../src/model/debian-version-key.ts';

/** The same numbers at each run: a linear congruential generator. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PARTS = ['0', '00', '1', '9', '10', '010', '2024', 'a', 'A', 'rc', '~', '~~', '~rc', '+', '+b', '+deb12u', '.', '..', '.0', '-', '-0', '-1', '+dfsg', '~bpo12+', 'g3f', 'z', 'Z', ':']; // prettier-ignore
const KNOWN = [
  ['1.0', '1.0-0'],
  ['1.0-0', '1.0-00'],
  ['1:0', '1'],
  ['0:1', '1'],
  ['1.0~rc1', '1.0'],
  ['1.0~~', '1.0~'],
  ['1.0~', '1.0'],
  ['2.36-9+deb12u10', '2.36-9+deb12u9'],
  ['1.22.1-9', '1.22.1-9+b1'],
  ['1.2.3-1', '1.2-3-1'],
  ['1a', '1A'],
  ['1+', '1a'],
  ['1.', '1'],
  ['09', '9'],
  ['1-1~bpo12+1', '1-1'],
  ['99999999999999999999', '100000000000000000000'],
] as const;

test('the order is that of dpkg --compare-versions', () => {
  const random = makeRandom(20240607);
  const one = (): string => {
    let text = random(6) === 0 ? `${random(3)}:` : '';
    text += random(20);
    for (let count = random(6); count > 0; count--) text += PARTS[random(PARTS.length)];
    return text;
  };
  const pairs: (readonly [string, string])[] = [...KNOWN];
  while (pairs.length < 700) {
    const a = one();
    const b = random(2) === 0 ? one() : a + PARTS[random(PARTS.length)]!;
    if (parseDebianVersion(a) !== undefined && parseDebianVersion(b) !== undefined) pairs.push([a, b]);
  }
  // One shell for all pairs; dpkg itself is started once or twice for each.
  const script = 'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" eq "$b"; then echo 0; else echo 1; fi; done'; // prettier-ignore
  const { stdout, stderr } = spawnSync('sh', ['-c', script], {
    input: pairs.map((pair) => `${pair.join(' ')}\n`).join(''),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const expected = stdout.trim().split('\n').map(Number);
  assert.equal(expected.length, pairs.length);
  for (const [i, [a, b]] of pairs.entries()) {
    assert.equal(compareDebianVersions(a, b), expected[i], `${a} and ${b}`);
    assert.equal(compareDebianVersions(b, a), 0 - expected[i]!, `${b} and ${a}`);
  }
});

/**
 * A list in our order, held against dpkg pair by pair of neighbours: dpkg's order is one, so this settles every pair of the list
 * for one run of dpkg each.
 */
test('thousands of versions, made up and real, stand in the order of dpkg', () => {
  const random = makeRandom(7);
  const made = new Set<string>();
  while (made.size < 1500) {
    let text = `${random(8) === 0 ? `${random(3)}:` : ''}${random(4)}`;
    for (let count = random(8); count > 0; count--) text += PARTS[random(PARTS.length)];
    if (parseDebianVersion(text) !== undefined) made.add(text);
  }
  const real = spawnSync('dpkg-query', ['-W', '-f', '${Version}\n${source:Version}\n'], { encoding: 'utf8' }).stdout.trim().split('\n');
  assert.ok(real.length > 50);
  const sorted = [...new Set([...made, ...real])].sort(compareDebianVersions);
  const pairs = sorted.slice(1).map((version, index) => [sorted[index]!, version] as const);
  const operators = pairs.map(([a, b]) => (compareDebianVersions(a, b) === 0 ? 'eq' : 'lt'));
  const script = 'while read -r a op b; do dpkg --compare-versions "$a" $op "$b" || echo "$a $op $b"; done';
  const input = pairs.map(([a, b], index) => `${a} ${operators[index]} ${b}\n`).join('');
  assert.equal(spawnSync('sh', ['-c', script], { input, encoding: 'utf8' }).stdout, '');
  assert.ok(operators.includes('eq'));

  // The keys stand in the same order: all neighbours against dpkg, and a million of other pairs against our comparison.
  const keys = sorted.map((version) => Buffer.from(debianVersionKey(version)));
  for (const [index, operator] of operators.entries())
    assert.equal(Buffer.compare(keys[index]!, keys[index + 1]!), operator === 'eq' ? 0 : -1, pairs[index]!.join(' '));
  for (let turn = 0; turn < 1_000_000; turn++) {
    const [i, j] = [random(sorted.length), random(sorted.length)];
    if (Buffer.compare(keys[i]!, keys[j]!) !== compareDebianVersions(sorted[i]!, sorted[j]!)) assert.fail(`${sorted[i]} and ${sorted[j]}`);
  }
});

test('keys of versions at the limits, and of none', () => {
  const key = (text: string): Buffer => Buffer.from(debianVersionKey(text));
  const long = '9'.repeat(300);
  const ascending = ['', '0~', '0', '254:0', '255:0', '256:0', '2147483647:0', `2147483647:${'9'.repeat(254)}`, `2147483647:1${'0'.repeat(254)}`, `2147483647:${long}`, `2147483647:1${long}`]; // prettier-ignore
  for (const [index, text] of ascending.slice(1).entries()) assert.equal(Buffer.compare(key(ascending[index]!), key(text)), -1, text);
  for (const none of ['', '-', '1-', 'a', 'é1', '1:']) assert.equal(key(none).length, 0, none);
});

test('what is no version is none', () => {
  for (const text of [
    '',
    ' ',
    'a',
    '-1',
    ':1',
    '1:',
    'a:1',
    '1-',
    '-',
    '1 2',
    '1_2',
    '1/2',
    '1\n',
    '99999999999:1',
    '2147483648:1',
    'é1',
    '1-a_b',
  ])
    assert.equal(parseDebianVersion(text), undefined, JSON.stringify(text));
  assert.throws(() => compareDebianVersions('1', ''), SyntaxError);
  assert.deepEqual(parseDebianVersion('1:2.3-4-5+b1'), { epoch: 1, upstream: '2.3-4', revision: '5+b1' });
  assert.deepEqual(parseDebianVersion('2:3:4'), { epoch: 2, upstream: '3:4', revision: '' });
});
