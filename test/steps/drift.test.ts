import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../src/steps/judge.ts';
import { answer } from '../support/answer.ts';
import { change, honest, judgeInputs, reinstalledFiles } from '../support/judge-inputs.ts';

test('drift of the source: different, with the files traced to the other commit', () => {
  const commit = 'd'.repeat(40);
  const history = [
    { path: 'page.html', text: '<h1>Old</h1>', commit },
    { path: 'run.sh', text: '#!/bin/sh\nexec nginx -g old\n', commit },
  ];
  const published = change(honest(), {
    '/srv/page.html': '<h1>Old</h1>',
    '/usr/local/bin/run.sh': { text: '#!/bin/sh\nexec nginx -g old\n', mode: 0o755, magic: 'script' },
  });
  const { verdict, differences } = judge(judgeInputs({ published, history }));
  assert.equal(verdict.result, 'different');
  assert.deepEqual(
    differences.filter(({ cause }) => cause === 'source-drift').map(({ path }) => path),
    ['/srv/page.html', '/usr/local/bin/run.sh'],
  );
  const finding = verdict.findings.find(({ code }) => code === 'source-drift');
  assert.ok(finding?.message.includes(commit));
  // The same bytes with a setuid bit, or where nobody would copy them to, are no drift.
  const setuid = change(published, { '/usr/local/bin/run.sh': { text: '#!/bin/sh\nexec nginx -g old\n', mode: 0o4755, magic: 'script' } });
  assert.equal(judge(judgeInputs({ published: setuid, history })).verdict.result, 'suspicious');
  const moved = change(published, { '/etc/cron.d/x': '<h1>Old</h1>' });
  assert.equal(judge(judgeInputs({ published: moved, history })).verdict.result, 'suspicious');
});

test('drift of a package: explained where the published version is verified, and only then', () => {
  const status = (version: string) => `Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`;
  const log = '2026-01-03 10:00:00 install nginx:amd64 <none> 1.22.1-10\n';
  const rebuilt = change(honest('2'), {
    '/usr/sbin/nginx': { text: 'nginx 10', mode: 0o755, magic: 'elf' },
    '/var/lib/dpkg/status': status('1.22.1-10'),
    '/var/log/dpkg.log': log,
  });
  const { verdict, differences } = judge(judgeInputs({ rebuilt }));
  assert.equal(verdict.result, 'explained');
  assert.equal(verdict.auditable, 'yes');
  assert.deepEqual(
    differences.map(({ path, cause }) => [path, cause]),
    [
      ['/usr/sbin/nginx', 'package-drift'],
      ['/var/lib/dpkg/status', 'normalised'],
      ['/var/log/dpkg.log', 'normalised'],
    ],
  );
  // A version that the archive no longer has: no account, no accusation. A file that no version has is one.
  const gone = { rebuilt, unverified: ['nginx'], reinstalled: change(reinstalledFiles(), { '/usr/sbin/nginx': undefined }) };
  assert.deepEqual([answer(gone).result, answer(gone).auditable], ['different', 'no']);
  const helper = change(honest(), { '/usr/lib/helper': { text: 'x', mode: 0o755, magic: 'elf' } });
  assert.equal(answer({ ...gone, published: helper }).result, 'suspicious');
  const replaced = change(honest(), { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } });
  assert.equal(answer({ rebuilt, published: replaced }).result, 'suspicious');
  const edited = change(rebuilt, {
    '/usr/share/nginx/html/index.html': 'ours',
    '/usr/bin/python3': { text: 'ours', mode: 0o755, magic: 'elf' },
  });
  assert.equal(answer({ rebuilt: edited }).result, 'different', 'a package that did not move explains nothing');
});
