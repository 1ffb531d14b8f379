/** What is told of packaged and generated files without any rebuild: taken away, excluded, pointed elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../../src/steps/judge.ts';
import { change, GROUP, honest, judgeInputs, PACKAGES, reinstalledFiles } from '../../support/judge-inputs.ts';
import type { FileSpec } from '../../support/packaged-image.ts';

type Changes = Record<string, FileSpec | undefined>;

/** What the Dockerfile adds, taken away. */
const OWN: Changes = {
  '/srv/page.html': undefined,
  '/usr/local': undefined,
  '/usr/local/bin': undefined,
  '/usr/local/bin/run.sh': undefined,
};

/** Findings above info of an image without a source, each with the first of its paths. */
function told(changes: Changes, reinstalled: Changes = {}): string[] {
  const published = change(honest(), { ...OWN, ...changes });
  const inputs = judgeInputs({ published, rebuilt: false, source: false, reinstalled: change(reinstalledFiles(), reinstalled) });
  const { findings } = judge(inputs).verdict;
  return findings.filter(({ severity }) => severity !== 'info').map(({ code, severity, paths }) => `${severity} ${code} ${paths[0] ?? ''}`);
}

test('the honest image is told nothing', () => {
  assert.deepEqual(told({}), []);
});

test('generated files that were taken away', () => {
  const rows: [string, string[]][] = [
    ['/etc/shadow', ['medium generated-file-missing /etc/shadow']],
    ['/etc/pam.d/common-auth', ['medium generated-file-missing /etc/pam.d/common-auth']],
    ['/etc/alternatives/web', ['medium generated-file-missing /etc/alternatives/web']],
    ['/usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc', []],
  ];
  for (const [path, expected] of rows) assert.deepEqual(told({ [path]: undefined }), expected, path);
  const rebuilt = change(honest('2'), { '/etc/pam.d/common-auth': undefined });
  const { findings } = judge(judgeInputs({ published: change(honest(), { '/etc/pam.d/common-auth': undefined }), rebuilt })).verdict;
  assert.deepEqual(
    findings.filter(({ code }) => code === 'generated-file-missing').map(({ severity }) => severity),
    ['info'],
    'the Dockerfile takes it away',
  );
});

test('packaged files that were taken away: a filter of dpkg excuses documentation, and no program', () => {
  const filter = (pattern: string): Changes => ({ '/etc/dpkg/dpkg.cfg.d/docker': `path-exclude=${pattern}\n` });
  assert.deepEqual(told({ '/usr/share/nginx/html/index.html': undefined }), []);
  assert.deepEqual(told({ '/usr/lib/nginx/mod.so': undefined }), ['medium packaged-file-missing /usr/lib/nginx/mod.so']);
  assert.deepEqual(told({ ...filter('/usr/lib/nginx/*'), '/usr/lib/nginx/mod.so': undefined }), [
    'high apt-trust-changed /etc/dpkg/dpkg.cfg.d/docker',
    'medium packaged-file-missing /usr/lib/nginx/mod.so',
  ]);
  const withDoc = PACKAGES.map((one) =>
    one.name === 'nginx' ? { ...one, files: { ...one.files, '/usr/share/doc/nginx/run.sh': { text: 'x', mode: 0o755 } } } : one,
  );
  const published = change(honest(), { ...filter('/usr/share/doc/*'), '/var/lib/dpkg/info/nginx.list': undefined });
  const { findings } = judge(judgeInputs({ published, packages: withDoc, rebuilt: false, source: false })).verdict;
  const missing = findings.find(({ code }) => code === 'packaged-file-missing');
  assert.deepEqual([missing?.severity, missing?.paths], ['info', ['/usr/share/doc/nginx/run.sh']]);
  assert.deepEqual(missing?.evidence, { 'path-exclude /usr/share/doc/*': '1 file' });
});

test('alternatives, groups and edited conffiles', () => {
  assert.deepEqual(told({ '/etc/alternatives/web': { link: '/usr/bin/python3' } }), ['medium alternative-changed /etc/alternatives/web']);
  assert.deepEqual(told({ '/etc/alternatives/web': { link: '/tmp/x' } }), ['high alternative-unpackaged /etc/alternatives/web']);
  assert.deepEqual(told({ '/etc/group': `${GROUP}crew:x:1001:\n` }), ['medium account-unexpected /etc/group']);
  const { findings } = judge(judgeInputs({ published: change(honest(), { '/etc/nginx/nginx.conf': 'user root;\n' }) })).verdict;
  assert.equal(findings.find(({ code }) => code === 'conffile-edited')?.evidence['diff'], '@@ -1,1 +1,1 @@\n-user www-data;\n+user root;');
});

test('access control lists get lost in builders; one that is there is compared', () => {
  const folder = '/var/log/journal';
  const list = { 'system.posix_acl_default': 'AgAAAA==' };
  const made = { [folder]: { dir: true, xattrs: list } as const };
  assert.deepEqual(told({ [folder]: { dir: true } }, made), []);
  assert.deepEqual(told({ [folder]: { dir: true, xattrs: { 'system.posix_acl_default': 'AAAA' } } }, made), [
    `medium unexplained-file ${folder}`,
  ]);
  assert.deepEqual(told({ [folder]: { dir: true, xattrs: list } }, { [folder]: { dir: true } }), [`medium unexplained-file ${folder}`]);
  assert.deepEqual(told({ [folder]: { dir: true } }, { [folder]: { dir: true, xattrs: { 'security.capability': 'AQ==' } } }), [
    `medium unexplained-file ${folder}`,
  ]);
});
