import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatReference, parseReference, pinnedReference, ReferenceSyntaxError } from '../../src/model/reference.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;

describe('references', () => {
  const good: [string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['user/app', 'docker.io/user/app:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/user/app', 'docker.io/user/app:latest'],
    ['ghcr.io/a/b:1', 'ghcr.io/a/b:1'],
    [`ghcr.io/a/b:1@${digest}`, `ghcr.io/a/b:1@${digest}`],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['127.0.0.1:5000/a/b/c:t', '127.0.0.1:5000/a/b/c:t'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    ['Registry/x', 'Registry/x:latest'],
    ['a__b/c--d.e_f', 'docker.io/a__b/c--d.e_f:latest'],
    [`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`],
    ['localhost:5000', 'docker.io/library/localhost:5000'],
  ];
  for (const [text, normalised] of good) {
    it(`reads ${text.slice(0, 60)}`, () => {
      assert.equal(formatReference(parseReference(text)), normalised);
      assert.equal(formatReference(parseReference(normalised)), normalised);
    });
  }

  const bad = [
    '',
    ' nginx',
    'nginx ',
    'Nginx',
    'user/App',
    'nginx:',
    'nginx:a b',
    `nginx:${'t'.repeat(129)}`,
    'nginx@',
    'nginx@sha256:abc',
    `nginx@sha512:${'a'.repeat(128)}`,
    `nginx@${digest.toUpperCase()}`,
    `nginx@${digest}@${digest}`,
    '/nginx',
    'a//b',
    'a/',
    'a/../b',
    '-a/b',
    'a_-b',
    'http://a.b/c',
    'a.b:port/c',
    'a..b/c',
    'user:pass@a.b/c',
    'a.b/c?d',
    'a.b/c#d',
    'a.b/ä',
    'a.b/c\n',
    'a'.repeat(64), // an identifier
    `a.b/${'x'.repeat(252)}`,
    'x'.repeat(100_000),
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => assert.throws(() => parseReference(text), ReferenceSyntaxError));
  }

  it('are pinned to a digest alone', () => {
    assert.equal(pinnedReference('nginx:1', digest), `docker.io/library/nginx@${digest}`);
    assert.throws(() => pinnedReference('Nginx', digest), ReferenceSyntaxError);
  });
});
