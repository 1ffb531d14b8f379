import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textDiff } from '../../src/steps/text-diff.ts';

const diff = (before: string, after: string): string | undefined => textDiff(Buffer.from(before), Buffer.from(after));

test('what was edited, as hunks of a unified diff', () => {
  assert.equal(diff('a\nb\nc\nd\ne\n', 'a\nb\nC\nd\ne\n'), '@@ -2,3 +2,3 @@\n b\n-c\n+C\n d');
  assert.equal(diff('a\n', ''), '@@ -1,1 +0,0 @@\n-a');
  assert.equal(diff('a\n', 'a'), '@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file');
});

test('hostile text: nothing that a terminal obeys, and nothing without bounds', () => {
  assert.equal(diff('a\n', 'a\n\x1b[31m\u202eb\\\n'), '@@ -1,1 +1,2 @@\n a\n+\\x1b[31m\\xe2\\x80\\xaeb\\x5c');
  assert.equal(diff('a\n', 'a\0\n'), undefined, 'no text');
  assert.equal(textDiff(Buffer.from('a'), Buffer.from([0xff])), undefined, 'no UTF-8');
  const lines = (count: number, word: string): string => Array.from({ length: count }, (_, index) => `${word}${index}`).join('\n');
  assert.equal(diff(lines(20_000, 'a'), lines(20_000, 'b')), undefined, 'nothing in common');
  assert.equal(diff('', 'x'.repeat(1_000_000)), undefined, 'too large');
  const shown = diff('', `${lines(200, 'x')}\n${'y'.repeat(1000)}`) ?? '';
  assert.ok(shown.split('\n').length <= 61 && shown.endsWith('more lines') && shown.length < 20_000, shown.slice(-100));
});
