import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHADOW } from '../../support/judge-inputs.ts';
import { type FileSpec } from '../../support/packaged-image.ts';
import { check, form } from '../../support/rules.ts';

test('shadow: the day of the last change and nothing else', () => {
  const shadow = (text: string): FileSpec => ({ text, mode: 0o640, gid: 42 });
  const later = SHADOW.replaceAll('20000', '20001');
  check([
    ['another day', '/etc/shadow', shadow(later), shadow(SHADOW), 'shadow-last-change@1'],
    ['a password', '/etc/shadow', shadow(later.replace('root:*', 'root:$y$x')), shadow(SHADOW), 'unknown'],
    ['no password', '/etc/shadow', shadow(later.replace('root:*', 'root:')), shadow(SHADOW), 'unknown'],
    ['an account more', '/etc/shadow', shadow(`${later}x:*:1::::::\n`), shadow(SHADOW), 'unknown'],
    ['another expiry', '/etc/shadow', shadow(later.replace('99999', '1')), shadow(SHADOW), 'unknown'],
    [
      'readable by all',
      '/etc/shadow',
      { ...(shadow(later) as object), mode: 0o644 },
      { ...(shadow(SHADOW) as object), mode: 0o644 },
      'unknown',
    ],
    ['text in the field of the day', '/etc/shadow', shadow(later.replace('20001', 'x')), shadow(SHADOW), 'unknown'],
  ]);
});

test('ids, keys and files of the builder', () => {
  const key = (body: string) => ({
    text: `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`,
    mode: 0o600,
  });
  const id = 'a'.repeat(32);
  check([
    ['machine-id', '/etc/machine-id', `${id}\n`, `${'b'.repeat(32)}\n`, 'machine-id@1'],
    ['no machine-id', '/etc/machine-id', `${id}\n`, '', 'machine-id@1'],
    ['a machine-id that is something else', '/etc/machine-id', `${id}\nevil`, '', 'unknown'],
    ['a host key', '/etc/ssh/ssh_host_rsa_key', key('AAAA'), key('BBBB'), 'host-keys@2'],
    [
      'a host key with more in it',
      '/etc/ssh/ssh_host_rsa_key',
      { ...key('AAAA'), text: `${key('AAAA').text}#!/bin/sh` },
      key('BBBB'),
      'unknown',
    ],
    ['a host key that others read', '/etc/ssh/ssh_host_rsa_key', { ...key('AAAA'), mode: 0o644 }, key('BBBB'), 'unknown'],
    ['keys that may log in', '/root/.ssh/authorized_keys', 'ssh-rsa AAAA a\n', 'ssh-rsa BBBB b\n', 'unknown'],
    [
      'hosts of the builder',
      '/etc/hosts',
      '127.0.0.1 localhost\n10.0.2.100 host.containers.internal 3f1c\n',
      '127.0.0.1\tlocalhost\n',
      'builder-files@1',
    ],
    ['hosts only in one', '/etc/hosts', '127.0.0.1 localhost\n', undefined, 'builder-files@1'],
    [
      'a name of the Internet in hosts',
      '/etc/hosts',
      '127.0.0.1 localhost\n203.0.113.9 deb.example.org\n',
      '127.0.0.1 localhost\n',
      'unknown',
    ],
    ['resolv.conf', '/etc/resolv.conf', 'nameserver 10.0.0.1\nsearch lan\n', 'nameserver 10.0.0.2\n', 'builder-files@1'],
    ['a script for resolv.conf', '/etc/resolv.conf', 'nameserver 10.0.0.1\n$(evil)\n', 'nameserver 10.0.0.2\n', 'unknown'],
    ['an empty mount point', '/run/.containerenv', { text: '', mode: 0o700 }, undefined, 'builder-files@1'],
    ['a program as mount point', '/run/.containerenv', { text: 'x="y"', mode: 0o700 }, undefined, 'unknown'],
    ['a lock', '/run/adduser', '', undefined, 'lock-files@1'],
    ['a lock that holds something', '/run/adduser', 'x', undefined, 'unknown'],
  ]);
});

test('standard devices, by their numbers', () => {
  const device = (major: number, minor: number, more: object = {}): FileSpec =>
    ({ kind: 'character', device: { major, minor }, mode: 0o666, ...more }) as unknown as FileSpec;
  assert.equal(form('/dev/null', device(1, 3)), 'standard-devices');
  assert.equal(form('/dev/null', device(1, 1)), 'none', 'the memory under the name of null');
  assert.equal(form('/dev/mem', device(1, 1)), 'none');
  assert.equal(form('/dev/null', 'text'), 'none');
  assert.equal(form('/dev/fd', { link: '/proc/self/fd' }), 'standard-devices');
  assert.equal(form('/dev/fd', { link: '/etc/shadow' }), 'none');
});

test('what debootstrap copies of the builder, with no rebuild: a name and resolver options, and nothing to be run', () => {
  const [name, resolver] = ['/etc/hostname', '/etc/resolv.conf'];
  for (const text of ['vm\n', 'build-7.example.org\n', '']) assert.equal(form(name, text), 'builder-files', text);
  const settings = '# made by dhcp\nnameserver 10.0.2.3\nnameserver fe80::1%eth0\nsearch example.org lan\noptions edns0 timeout:2\n';
  assert.equal(form(resolver, settings), 'builder-files');
  const refused: [path: string, spec: FileSpec][] = [
    [name, { text: '#!/bin/sh\nid\n', magic: 'script' }],
    [name, 'vm;id\n'],
    [name, 'vm $(id)\n'],
    [name, { text: 'vm\n', mode: 0o755 }],
    [name, { text: 'vm\n', mode: 0o4644 }],
    [name, { text: 'vm\n', mode: 0o666 }],
    [name, { text: 'vm\n', uid: 1000 }],
    [name, { text: 'vm\n', gid: 1000 }],
    [name, { text: 'vm\n', xattrs: { 'security.capability': 'AQ==' } }],
    [name, { link: '/tmp/evil' }],
    [name, { text: 'vm', magic: 'elf' }],
    [resolver, `${settings}exec /tmp/evil\n`],
    [resolver, `${settings}nameserver \`id\`\n`],
    [resolver, { text: settings, mode: 0o755 }],
    [resolver, { text: settings, uid: 1000 }],
  ];
  for (const [path, spec] of refused) assert.equal(form(path, spec), 'none', JSON.stringify(spec));
});
