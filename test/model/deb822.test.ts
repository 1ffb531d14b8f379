import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStanza, readStanzas, splitStanzas } from '../../src/model/deb822.ts';

const read = (text: string): Record<string, string> => Object.fromEntries(parseStanza(text));

test('a stanza is a map of lower-case names', () => {
  const cases: [string, Record<string, string>][] = [
    ['Package: a\nVersion: 1\n', { package: 'a', version: '1' }],
    ['PACKAGE:a', { package: 'a' }],
    ['Empty:\nNext: x\n', { empty: '', next: 'x' }],
    ['Conffiles:\n /etc/a 00\n /etc/b 11 obsolete  \n', { conffiles: '\n/etc/a 00\n/etc/b 11 obsolete' }],
    ['Description: short\n long\n .\n\tmore\n', { description: 'short\nlong\n.\nmore' }],
    ['# a comment\nA: 1\n# another\n 2\n', { a: '1\n2' }],
    ['Date: Sat, 11 Jul 2026 10:16:37 UTC\n', { date: 'Sat, 11 Jul 2026 10:16:37 UTC' }],
    ['__proto__: x\n', { ['__proto__']: 'x' }],
  ];
  for (const [text, expected] of cases) assert.deepEqual(Object.entries(read(text)), Object.entries(expected), JSON.stringify(text));
});

test('what deb822 does not allow is refused', () => {
  const many = Array.from({ length: 300 }, (_, i) => `F${i}: x\n`).join('');
  const cases = ['no colon', ' continued first', 'A: 1\na: 2\n', 'A: 1\nno colon\nB: 2', ': x', '-----BEGIN: x', 'Näme: x', many];
  for (const text of cases) assert.throws(() => parseStanza(text), SyntaxError, JSON.stringify(text.slice(0, 40)));
  assert.throws(() => parseStanza(`A: ${'x'.repeat(5_000_000)}`), SyntaxError);
});

test('fields that are not asked for are checked and dropped', () => {
  assert.deepEqual([...parseStanza('A: 1\nB: 2\n more\nC: 3\n', new Set(['a', 'c']))], [['a', '1'], ['c', '3']]); // prettier-ignore
  assert.throws(() => parseStanza('A: 1\nB: 2\nB: 3\n', new Set(['a'])), SyntaxError);
});

test('stanzas are cut at blank lines, also at lines of blanks', () => {
  assert.deepEqual([...splitStanzas('A: 1\n\n\nB: 2\n \t\nC: 3')].map(read), [{ a: '1' }, { b: '2' }, { c: '3' }]);
  assert.deepEqual([...splitStanzas('\n\n')], []);
});

test('a stream gives the same stanzas however it is cut', async () => {
  const bytes = Buffer.from('Package: a\nVersion: 1\nMaintainer: é\n\nPackage: b\nVersion: 2\n\n\nPackage: c\n');
  for (const step of [1, 2, 3, 7, 1000]) {
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
    }
    const seen: unknown[] = [];
    for await (const stanza of readStanzas(chunks())) seen.push(Object.fromEntries(stanza));
    assert.deepEqual(seen, [{ package: 'a', version: '1', maintainer: 'é' }, { package: 'b', version: '2' }, { package: 'c' }]);
  }
});

test('a stream without an end of its stanza does not fill the memory', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('A: 1\n');
    for (;;) yield Buffer.alloc(1 << 20, ' x\n');
  }
  await assert.rejects(async () => {
    for await (const _ of readStanzas(endless()));
  }, SyntaxError);
});
