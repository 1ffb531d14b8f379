import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '../../src/model/json.ts';
import { judge } from '../../src/steps/judge.ts';
import { answer } from '../support/answer.ts';
import { byproducts, change, CONFIG, honest, judgeInputs } from '../support/judge-inputs.ts';
import type { FileSpec } from '../support/packaged-image.ts';

test('the honest image: equivalent, auditable, and not a word against it', () => {
  const { verdict, account, differences } = judge(judgeInputs());
  assert.equal(verdict.result, 'equivalent');
  assert.equal(verdict.auditable, 'yes', verdict.summary);
  assert.deepEqual(verdict.findings, []);
  const of = (path: string) => account.find((line) => line.path === path);
  assert.equal(of('/usr/sbin/nginx')?.attribution, 'debian-official');
  assert.equal(of('/usr/bin/crontab')?.attribution, 'debian-generated');
  assert.equal(of('/srv/page.html')?.attribution, 'source');
  assert.deepEqual(of('/usr/local/bin/run.sh')?.evidence, { sourcePath: 'run.sh', revision: 'c'.repeat(40) });
  assert.equal(of('/var/log/dpkg.log')?.attribution, 'volatile');
  assert.equal(of('/usr/local')?.attribution, 'rebuilt');
  assert.equal(
    Object.values(verdict.coverage.files).reduce((a, b) => a + b),
    account.length,
  );
  assert.deepEqual(
    differences.map(({ path, rule }) => [path, rule]),
    [['/var/log/dpkg.log', 'dpkg-log@1']],
  );
});

test('no source: not comparable, and every file has its account all the same', () => {
  const { verdict, account } = judge(judgeInputs({ rebuilt: false, source: false }));
  assert.equal(verdict.result, 'not-comparable');
  assert.equal(verdict.reason, 'no-source');
  assert.equal(account.length, Object.keys(honest()).length);
  assert.deepEqual(
    account.filter(({ attribution }) => attribution === 'unexplained').map(({ path }) => path),
    ['/srv/page.html', '/usr/local', '/usr/local/bin', '/usr/local/bin/run.sh'],
  );
  assert.equal(account.find(({ path }) => path === '/var/log/dpkg.log')?.attribution, 'volatile');
  const replaced = answer({
    rebuilt: false,
    source: false,
    published: change(honest(), { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } }),
  });
  assert.equal(replaced.result, 'not-comparable');
  assert.equal(replaced.auditable, 'no');
  assert.ok(replaced.codes.includes('critical packaged-file-replaced'));
});

test('a failed rebuild is not an accusation', () => {
  const { verdict } = judge(judgeInputs({ rebuilt: false }));
  assert.equal(verdict.result, 'not-comparable');
  assert.equal(verdict.reason, 'build-failed');
  assert.equal(verdict.auditable, 'yes');
  assert.match(verdict.summary, /error: no$/);
  assert.deepEqual(
    verdict.findings.map(({ code }) => code),
    ['content-not-compared', 'rebuild-failed'],
  );
});

test('without a rebuild, bytes of the source count only where their name and place fit', () => {
  const script: FileSpec = { text: '#!/bin/sh\nexec nginx\n', mode: 0o755, magic: 'script' };
  const rows: [path: string, spec: FileSpec, attribution: string][] = [
    ['/opt/run.sh', script, 'source'],
    ['/opt/other.sh', script, 'unexplained'],
    ['/etc/cron.d/run.sh', script, 'unexplained'],
    ['/opt/run.sh', { ...(script as object), mode: 0o4755 }, 'unexplained'],
  ];
  for (const [path, spec, attribution] of rows) {
    const { account } = judge(judgeInputs({ rebuilt: false, published: change(honest(), { [path]: spec }) }));
    assert.equal(account.find((line) => line.path === path)?.attribution, attribution, path);
  }
});

test('with neither rebuild nor re-installation too little is known to accuse', () => {
  const { verdict } = judge(judgeInputs({ rebuilt: false, source: false, reinstalled: false }));
  assert.equal(verdict.auditable, 'unknown');
  assert.ok(verdict.findings.every(({ severity }) => severity !== 'critical'));
  assert.equal(
    answer({
      rebuilt: false,
      source: false,
      reinstalled: false,
      published: change(honest(), { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } }),
    }).auditable,
    'no',
  );
});

test('identical, and identical layers', () => {
  assert.equal(answer({ published: honest('2'), sameManifest: true }).result, 'identical');
  assert.equal(answer({ published: honest('2'), layers: ['one', 'one'] }).result, 'layers-identical');
  assert.equal(answer({ published: honest('2'), layers: ['one', 'one'], config: { ...CONFIG, Cmd: ['evil'] } }).result, 'suspicious');
});

test('the same documents give the same bytes', () => {
  const write = () => {
    const { account, differences, state } = judge(
      judgeInputs({ published: change(honest(), { '/usr/lib/x': { text: 'x', mode: 0o4755 } }) }),
    );
    return canonicalJson([account, differences, state(byproducts)]);
  };
  assert.equal(write(), write());
});
