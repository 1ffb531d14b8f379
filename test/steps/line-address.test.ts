import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Source } from '../../src/model/rebuild.ts';
import { lineAddress } from '../../src/steps/line-address.ts';

const COMMIT = 'c'.repeat(40);
const git = (url: string, subdir?: string, commit = COMMIT): Source => ({
  location: { kind: 'git', url, commit, ...(subdir === undefined ? {} : { subdir }) },
  evidence: 'request',
});

test('a line of the Dockerfile, as each forge addresses it', () => {
  const rows: [Source, string, string | undefined][] = [
    [git('https://github.com/a/b.git'), 'Dockerfile', `https://github.com/a/b/blob/${COMMIT}/Dockerfile#L7`],
    [git('https://github.com/a/b/', './docker'), 'my file', `https://github.com/a/b/blob/${COMMIT}/docker/my%20file#L7`],
    [git('https://gitlab.com/g/h/b'), 'Dockerfile', `https://gitlab.com/g/h/b/-/blob/${COMMIT}/Dockerfile#L7`],
    [git('https://gitlab.example.org:8443/g/b.git'), 'Dockerfile', `https://gitlab.example.org:8443/g/b/-/blob/${COMMIT}/Dockerfile#L7`],
    [git('https://codeberg.org/a/b'), 'Dockerfile', `https://codeberg.org/a/b/src/commit/${COMMIT}/Dockerfile#L7`],
    [git('https://forgejo.example/a/b'), 'x/Dockerfile', `https://forgejo.example/a/b/src/commit/${COMMIT}/x/Dockerfile#L7`],
    [git('https://git.example/a/b'), 'Dockerfile', undefined],
    [git('https://github.com.evil.example/a/b'), 'Dockerfile', undefined],
    [git('https://user:secret@github.com/a/b'), 'Dockerfile', undefined],
    [git('javascript:alert(1)//github.com'), 'Dockerfile', undefined],
    [git('https://github.com/a/b', '../..'), 'Dockerfile', undefined],
    [git('https://github.com/a/b', undefined, 'main'), 'Dockerfile', undefined],
    [{ location: { kind: 'context', digest: `sha256:${'0'.repeat(64)}` }, evidence: 'request' }, 'Dockerfile', undefined],
  ];
  for (const [source, path, expected] of rows) assert.equal(lineAddress(source, path, 7), expected);
});
