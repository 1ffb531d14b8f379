import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import { FINDINGS } from '../../../src/model/finding-codes.ts';
import type { Anomaly } from '../../../src/model/inventory.ts';
import { judge } from '../../../src/steps/judge.ts';
import { change, honest, judgeInputs, PASSWD, GROUP, reinstalledFiles, type Setting } from '../../support/judge-inputs.ts';
import type { FileSpec } from '../../support/packaged-image.ts';

const told = (setting: Setting): string[] =>
  judge(judgeInputs(setting)).verdict.findings.map(({ code, severity }) => `${severity} ${code}`);
const both = (changes: Record<string, FileSpec | undefined>): Setting => ({
  published: change(honest(), changes),
  rebuilt: change(honest('2'), changes),
});

test('ids and keys that every container shares, and files of the builder', () => {
  const key: FileSpec = { text: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', mode: 0o600 };
  assert.deepEqual(told(both({ '/etc/machine-id': `${'a'.repeat(32)}\n` })), ['low machine-id']);
  assert.deepEqual(told(both({ '/etc/machine-id': 'uninitialized\n' })), []);
  assert.deepEqual(told(both({ '/etc/ssh/ssh_host_rsa_key': key })), ['medium host-key']);
  assert.deepEqual(told({ published: change(honest(), { '/etc/hosts': '127.0.0.1 localhost\n' }) }), ['info builder-file-leaked']);
});

test('what was deleted of packages is counted', () => {
  const { verdict } = judge(judgeInputs(both({ '/usr/share/nginx/html/index.html': undefined, '/usr/sbin/nginx': undefined })));
  const [finding] = verdict.findings;
  assert.equal(verdict.findings.length, 1);
  assert.deepEqual(
    [finding?.code, finding?.severity, finding?.paths],
    ['packaged-file-missing', 'info', ['/usr/sbin/nginx', '/usr/share/nginx/html/index.html']],
  );
});

test('packages that the archive does not have are named', () => {
  const { verdict } = judge(judgeInputs({ unverified: ['passwd'], reinstalled: change(reinstalledFiles(), { '/usr/bin/su': undefined }) }));
  const finding = verdict.findings.find(({ code }) => code === 'package-unverified');
  assert.deepEqual(finding?.evidence, { 'passwd:amd64': '1' });
  assert.ok(verdict.findings.some(({ code, paths }) => code === 'setuid-unexpected' && paths[0] === '/usr/bin/su'));
});

test('packages that the archive has in a newer version: a fix that is out weighs more than a point release', () => {
  const point = { version: '1.22.1-9+deb12u1', archive: 'debian bookworm' };
  const fix = { version: '1.22.1-9+deb12u2', archive: 'debian bookworm', security: true };
  const { verdict } = judge(
    judgeInputs({ ...both({}), newer: { nginx: [fix, point], passwd: [{ version: '2', archive: 'debian bookworm' }] } }),
  );
  assert.equal(verdict.auditable, 'yes');
  assert.deepEqual(
    verdict.findings.map(({ code, severity, evidence, layer }) => ({ code, severity, evidence, layer })),
    [
      {
        code: 'outdated-package',
        severity: 'medium',
        layer: 0,
        evidence: {
          source: 'nginx 1.22.1-9',
          packages: 'nginx',
          installed: '1.22.1-9',
          newest: '1.22.1-9+deb12u2',
          fixed: '1.22.1-9+deb12u2',
          archive: 'debian bookworm',
          date: '2026-01-01T00:00:00.000Z',
        },
      },
      {
        code: 'outdated-package',
        severity: 'low',
        layer: undefined,
        evidence: { 'passwd:amd64': '1 → 2 in debian bookworm of 2026-01-01T00:00:00.000Z' },
      },
    ],
  );
});

test('a stanza that dpkg would not write', () => {
  const status = 'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\n';
  const { verdict } = judge(judgeInputs(both({ '/var/lib/dpkg/status': `${status}\n${status}` })));
  assert.deepEqual(
    verdict.findings.map(({ code, severity, paths }) => [code, severity, paths]),
    [['package-database-forged', 'medium', ['/var/lib/dpkg/status']]],
  );
});

test('an image without a package database', () => {
  assert.ok(told({ packages: [], reinstalled: false }).includes('info no-package-database'));
});

test('an image without a package database, whose packages are found by the hashes of its files', () => {
  const inputs = judgeInputs({ packages: [], reinstalled: false });
  const packages = judgeInputs().evidence.packages.map((one) => ({ ...one, state: 'found' as const }));
  const { findings } = judge({ ...inputs, evidence: { ...inputs.evidence, applies: false, packages } }).verdict;
  const codes = findings.map(({ code }) => code);
  assert.ok(codes.includes('no-package-database') && !codes.includes('archive-not-configured'), codes.join());
});

test('an image of a derivative of which no archive is configured', () => {
  const inputs = judgeInputs({ published: change(honest(), { '/etc/os-release': 'ID=ubuntu\nVERSION_CODENAME=noble\n' }), packages: [], reinstalled: false }); // prettier-ignore
  const packages = judgeInputs().evidence.packages.map(({ chain: _chain, ...one }) => ({ ...one, status: 'unverified-version' as const }));
  const { findings } = judge({ ...inputs, evidence: { ...inputs.evidence, applies: false, archives: [], packages } }).verdict;
  const codes = findings.map(({ code }) => code);
  assert.ok(!codes.includes('no-package-database') && !codes.includes('package-unverified'));
  assert.equal(
    findings.find(({ code }) => code === 'archive-not-configured')?.message,
    'the image is of the distribution ubuntu and has 4 packages; no archive of it is configured here, so no file could be held against one',
  );
});

test('a layer that can be read in two ways', () => {
  const anomaly = (code: Anomaly['code'], path: string): Anomaly => ({ code, path, layer: 0, detail: `${path} stands twice` });
  const { verdict } = judge(
    judgeInputs({ anomalies: [anomaly('duplicate-entry', '/a'), anomaly('duplicate-entry', '/b'), anomaly('reserved-whiteout', '/c')] }),
  );
  assert.deepEqual(
    verdict.findings.map(({ code, severity, paths }) => [code, severity, paths]),
    [
      ['layer-anomaly', 'high', ['/a', '/b']],
      ['layer-anomaly', 'low', ['/c']],
    ],
  );
});

test('owners are compared by name where ids are given out in the order of installation', () => {
  // The image configured another package first: crontab's group has another number, and means the same.
  const passwd = PASSWD.replace('_apt:x:100:', '_apt:x:101:');
  const group = GROUP.replace('crontab:x:101:', 'crontab:x:102:');
  const crontab = (gid: number): FileSpec => ({ text: 'crontab', mode: 0o2755, gid, magic: 'elf' });
  const changes = { '/etc/passwd': passwd, '/etc/group': group, '/usr/bin/crontab': crontab(102) };
  const { verdict, account } = judge(judgeInputs(both(changes)));
  assert.deepEqual(verdict.findings, []);
  assert.equal(verdict.auditable, 'yes');
  const of = (path: string) => account.find((line) => line.path === path)?.evidence.rule;
  assert.deepEqual([of('/etc/passwd'), of('/etc/group'), of('/usr/bin/crontab')], ['accounts@1', 'accounts@1', 'reinstall@1']);
  // Another group by name is another group, whatever its number.
  const wrong = judge(judgeInputs(both({ ...changes, '/etc/group': `${group}games:x:101:\n`, '/usr/bin/crontab': crontab(101) })));
  assert.ok(
    wrong.verdict.findings.some(({ code, paths }) => code === 'packaged-file-attributes-changed' && paths[0] === '/usr/bin/crontab'),
  );
});

test('without a re-installation nothing honest is called critical', () => {
  const { verdict } = judge(judgeInputs({ reinstalled: false }));
  assert.equal(verdict.result, 'equivalent');
  assert.equal(verdict.auditable, 'partly');
  assert.deepEqual(
    verdict.findings.filter(({ severity }) => severity === 'critical'),
    [],
  );
  assert.ok(verdict.findings.some(({ code }) => code === 'reinstall-missing'));
});

test('a finding names the layer and, where the history tells, the line of the Dockerfile', () => {
  const inputs = judgeInputs(both({ '/usr/lib/helper': { text: 'x', mode: 0o4755, magic: 'elf' } }));
  inputs.published.layers[0]!.createdBy = '/bin/sh -c chmod 4755 /usr/lib/helper';
  inputs.rebuild.dockerfile = {
    path: 'Dockerfile',
    digest: digestOf('x'),
    steps: [
      { line: 1, instruction: 'FROM', text: 'FROM base', stage: 0 },
      { line: 4, instruction: 'RUN', text: 'RUN chmod 4755 /usr/lib/helper', stage: 0 },
    ],
  };
  const finding = judge(inputs).verdict.findings.find(({ code }) => code === 'setuid-unexpected');
  assert.deepEqual([finding?.layer, finding?.line], [0, 4]);
});

test('text of an image is never shown as it is', () => {
  const config = { Env: ['PATH=/usr/bin', 'LD_PRELOAD=\u001b[2J\u202e'] };
  const { verdict } = judge(
    judgeInputs({
      config,
      rebuilt: false,
      rebuild: { outcome: { status: 'not-comparable', reason: 'build-failed', detail: '\u001b]0;x', lastLog: ['\u202egnp'] } },
    }),
  );
  assert.doesNotMatch(JSON.stringify(verdict), /\\u001b|\u202e/);
  assert.match(verdict.summary, /\\xe2\\x80\\xaegnp$/);
});

test('a hostile image cannot fill the verdict with findings', () => {
  const changes: Record<string, FileSpec> = {};
  for (let index = 0; index < 1000; index += 1) changes[`/opt/s${index}`] = { text: 'x', mode: 0o4755, magic: 'elf' };
  const { verdict } = judge(judgeInputs({ published: change(honest(), changes) }));
  const setuid = verdict.findings.filter(({ code }) => code === 'setuid-unexpected');
  assert.equal(setuid.length, 200);
  assert.equal(setuid.at(-1)?.evidence['more'], '800');
});

test('every finding has a code of the table, with its advice', () => {
  const { verdict } = judge(
    judgeInputs({ published: change(honest(), { '/etc/ld.so.preload': 'x', '/usr/bin/x': { text: 'x', mode: 0o755 }, '/srv/x': 'x' }) }),
  );
  for (const { code, advice } of verdict.findings) assert.equal(advice, FINDINGS[code as keyof typeof FINDINGS].advice);
});

test('why a package is not verified is told, each reason apart', () => {
  const inputs = judgeInputs({ unverified: ['passwd', 'nginx'] });
  const reasons = { passwd: 'snapshot-unreachable', nginx: 'not-found' } as const;
  for (const one of inputs.evidence.packages) {
    const reason = reasons[one.name as keyof typeof reasons];
    if (reason !== undefined) one.unverified = reason;
  }
  const told = judge(inputs).verdict.findings.filter(({ code }) => code === 'package-unverified');
  assert.deepEqual(told.map(({ message }) => /could not be reached/.test(message)), [true, false]); // prettier-ignore
  assert.deepEqual(told.map(({ evidence }) => Object.keys(evidence)), [['passwd:amd64'], ['nginx:amd64']]); // prettier-ignore
});
