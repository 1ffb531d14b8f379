import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP, PASSWD, SHADOW } from '../../support/judge-inputs.ts';
import { form, known, regenerated } from '../../support/rules.ts';

test('accounts: whatever order the packages came in, and nothing more', () => {
  const regenerates = (text: string, path = '/etc/passwd', reinstalled = PASSWD) =>
    regenerated(path, { '/etc/group': GROUP, [path]: text }, { '/etc/group': GROUP, '/etc/passwd': PASSWD, [path]: reinstalled });
  assert.equal(regenerates(PASSWD.replace('_apt:x:100:', '_apt:x:104:')), 'accounts', 'an id given out in another order');
  assert.equal(
    regenerates(PASSWD.split('\n').slice(0, 2).toReversed().join('\n') + '\n_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\n'),
    'accounts',
    'another order',
  );
  assert.equal(
    regenerates(PASSWD.split('\n').slice(0, 2).join('\n') + '\n', '/etc/passwd-'),
    'accounts',
    'the backup lacks what came last',
  );
  const attacks: [string, string][] = [
    ['the rights of root', PASSWD.replace('_apt:x:100:', '_apt:x:0:')],
    ['an ordinary id', PASSWD.replace('_apt:x:100:', '_apt:x:1000:')],
    ['a static id', PASSWD.replace('www-data:x:33:33', 'www-data:x:0:0')],
    ['a shell', PASSWD.replace('/nonexistent:/usr/sbin/nologin', '/nonexistent:/bin/sh')],
    ['a home', PASSWD.replace('/nonexistent', '/root')],
    ['an account more', `${PASSWD}x:x:105:105::/:/usr/sbin/nologin\n`],
    ['an account twice', `${PASSWD}_apt:x:105:65534::/nonexistent:/usr/sbin/nologin\n`],
    ['two accounts with one id', PASSWD.replace('www-data:x:33:', 'www-data:x:100:')],
    ['no password', PASSWD.replace('_apt:x:', '_apt::')],
    ['an account less', PASSWD.split('\n').slice(0, 2).join('\n') + '\n'],
    ['a line that is none', `${PASSWD}+::::::\n+\n`],
  ];
  for (const [name, text] of attacks) assert.equal(regenerates(text), 'none', name);
  assert.equal(regenerates(`${PASSWD}x:x:105:105::/:/bin/sh\n`, '/etc/passwd-'), 'none', 'more in the backup');
  const shadow = (text: string) =>
    regenerated('/etc/shadow', { '/etc/shadow': { text, mode: 0o640 } }, { '/etc/shadow': { text: SHADOW, mode: 0o640 } });
  assert.equal(shadow(SHADOW.replaceAll('20000', '20300')), 'accounts');
  assert.equal(shadow(SHADOW.replace('root:*', 'root:$6$x')), 'none');
  const group = (text: string) => regenerated('/etc/group', { '/etc/group': text }, { '/etc/group': GROUP });
  assert.equal(group(GROUP.replace('crontab:x:101:', 'crontab:x:107:')), 'accounts');
  assert.equal(group(GROUP.replace('sudo:x:27:', 'sudo:x:27:www-data')), 'none');
});

test('the lists of packages: in whatever order, with every field', () => {
  const stanza = (name: string, more = 'Version: 1\n') => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${more}\n`;
  const status = (text: string) =>
    regenerated('/var/lib/dpkg/status', { '/var/lib/dpkg/status': text }, { '/var/lib/dpkg/status': stanza('a') + stanza('b') });
  assert.equal(status(stanza('b') + stanza('a')), 'dpkg-status');
  assert.equal(status(stanza('a').replace('install ok', 'hold ok') + stanza('b')), 'dpkg-status');
  assert.equal(status(stanza('a') + stanza('b') + stanza('c').replace('install ok installed', 'deinstall ok config-files')), 'dpkg-status');
  assert.equal(status(stanza('a') + stanza('b') + stanza('c')), 'none', 'a package more');
  assert.equal(status(stanza('a')), 'none', 'a package less');
  assert.equal(status(stanza('a', 'Version: 2\n') + stanza('b')), 'none', 'another version');
  assert.equal(status(stanza('a', 'Version: 1\nConffiles:\n /etc/x 0\n') + stanza('b')), 'none', 'a conffile more');
  const states = (text: string) =>
    regenerated('/var/lib/apt/extended_states', { '/var/lib/apt/extended_states': text }, { '/var/lib/apt/extended_states': '' });
  assert.equal(states('Package: libffi8\nArchitecture: amd64\nAuto-Installed: 1\n'), 'apt-extended-states');
  assert.equal(states('Package: evil\nArchitecture: amd64\nAuto-Installed: 1\n'), 'none');
  assert.equal(states('Package: libffi8\nAuto-Installed: 1\nEvil: x\n'), 'none');
});

test('priority and section may be those of the archive, and nothing else may', () => {
  const stanza = (priority: string, section: string, more = '') =>
    `Package: a\nStatus: install ok installed\nPriority: ${priority}\nSection: ${section}\nVersion: 1\nArchitecture: amd64\n${more}\n`;
  const status = (text: string) =>
    regenerated('/var/lib/dpkg/status', { '/var/lib/dpkg/status': text }, { '/var/lib/dpkg/status': stanza('important', 'libs') });
  assert.equal(status(stanza('required', 'oldlibs')), 'dpkg-status');
  assert.equal(status(stanza('required', 'non-free/libs')), 'dpkg-status');
  assert.equal(status(stanza('evil', 'libs')), 'none', 'no priority that there is');
  assert.equal(status(stanza('required', '$(x)')), 'none', 'no section');
  assert.equal(status(stanza('required', 'libs', 'Essential: yes\n')), 'none', 'a field more');
  assert.equal(status(stanza('required', 'libs').replace('Section: libs\n', '')), 'none', 'a field less');
});

test('what debootstrap leaves for dselect: the form of an index, and one line to the letter', () => {
  const available = '/var/lib/dpkg/available';
  const index = 'Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/a.deb\n\n';
  assert.equal(form(available, index), 'dpkg-available');
  assert.equal(form(available, ''), 'dpkg-available');
  assert.equal(form(available, `${index}Package: b\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n`), 'none', 'a status');
  assert.equal(form(available, '#!/bin/sh\nid\n'), 'none');
  assert.equal(form(available, { text: index, mode: 0o755 }), 'none', 'an x bit');
  assert.equal(form(available, { text: index, magic: 'elf' }), 'none', 'a program');
  assert.equal(known('/var/lib/dpkg/cmethopt', 'apt apt\n'), 'dselect-method');
  assert.equal(known('/var/lib/dpkg/cmethopt', '/tmp/x apt\n'), 'none');
});
