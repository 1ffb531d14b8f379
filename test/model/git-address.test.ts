import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GitAddress, parseGitAddress } from '../../src/model/git-address.ts';
import { relativeTo, withinTree } from '../../src/model/tree-path.ts';

test('addresses of repositories', () => {
  const cases: [text: string, expected: GitAddress | undefined][] = [
    ['https://github.com/a/b.git', { url: 'https://github.com/a/b.git' }],
    ['https://github.com/a/b.git#refs/heads/main', { url: 'https://github.com/a/b.git', ref: 'refs/heads/main' }],
    ['https://github.com/a/b.git#v1:c/d', { url: 'https://github.com/a/b.git', ref: 'v1', subdir: 'c/d' }],
    ['https://github.com/a/b.git#:c', { url: 'https://github.com/a/b.git', subdir: 'c' }],
    ['https://github.com/a/b.git?branch=x&subdir=c', { url: 'https://github.com/a/b.git', ref: 'x', subdir: 'c' }],
    ['git+https://github.com/a/b@refs/tags/v1', { url: 'https://github.com/a/b', ref: 'refs/tags/v1' }],
    ['git+ssh://git@github.com/a/b.git', { url: 'https://github.com/a/b.git' }],
    ['git@gitlab.com:a/b/c.git#main', { url: 'https://gitlab.com/a/b/c.git', ref: 'main' }],
    ['ssh://git@example.org:2222/a/b', { url: 'https://example.org/a/b' }],
    ['github.com/a/b', { url: 'https://github.com/a/b' }],
    ['https://github.com/a/%zz.git#%zz', { url: 'https://github.com/a/%zz.git', ref: '%zz' }],
    ['git://example.org/a', undefined],
    ['file:///etc', undefined],
    ['ext::sh -c id', undefined],
    ['https://me@example.org/a', undefined],
    ['https://:secret@example.org/a', undefined],
    [`https://example.org/${'a'.repeat(3000)}`, undefined],
    ['https://example.org/a\nb', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parseGitAddress(text), expected, text);
});

test('paths within a tree', () => {
  assert.deepEqual(['./a//b/', '', '.', '/a', '..', 'a/../b', '..a'].map(withinTree), [
    'a/b',
    '',
    '',
    undefined,
    undefined,
    undefined,
    '..a',
  ]);
  assert.equal(relativeTo('a/b', 'a/c/D'), '../c/D');
  assert.equal(relativeTo('', 'D'), 'D');
  assert.equal(relativeTo('a', 'a/D'), 'D');
  assert.equal(relativeTo('..', 'D'), undefined);
});
