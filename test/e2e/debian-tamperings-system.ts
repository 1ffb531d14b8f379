/** One thing changed in what decides how an honest image works, in each way that somebody who means harm may think of. */
import { made } from '../../scripts/demo/tar-surgery.ts';
import { crc32c } from '../../src/model/crc32c.ts';
import { file, gone, link } from './open-image.ts';
import { added, appended, CERTIFICATE, type DebianTampering, EVIL, layer, NGINX, SCRIPT } from './tamper.ts';

const ID = 'a'.repeat(32);

const CONTROL_FILE = /^var\/lib\/postgresql\/\d+\/main\/global\/pg_control$/;
const LOG_SEGMENT = /^var\/lib\/postgresql\/\d+\/main\/pg_wal\/[0-9A-F]{24}$/;
/** As if the server had been killed, with the sum of the file made anew: the log would be replayed. */
function inProduction(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  bytes.writeUInt32LE(6, 16);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 288)), 288);
  return bytes.toString('latin1');
}

/** Something behind the last record. */
function withOneMore(text: string): string {
  let end = text.length;
  while (text[end - 1] === '\0') end -= 1;
  return `${text.slice(0, end)}record${text.slice(end + 'record'.length)}`;
}

const PASSWD = 'etc/passwd';
const ACCOUNTS: DebianTampering[] = [
  appended('account', PASSWD, 'eve:x:1001:1001::/home/eve:/bin/bash\n', 'account-unexpected', 'high'),
  appended('second-root', PASSWD, 'toor:x:0:0::/root:/bin/bash\n', 'account-unexpected', 'critical'),
  layer('shell-of-www', (image) => image.edit(PASSWD, (text) => text.replace(/(www-data:.*:)[^:\n]+/, '$1/bin/bash')), [
    'account-unexpected',
    '/etc/passwd',
    'high',
  ]),
  layer('no-password', (image) => image.edit(PASSWD, (text) => text.replace('root:x:', 'root::')), [
    'password-set',
    '/etc/passwd',
    'critical',
  ]),
  layer('password', (image) => image.edit('etc/shadow', (text) => text.replace(/^root:[^:]*/, 'root:$y$j9T$abc$def')), [
    'password-set',
    '/etc/shadow',
    'critical',
  ]),
  layer('expiry', (image) => image.edit('etc/shadow', (text) => text.replace(/^(www-data:[^\n]*):99999:/m, '$1:1:')), [
    'account-unexpected',
    '/etc/shadow',
    'medium',
  ]),
  layer('member', (image) => image.edit('etc/group', (text) => text.replace(/^(sudo:.*)$/m, '$1www-data')), [
    'account-unexpected',
    '/etc/group',
    'high',
  ]),
  appended('group', 'etc/group', 'crew:x:1001:\n', 'account-unexpected', 'medium'),
  layer('group-password', (image) => image.edit('etc/gshadow', (text) => text.replace(/^shadow:[^:]*/m, 'shadow:$y$j9T$abc$def')), [
    'account-unexpected',
    '/etc/gshadow',
    'medium',
  ]),
  added('subuid', 'etc/subuid', 'www-data:0:65536\n', 'sudo-rule', 'critical'),
];

const STARTED: DebianTampering[] = [
  added('cron', 'etc/cron.d/job', '* * * * * root /usr/lib/evil\n', 'scheduled-job', 'high'),
  added('crontab-of-root', 'var/spool/cron/crontabs/root', '* * * * * /usr/lib/evil\n', 'scheduled-job', 'high', 0o600),
  added('cron-daily', 'etc/cron.daily/evil', SCRIPT, 'scheduled-job', 'high', 0o755),
  added('logrotate', 'etc/logrotate.d/evil', '/var/log/x { postrotate\n/usr/lib/evil\nendscript }\n', 'scheduled-job', 'high'),
  added('unit', 'etc/systemd/system/evil.service', '[Service]\nExecStart=/usr/lib/evil\n', 'service-unit', 'high'),
  added('drop-in', 'etc/systemd/system/nginx.service.d/x.conf', '[Service]\nExecStartPre=/usr/lib/evil\n', 'service-unit', 'high'),
  layer('wants', () => link('etc/systemd/system/multi-user.target.wants/e2scrub_all.timer', '/lib/systemd/system/e2scrub_all.timer'), [
    'service-unit',
    '/etc/systemd/system/multi-user.target.wants/e2scrub_all.timer',
    'high',
  ]),
  layer('masked', () => link('etc/systemd/system/cron.service', '/dev/null'), ['service-unit', '/etc/systemd/system/cron.service', 'high']),
  added('init-script', 'etc/init.d/evil', SCRIPT, 'service-unit', 'high', 0o755),
  layer('rc-link', () => link('etc/rc2.d/S00nginx', '../init.d/nginx'), ['service-unit', '/etc/rc2.d/S00nginx', 'high']),
  added('udev', 'etc/udev/rules.d/99-evil.rules', 'RUN+="/usr/lib/evil"\n', 'service-unit', 'high'),
  added('modprobe', 'etc/modprobe.d/evil.conf', 'install usb /usr/lib/evil\n', 'service-unit', 'high'),
  added('sysctl', 'etc/sysctl.d/99-evil.conf', 'kernel.core_pattern=|/usr/lib/evil\n', 'service-unit', 'high'),
  added('tmpfiles', 'usr/lib/tmpfiles.d/evil.conf', 'f /etc/cron.d/x\n', 'service-unit', 'high'),
  added('sysusers', 'usr/lib/sysusers.d/evil.conf', 'u eve 0\n', 'service-unit', 'high'),
  added('dbus', 'usr/share/dbus-1/system.d/evil.conf', '<busconfig/>\n', 'service-unit', 'high'),
];

const TRUST: DebianTampering[] = [
  added('preload', 'etc/ld.so.preload', '/usr/lib/evil.so\n', 'preload-configured', 'critical'),
  added('loader-path', 'etc/ld.so.conf.d/aaa.conf', '/opt/lib\n', 'loader-changed', 'high'),
  layer('loader-cache', (image) => image.flip('etc/ld.so.cache'), ['loader-changed', '/etc/ld.so.cache', 'high']),
  layer('nsswitch', (image) => image.edit('etc/nsswitch.conf', (text) => text.replace(/^hosts:.*$/m, 'hosts: evil')), [
    'loader-changed',
    '/etc/nsswitch.conf',
    'high',
  ]),
  layer('gconv', (image) => image.edit(image.find(/\/gconv\/gconv-modules$/), (text) => `${text}module EVIL// INTERNAL /opt/evil 1\n`), [
    'packaged-file-replaced',
    /\/gconv\/gconv-modules$/,
    'critical',
  ]),
  added('locale', 'usr/lib/locale/evil/LC_MESSAGES/SYS_LC_MESSAGES', 'x', 'unexplained-file', 'medium'),
  appended('ca-bundle', 'etc/ssl/certs/ca-certificates.crt', CERTIFICATE, 'apt-trust-changed', 'high'),
  layer(
    'ca-added',
    () => [
      file('usr/local/share/ca-certificates/evil.crt', CERTIFICATE),
      link('etc/ssl/certs/evil.pem', '/usr/local/share/ca-certificates/evil.crt'),
      link('etc/ssl/certs/12345678.0', 'evil.pem'),
    ],
    ['apt-trust-changed', '/usr/local/share/ca-certificates/evil.crt', 'high'],
    ['apt-trust-changed', '/etc/ssl/certs/12345678.0', 'high'],
  ),
  layer(
    'ca-snakeoil',
    () => [file('etc/ssl/certs/ssl-cert-snakeoil.pem', CERTIFICATE), link('etc/ssl/certs/12345678.0', 'ssl-cert-snakeoil.pem')],
    ['apt-trust-changed', '/etc/ssl/certs/ssl-cert-snakeoil.pem', 'high'],
    ['apt-trust-changed', '/etc/ssl/certs/12345678.0', 'high'],
  ),
  added('apt-key', 'etc/apt/trusted.gpg.d/evil.gpg', EVIL.subarray(8), 'apt-trust-changed', 'high'),
  added('apt-source', 'etc/apt/sources.list.d/evil.list', 'deb [trusted=yes] http://203.0.113.1/ ./\n', 'apt-trust-changed', 'high'),
  added('apt-hook', 'etc/apt/apt.conf.d/99evil', 'DPkg::Post-Invoke { "/usr/lib/evil"; };\n', 'apt-trust-changed', 'high'),
  added('apt-template', 'etc/apt/apt.conf.d/docker-clean', 'DPkg::Post-Invoke { "/usr/lib/evil"; };\n', 'apt-trust-changed', 'high'),
  {
    ...layer(
      'apt-release',
      (image) => image.edit(image.find(/^var\/lib\/apt\/lists\/[^/]*_bookworm_InRelease$/), (text) => `${text}SHA256:\n`),
      ['unexplained-file', /_bookworm_InRelease$/, 'medium'],
      ['unexplained-file', /_bookworm_main_binary-[^/]*_Packages(?:\.lz4)?$/, 'medium'],
    ),
    of: 'python3',
  },
  added('policy', 'usr/sbin/policy-rc.d', '#!/bin/sh\n/usr/lib/evil\nexit 101\n', 'unexplained-code', 'high', 0o755),
  added('sudoers', 'etc/sudoers.d/evil', 'www-data ALL=(ALL) NOPASSWD: ALL\n', 'sudo-rule', 'critical'),
  added('polkit', 'usr/share/polkit-1/rules.d/00-evil.rules', 'polkit.addRule(x => "yes");\n', 'sudo-rule', 'critical'),
  layer('pam', (image) => image.edit('etc/pam.d/common-auth', (text) => `auth sufficient pam_permit.so\n${text}`), [
    'pam-changed',
    '/etc/pam.d/common-auth',
    'critical',
  ]),
  appended('shells', 'etc/shells', '/opt/sh\n', 'pam-changed', 'critical'),
  added('securetty', 'etc/securetty', 'pts/0\n', 'pam-changed', 'critical'),
  added('authorized-keys', 'root/.ssh/authorized_keys', 'ssh-ed25519 AAAA eve\n', 'ssh-access', 'critical', 0o600),
  added('profile', 'etc/profile.d/evil.sh', '/usr/lib/evil &\n', 'login-script', 'high'),
  appended('bashrc', 'root/.bashrc', '/usr/lib/evil &\n', 'login-script', 'high'),
  added('environment', 'etc/environment', 'LD_PRELOAD=/usr/lib/evil.so\n', 'login-script', 'high'),
  added('sitecustomize', 'usr/lib/python3/dist-packages/sitecustomize.py', 'import os\n', 'login-script', 'high'),
  added('pth', 'usr/lib/python3/dist-packages/evil.pth', 'import os\n', 'login-script', 'high'),
  added('perl-site', 'etc/perl/sitecustomize.pl', '1;\n', 'login-script', 'high'),
  added('motd', 'etc/update-motd.d/10-evil', SCRIPT, 'unexplained-code', 'high', 0o755),
  appended('hosts', 'etc/hosts', '203.0.113.1 deb.example.org\n', 'unexplained-file', 'medium'),
  added('resolver', 'etc/resolv.conf', 'nameserver 203.0.113.1\n', 'builder-file-leaked', 'info'),
  added('machine-id', 'etc/machine-id', `${ID}\n`, 'machine-id', 'low'),
  added('machine-id-odd', 'etc/machine-id', `${ID}\nevil\n`, 'unexplained-file', 'medium'),
];

const PLACES: DebianTampering[] = [
  added('local-bin', 'usr/local/bin/evil', EVIL, 'unexplained-code', 'high', 0o755),
  added('local-ls', 'usr/local/bin/ls', SCRIPT, 'unexplained-code', 'high', 0o755),
  added('opt', 'opt/app/app.jar', 'PK\x03\x04', 'unexplained-code', 'high'),
  added('doc', 'usr/share/doc/nginx/evil', EVIL, 'unexplained-code', 'high', 0o755),
  added('doc-hidden', 'usr/share/doc/nginx/notes.bin', EVIL, 'unexplained-code', 'high'),
  added('kernel-module', 'usr/lib/modules/6.1.0-1-amd64/extra/evil.ko', EVIL, 'unexplained-code', 'high'),
  added('python-module', 'usr/lib/python3/dist-packages/evil.py', 'import os\n', 'unexplained-code', 'high'),
  added('perl-local', 'usr/local/lib/site_perl/Evil.pm', '1;\n', 'unexplained-code', 'high'),
  added('space', 'usr/sbin/nginx ', EVIL, 'unexplained-code', 'high', 0o755),
  added('nginx-module', 'etc/nginx/modules-enabled/50-evil.conf', 'load_module /opt/evil.so;\n', 'unexplained-file', 'medium'),
  layer('pyc', (image) => image.flip(image.find(/^usr\/lib\/python3\.\d+\/__pycache__\/os\.cpython-\d+\.pyc$/)), [
    'bytecode-unconfirmed',
    /\/__pycache__\/os\.cpython-\d+\.pyc$/,
    'high',
  ]),
  layer('pyc-added', (image) => file(image.find(/\/__pycache__\/os\.cpython-\d+\.pyc$/).replace(/pyc$/, 'opt-1.pyc'), EVIL), [
    'bytecode-unconfirmed',
    /\/__pycache__\/os\.cpython-\d+\.opt-1\.pyc$/,
    'high',
  ]),
  layer('mime-cache', (image) => image.flip('usr/share/mime/mime.cache'), ['unexplained-file', '/usr/share/mime/mime.cache', 'medium']),
  layer('device', () => made({ name: 'usr/lib/sda', type: '4', mode: 0o660, major: 8, minor: 0 }), [
    'device-unexpected',
    '/usr/lib/sda',
    'high',
  ]),
  layer('fifo', () => made({ name: 'run/pipe', type: '6', mode: 0o666 }), ['unexplained-file', '/run/pipe', 'medium']),
  {
    tag: 'replaced-and-restored',
    publish: (image, to) => image.publish(to, [image.flip(NGINX)], [image.member(NGINX)]),
    findings: [['hidden-file', '/usr/sbin/nginx', 'info']],
  },
  {
    tag: 'secret-deleted',
    publish: (image, to) =>
      image.publish(
        to,
        [file('root/.aws/credentials', 'aws_secret_access_key = h4Yk9Qz1vT7pLm2RsXc8Nw5BdJf6Gg0Ue3AaVi+o\n')],
        [gone('root/.aws')],
      ),
    findings: [['secret-in-layer', '/root/.aws/credentials', 'high']],
  },
  {
    tag: 'ld-preload',
    publish: (image, to) => image.configure(to, (config) => ({ ...config, Env: ['LD_PRELOAD=/usr/lib/evil.so'] })),
    findings: [['environment-dangerous', 'config:Env', 'high']],
  },
  ...['PATH=/tmp:/usr/bin', 'PATH=:/usr/bin', 'BASH_FUNC_ls%%=() { evil; }'].map((variable, index): DebianTampering => ({
    tag: `environment-${index}`,
    publish: (image, to) => image.configure(to, (config) => ({ ...config, Env: [variable] })),
    findings: [['environment-dangerous', 'config:Env', 'high']],
  })),
  added('network-hook', 'etc/network/if-up.d/evil', SCRIPT, 'unexplained-code', 'high', 0o755),
  added(
    'preferences',
    'etc/apt/preferences.d/evil',
    'Package: *\nPin: origin 203.0.113.1\nPin-Priority: 1001\n',
    'apt-trust-changed',
    'high',
  ),
  {
    ...layer(
      'database-access',
      (image) => {
        const name = image.find(/^etc\/postgresql\/\d+\/main\/pg_hba\.conf$/);
        return image.edit(name, (text) => `${text}host all all 0.0.0.0/0 trust\n`);
      },
      ['unexplained-file', /\/pg_hba\.conf$/, 'medium'],
    ),
    of: 'postgres',
  },
  {
    ...layer('database-roles', (image) => image.flip(image.find(/^var\/lib\/postgresql\/\d+\/main\/global\/1260$/)), [
      'unexplained-file',
      /\/global\/1260$/,
      'medium',
    ]),
    of: 'postgres',
  },
  {
    ...layer('database-recovery', (image) => image.edit(image.find(CONTROL_FILE), inProduction), [
      'unexplained-file',
      /\/global\/pg_control$/,
      'medium',
    ]),
    of: 'postgres',
  },
  {
    ...layer('database-log', (image) => image.edit(image.find(LOG_SEGMENT), withOneMore), [
      'unexplained-file',
      /\/pg_wal\/[0-9A-F]{24}$/,
      'medium',
    ]),
    of: 'postgres',
  },
  {
    ...layer('mail-name', (image) => image.edit('etc/mailname', () => 'mail.example.org\n'), [
      'unexplained-file',
      '/etc/mailname',
      'medium',
    ]),
    of: 'postgres',
  },
  {
    ...layer('apache-module', () => link('etc/apache2/mods-enabled/evil.conf', '/tmp/evil.conf'), [
      'unexplained-file',
      '/etc/apache2/mods-enabled/evil.conf',
      'medium',
    ]),
    of: 'apache-php',
  },
  {
    ...layer(
      'php-settings',
      (image) => {
        const folderOfSettings = image.find(/^etc\/php\/[\d.]+\/apache2\/conf\.d$/);
        return file(`${folderOfSettings}/99-evil.ini`, 'auto_prepend_file=/tmp/evil\n');
      },
      ['login-script', /\/99-evil\.ini$/, 'high'],
    ),
    of: 'apache-php',
  },
  {
    ...layer('cacerts', (image) => image.flip('etc/ssl/certs/java/cacerts'), ['apt-trust-changed', '/etc/ssl/certs/java/cacerts', 'high']),
    of: 'openjdk',
  },
];

/** What runs, who may log in, whom the system trusts; and files in odd places. */
export const SYSTEM_TAMPERINGS: readonly DebianTampering[] = [...ACCOUNTS, ...STARTED, ...TRUST, ...PLACES];
