import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FILE_RULES, RULES } from '../../../src/steps/rules/index.ts';
import { isPlain } from '../../../src/steps/rules/rule.ts';

test('every rule is described once, with a reason', () => {
  assert.equal(new Set(RULES.map(({ name }) => name)).size, RULES.length);
  for (const { name, version, reason } of RULES) assert.ok(/^[a-z-]+$/.test(name) && version >= 1 && reason.length > 20, name);
});

test('no rule excuses what is run: for every rule an x bit, a setuid bit and a capability stay differences', () => {
  const paths = [
    '/var/log/dpkg.log',
    '/var/log/alternatives.log',
    '/var/log/apt/history.log',
    '/var/log/apt/term.log',
    '/var/log/apt/eipp.log.xz',
    '/var/log/bootstrap.log',
    '/var/cache/apt/pkgcache.bin',
    '/var/cache/ldconfig/aux-cache',
    '/etc/shadow',
    '/var/spool/cron/crontabs/nobody',
    '/etc/machine-id',
    '/etc/ssh/ssh_host_rsa_key',
    '/etc/resolv.conf',
    '/var/lib/apt/extended_states',
    '/var/lib/dpkg/status',
    '/var/lib/dpkg/status-old',
    '/var/lib/dpkg/available',
    '/var/lib/dpkg/cmethopt',
    '/etc/apt/sources.list',
    '/opt/__pycache__/x.pyc',
    '/var/cache/fontconfig/0123456789abcdef0123456789abcdef-le64.cache-8',
    '/etc/passwd',
    '/var/lib/apt/lists/a_InRelease',
    '/dev/null',
    '/run/adduser',
    '/var/cache/man/index.db',
    '/run/dbus',
    '/etc/ssl/certs/java/cacerts',
    '/var/lib/postgresql/15/main/global/pg_control',
    '/var/cache/debconf/config.dat',
    '/var/lib/mysql/mysql/db.frm',
    '/etc/aliases.db',
    '/etc/mailname',
    '/etc/ssl/certs/01234567.0',
    '/var/lib/apt/lists/auxfiles',
    '/etc/dpkg/dpkg.cfg.d/docker',
    '/usr/sbin/policy-rc.d',
    '/usr/share/doc/x/changelog.gz',
    '/opt/lib/libx.a',
    '/opt/app.jar',
    '/opt/lib/x-1.dist-info/RECORD',
  ];
  for (const path of paths) {
    const rules = FILE_RULES.filter((rule) => rule.applies(path));
    assert.ok(rules.length > 0, path);
    for (const rule of rules) {
      const base = { path, kind: 'file' as const, size: 1, uid: 0, gid: 0, mtime: 0 };
      for (const facts of [
        { ...base, mode: 0o755 },
        { ...base, mode: 0o4644 },
        { ...base, mode: 0o2640 },
        { ...base, mode: 0o600, xattrs: { 'security.capability': 'AQ==' } },
        { ...base, mode: 0o600, magic: 'elf' as const },
      ])
        assert.equal((rule.admits ?? isPlain)(facts), false, `${rule.name} ${path} ${JSON.stringify(facts)}`);
    }
  }
  assert.deepEqual(
    FILE_RULES.filter((rule) => !paths.some((path) => rule.applies(path))).map(({ name }) => name),
    [],
  );
});
