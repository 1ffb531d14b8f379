import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import type { HiddenEntry } from '../../../src/model/inventory.ts';
import { judge } from '../../../src/steps/judge.ts';
import { answer } from '../../support/answer.ts';
import { change, honest, judgeInputs } from '../../support/judge-inputs.ts';

test('what a lower layer holds is found, secrets above all', () => {
  const hidden = (path: string, text: string): HiddenEntry => ({
    path,
    layer: 0,
    hiddenBy: 1,
    how: 'whiteout',
    kind: 'file',
    size: text.length,
    digest: digestOf(text),
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtime: 0,
  });
  const codes = (...entries: HiddenEntry[]) => judge(judgeInputs({ hidden: entries })).verdict.findings.map(({ code }) => code);
  for (const path of [
    '/root/.ssh/id_rsa',
    '/app/.env',
    '/root/.aws/credentials',
    '/tmp/secret.txt',
    '/build/api-key',
    '/x/tls.key',
    '/root/.netrc',
  ])
    assert.deepEqual(codes(hidden(path, 'x')), ['secret-in-layer'], path);
  for (const path of ['/tmp/big.tar', '/usr/lib/python3/token.py', '/app/.env.example', '/usr/share/x/secrets.json'])
    assert.deepEqual(codes(hidden(path, 'x')), ['hidden-file'], path);
});

test('a key is known by its text wherever it stands', () => {
  const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n';
  assert.deepEqual(answer({ published: change(honest(), { '/srv/notes': key }) }).codes, [
    'high secret-in-image',
    'medium unexplained-file',
  ]);
  const open = '-----BEGIN PGP PUBLIC KEY BLOCK-----\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n';
  assert.deepEqual(answer({ published: change(honest(), { '/srv/archive.key': open }) }).codes, ['medium unexplained-file']);
});
