import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { RunConfig } from '../../src/model/oci.ts';
import { judge } from '../../src/steps/judge.ts';
import { answer } from '../support/answer.ts';
import { change, CONFIG, GROUP, honest, judgeInputs, PASSWD, SHADOW } from '../support/judge-inputs.ts';
import type { FileSpec } from '../support/packaged-image.ts';

const capability = { 'security.capability': Buffer.from([1, 0, 0, 2, 0, 0x20, 0x80, 0xff]).toString('base64') };

test('one thing changed in the published image: each way of tampering is seen for what it is', () => {
  type Row = [name: string, changes: Record<string, FileSpec | undefined>, result: string, auditable: string, ...codes: string[]];
  const nginx: FileSpec = { text: 'nginx', mode: 0o755, magic: 'elf' };
  const script = '#!/bin/sh\nexec nginx\n';
  const rows: Row[] = [
    [
      'a packaged program',
      { '/usr/sbin/nginx': { ...(nginx as object), text: 'evil' } },
      'suspicious',
      'no',
      'critical packaged-file-replaced',
    ],
    [
      'a packaged program, and its checksums made to match',
      { '/usr/sbin/nginx': { ...(nginx as object), text: 'evil' }, '/var/lib/dpkg/info/nginx.md5sums': 'other' },
      'suspicious',
      'no',
      'critical packaged-file-replaced',
      'high package-database-forged',
    ],
    [
      'a packaged library',
      { '/usr/lib/nginx/mod.so': { text: 'evil', magic: 'elf' } },
      'suspicious',
      'no',
      'critical packaged-file-replaced',
    ],
    ['a packaged link', { '/usr/bin/nginx-debug': { link: '/tmp/x' } }, 'suspicious', 'no', 'critical packaged-file-replaced'],
    ['a link in the place of a program', { '/usr/sbin/nginx': { link: '/tmp/x' } }, 'suspicious', 'no', 'critical packaged-file-replaced'],
    ['a packaged page', { '/usr/share/nginx/html/index.html': 'other' }, 'different', 'partly', 'medium packaged-file-replaced'],
    [
      'a maintainer script',
      { '/var/lib/dpkg/info/nginx.postinst': { text: '#!/bin/sh\nevil', mode: 0o755, magic: 'script' } },
      'suspicious',
      'no',
      'critical packaged-file-replaced',
    ],
    [
      'a setuid bit',
      { '/usr/sbin/nginx': { ...(nginx as object), mode: 0o4755 } },
      'suspicious',
      'no',
      'critical packaged-file-attributes-changed',
    ],
    [
      'a setgid bit',
      { '/usr/sbin/nginx': { ...(nginx as object), mode: 0o2755 } },
      'suspicious',
      'no',
      'critical packaged-file-attributes-changed',
    ],
    [
      'a capability',
      { '/usr/sbin/nginx': { ...(nginx as object), xattrs: capability } },
      'suspicious',
      'no',
      'critical packaged-file-attributes-changed',
    ],
    [
      'an owner who may change the program',
      { '/usr/sbin/nginx': { ...(nginx as object), uid: 1000 } },
      'suspicious',
      'no',
      'high packaged-file-attributes-changed',
    ],
    [
      'a program that anyone may change',
      { '/usr/sbin/nginx': { ...(nginx as object), mode: 0o757 } },
      'suspicious',
      'no',
      'critical packaged-file-attributes-changed',
    ],
    [
      'a setuid program of its own',
      { '/usr/lib/helper': { text: 'sh', mode: 0o4755, magic: 'elf' } },
      'suspicious',
      'no',
      'critical setuid-unexpected',
    ],
    [
      'a capable program of its own',
      { '/usr/lib/helper': { text: 'sh', mode: 0o755, magic: 'elf', xattrs: capability } },
      'suspicious',
      'no',
      'critical capability-unexpected',
    ],
    ['a program of its own', { '/usr/bin/helper': { text: 'x', mode: 0o755, magic: 'elf' } }, 'suspicious', 'no', 'high unexplained-code'],
    ['a library without an x bit', { '/usr/lib/libx.so.1': { text: 'x', magic: 'elf' } }, 'suspicious', 'no', 'high unexplained-code'],
    [
      'the script of the source',
      { '/usr/local/bin/run.sh': { text: '#!/bin/sh\nevil\n', mode: 0o755, magic: 'script' } },
      'suspicious',
      'no',
      'high unexplained-code',
    ],
    [
      'the mode of the script',
      { '/usr/local/bin/run.sh': { text: script, mode: 0o4755, magic: 'script' } },
      'suspicious',
      'no',
      'critical setuid-unexpected',
    ],
    [
      'the owner of the script',
      { '/usr/local/bin/run.sh': { text: script, mode: 0o755, magic: 'script', uid: 33 } },
      'suspicious',
      'no',
      'high unexplained-code',
    ],
    ['a page of the source', { '/srv/page.html': 'defaced' }, 'different', 'partly', 'medium unexplained-file'],
    ['the owner of a page', { '/srv/page.html': { text: '<h1>Mine</h1>', uid: 33 } }, 'different', 'partly', 'medium unexplained-file'],
    [
      'an attribute of a page',
      { '/srv/page.html': { text: '<h1>Mine</h1>', xattrs: { 'user.x': 'AA==' } } },
      'different',
      'partly',
      'medium unexplained-file',
    ],
    ['a page that is gone', { '/srv/page.html': undefined }, 'different', 'yes', 'medium file-missing'],
    ['a hard link', { '/srv/page.html': { text: '<h1>Mine</h1>', linkGroup: '/srv/a' } }, 'different', 'yes'],
    [
      'compiled code of a packaged module',
      { '/usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc': { text: 'evil', magic: 'pyc' } },
      'suspicious',
      'no',
      'high bytecode-unconfirmed',
    ],
    ['ld.so.preload', { '/etc/ld.so.preload': '/usr/lib/x.so\n' }, 'suspicious', 'no', 'critical preload-configured'],
    ['ld.so.cache', { '/etc/ld.so.cache': 'other' }, 'suspicious', 'partly', 'high loader-changed'],
    ['a cron job', { '/etc/cron.d/x': '* * * * * root x\n' }, 'suspicious', 'partly', 'high scheduled-job'],
    [
      'a conffile that is a cron job',
      { '/etc/cron.d/nginx': '* * * * * root x\n' },
      'suspicious',
      'partly',
      'high scheduled-job',
      'medium conffile-edited',
    ],
    ['a conffile', { '/etc/nginx/nginx.conf': 'user root;\n' }, 'different', 'partly', 'medium conffile-edited'],
    ['a rule for sudo', { '/etc/sudoers.d/x': 'ALL ALL=(ALL) NOPASSWD: ALL\n' }, 'suspicious', 'no', 'critical sudo-rule'],
    ['a unit', { '/etc/systemd/system/x.service': '[Service]\n' }, 'suspicious', 'partly', 'high service-unit'],
    ['PAM', { '/etc/pam.d/common-auth': 'auth sufficient pam_permit.so\n' }, 'suspicious', 'no', 'critical pam-changed'],
    ['an apt key', { '/etc/apt/trusted.gpg.d/x.asc': 'key' }, 'suspicious', 'partly', 'high apt-trust-changed'],
    [
      'an apt source without signatures',
      { '/etc/apt/sources.list': 'deb [trusted=yes] http://evil.example/ bookworm main\n' },
      'suspicious',
      'partly',
      'high apt-trust-changed',
    ],
    ...(
      ['/usr/share/keyrings/debian-archive-x.gpg', '/etc/apt/trusted.gpg.d/debian-archive-x.asc', '/etc/apt/keyrings/x.gpg'] as const
    ).map((key): Row => [
      `an apt key that a source of Debian's suites names: ${key}`,
      { [key]: 'key', '/etc/apt/sources.list': `deb [signed-by=${key}] http://mirror.example/debian bookworm main\n` },
      'suspicious',
      'partly',
      'high apt-trust-changed',
    ]),
    [
      'an apt key of another place',
      { '/opt/x.gpg': 'key', '/etc/apt/sources.list': 'deb [signed-by=/opt/x.gpg] http://mirror.example/debian bookworm main\n' },
      'suspicious',
      'partly',
      'high apt-trust-changed',
      'medium unexplained-file',
    ],
    [
      'forged lists of apt',
      {
        '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease': 'Suite: stable\nSHA256:\n',
        '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages': 'Package: evil\n',
      },
      'different',
      'partly',
      'medium unexplained-file',
    ],
    ['a script of every login', { '/etc/profile.d/x.sh': 'evil\n' }, 'suspicious', 'no', 'high login-script', 'high unexplained-code'],
    ['an authorised key', { '/root/.ssh/authorized_keys': 'ssh-ed25519 AAAA x\n' }, 'suspicious', 'no', 'critical ssh-access'],
    ['a second root', { '/etc/passwd': `${PASSWD}toor:x:0:0::/root:/bin/bash\n` }, 'suspicious', 'no', 'critical account-unexpected'],
    ['an account', { '/etc/passwd': `${PASSWD}joe:x:1000:1000::/home/joe:/bin/bash\n` }, 'suspicious', 'partly', 'high account-unexpected'],
    [
      'the id of an account',
      { '/etc/passwd': PASSWD.replace('www-data:x:33', 'www-data:x:0') },
      'suspicious',
      'no',
      'critical account-unexpected',
    ],
    [
      'the shell of an account',
      { '/etc/passwd': PASSWD.replace('/var/www:/usr/sbin/nologin', '/var/www:/bin/bash') },
      'suspicious',
      'partly',
      'high account-unexpected',
    ],
    [
      'a password',
      { '/etc/shadow': { text: SHADOW.replace('root:*', 'root:$6$x$y'), mode: 0o640, gid: 42 } },
      'suspicious',
      'no',
      'critical password-set',
    ],
    [
      'no password',
      { '/etc/shadow': { text: SHADOW.replace('root:*', 'root:'), mode: 0o640, gid: 42 } },
      'suspicious',
      'no',
      'critical password-set',
    ],
    [
      'a member of sudo',
      { '/etc/group': GROUP.replace('sudo:x:27:', 'sudo:x:27:www-data') },
      'suspicious',
      'partly',
      'high account-unexpected',
    ],
    ['an alternative', { '/etc/alternatives/web': { link: '/usr/local/bin/evil' } }, 'suspicious', 'partly', 'high alternative-unpackaged'],
    [
      'a folder of programs that anyone may change',
      { '/usr/local/bin': { dir: true, mode: 0o777 } },
      'suspicious',
      'partly',
      'high world-writable',
      'medium unexplained-file',
    ],
    [
      'a device',
      { '/dev/mem': { kind: 'character', device: { major: 1, minor: 1 } } as unknown as FileSpec },
      'suspicious',
      'partly',
      'high device-unexpected',
      'medium unexplained-file',
    ],
    [
      'a log that says something else',
      { '/var/log/dpkg.log': '2026-01-01 10:00:00 install evil:amd64 <none> 1\n' },
      'different',
      'partly',
      'medium unexplained-file',
    ],
  ];
  for (const [name, changes, result, auditable, ...codes] of rows) {
    assert.deepEqual(answer({ published: change(honest(), changes) }), { result, auditable, codes: codes.sort() }, name);
  }
});

test('the finding for a replaced program names file, package, the digest that Debian signed and the one found', () => {
  const published = change(honest(), {
    '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' },
    '/var/lib/dpkg/info/nginx.md5sums': 'other',
  });
  const { verdict } = judge(judgeInputs({ published }));
  const finding = verdict.findings.find(({ code, severity }) => code === 'packaged-file-replaced' && severity === 'critical');
  assert.deepEqual(finding?.paths, ['/usr/sbin/nginx']);
  assert.equal(finding?.evidence['package'], 'pkg:deb/debian/nginx@1.22.1-9?arch=amd64');
  assert.equal(finding?.evidence['expected'], digestOf('nginx'));
  assert.equal(finding?.evidence['found'], digestOf('evil'));
  assert.match(finding?.message ?? '', /checksums was changed to match/);
});

test('a poisoned base reproduces perfectly, and is not excused by that', () => {
  type Row = [name: string, changes: Record<string, FileSpec | undefined>, auditable: string, ...codes: string[]];
  const rows: Row[] = [
    ['a program', { '/usr/sbin/nginx': { text: 'evil', mode: 0o755, magic: 'elf' } }, 'no', 'critical packaged-file-replaced'],
    ['a library', { '/usr/lib/nginx/mod.so': { text: 'evil', magic: 'elf' } }, 'no', 'critical packaged-file-replaced'],
    [
      'compiled code',
      { '/usr/lib/python3/dist-packages/__pycache__/m.cpython-311.pyc': { text: 'evil', magic: 'pyc' } },
      'no',
      'high bytecode-unconfirmed',
    ],
    [
      'a setuid bit',
      { '/usr/bin/python3': { text: 'python', mode: 0o4755, magic: 'elf' } },
      'partly',
      'high packaged-file-attributes-changed',
      'low rebuilt-code',
    ],
    [
      'a setuid program',
      { '/usr/lib/x': { text: 'x', mode: 0o4755, magic: 'elf' } },
      'partly',
      'high setuid-unexpected',
      'low rebuilt-code',
    ],
    ['a preloaded library', { '/etc/ld.so.preload': '/usr/lib/x.so\n' }, 'no', 'critical preload-configured'],
    ['a program of its own', { '/usr/bin/x': { text: 'x', mode: 0o755, magic: 'elf' } }, 'partly', 'low rebuilt-code'],
    ['a second root', { '/etc/passwd': `${PASSWD}toor:x:0:0::/root:/bin/bash\n` }, 'no', 'critical account-unexpected'],
    ['an edited conffile', { '/etc/nginx/nginx.conf': 'user root;\n' }, 'yes', 'low conffile-edited'],
    ['an edited conffile that schedules', { '/etc/cron.d/nginx': '* * * * * root x\n' }, 'partly', 'medium conffile-edited'],
    ['a cron job', { '/etc/cron.d/x': '* * * * * root x\n' }, 'partly', 'medium scheduled-job'],
    ['a rule for sudo', { '/etc/sudoers.d/x': 'ALL ALL=(ALL) NOPASSWD: ALL\n' }, 'partly', 'high sudo-rule'],
    ['an authorised key', { '/root/.ssh/authorized_keys': 'ssh-ed25519 AAAA x\n' }, 'partly', 'high ssh-access'],
    ['a script of every shell', { '/etc/profile.d/x.conf': 'x\n' }, 'partly', 'medium login-script'],
  ];
  for (const [name, changes, auditable, ...codes] of rows) {
    const both = { published: change(honest(), changes), rebuilt: change(honest('2'), changes) };
    assert.deepEqual(answer(both), { result: 'equivalent', auditable, codes: codes.sort() }, name);
  }
});

test('the configuration is compared strictly', () => {
  type Row = [name: string, config: Partial<RunConfig>, result: string, auditable: string, ...codes: string[]];
  const rows: Row[] = [
    [
      'LD_PRELOAD',
      { Env: [...CONFIG.Env!, 'LD_PRELOAD=/tmp/x.so'] },
      'suspicious',
      'no',
      'critical environment-dangerous',
      'medium configuration-changed',
    ],
    ['PATH', { Env: ['PATH=/usr/local/bin:/usr/bin'] }, 'suspicious', 'no', 'critical configuration-changed'],
    [
      'PATH with a folder of everybody',
      { Env: ['PATH=/tmp:/usr/bin'] },
      'suspicious',
      'no',
      'critical configuration-changed',
      'critical environment-dangerous',
    ],
    ['a variable', { Env: [...CONFIG.Env!, 'A=b'] }, 'different', 'yes', 'medium configuration-changed'],
    ['Entrypoint', { Entrypoint: ['/bin/sh'] }, 'suspicious', 'no', 'critical configuration-changed'],
    ['Cmd', { Cmd: ['-c', 'evil'] }, 'suspicious', 'no', 'critical configuration-changed'],
    ['User', { User: 'root' }, 'suspicious', 'no', 'critical configuration-changed'],
    ['Healthcheck', { Healthcheck: { Test: ['CMD', 'evil'] } }, 'suspicious', 'no', 'critical configuration-changed'],
    ['OnBuild', { OnBuild: ['RUN evil'] }, 'suspicious', 'no', 'critical configuration-changed'],
    ['WorkingDir', { WorkingDir: '/tmp' }, 'different', 'yes', 'medium configuration-changed'],
    ['Volumes', { Volumes: { '/data': {} } }, 'different', 'yes', 'medium configuration-changed'],
    ['ExposedPorts', { ExposedPorts: { '80/tcp': {} } }, 'different', 'yes', 'medium configuration-changed'],
    ['StopSignal', { StopSignal: 'SIGKILL' }, 'different', 'yes', 'medium configuration-changed'],
    ['a label', { Labels: { app: 'other' } }, 'different', 'yes', 'medium configuration-changed'],
    ["the builder's label", { Labels: { app: 'web', 'io.buildah.version': '1.28' } }, 'equivalent', 'yes'],
    ['nothing set, in another spelling', { Volumes: {}, OnBuild: [] }, 'equivalent', 'yes'],
  ];
  for (const [name, config, result, auditable, ...codes] of rows) {
    assert.deepEqual(answer({ config: { ...CONFIG, ...config } }), { result, auditable, codes: codes.sort() }, name);
  }
});
