import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PackagedPath } from '../../src/model/packaged.ts';
import { type ExpectDebianInput, expectDebian } from '../../src/steps/expect-debian.ts';
import { type FileSpec, type PackageSpec, imageOf, listOf, packageOf } from '../support/packaged-image.ts';

type Files = Record<string, FileSpec>;

function expectation(packages: PackageSpec[], image: Files, reinstalled?: Files) {
  const input: ExpectDebianInput = { ...imageOf(image), packages: packages.map(packageOf) };
  return expectDebian(reinstalled === undefined ? input : { ...input, reinstalled: imageOf(reinstalled) });
}

/** `equal`, `missing`, or what differs. */
function states(packages: PackageSpec[], image: Files, reinstalled?: Files): Record<string, string> {
  const { files } = expectation(packages, image, reinstalled);
  return Object.fromEntries([...files].map(([path, one]) => [path, stateOf(one)]));
}

function stateOf(one: PackagedPath): string {
  return one.state === 'changed'
    ? one.aspects.join()
    : one.state === 'missing' && one.excludedBy !== undefined
      ? `missing (${one.excludedBy})`
      : one.state;
}

const codes = (packages: PackageSpec[], image: Files, reinstalled?: Files): string[] =>
  expectation(packages, image, reinstalled).notes.map(({ code }) => code);

const BASE: PackageSpec = {
  name: 'base-files',
  files: { '/': { dir: true }, '/bin': { dir: true }, '/usr': { dir: true }, '/usr/bin': { dir: true } },
};
const TOOL: PackageSpec = { name: 'tool', files: { '/usr/bin/tool': { text: 'tool', mode: 0o755 } } };

test('what deviates is told by aspect', () => {
  const cases: [string, FileSpec | undefined, string][] = [
    ['as packaged', { text: 'tool', mode: 0o755 }, 'equal'],
    ['another time', { text: 'tool', mode: 0o755, mtime: 99 }, 'equal'],
    ['gone', undefined, 'missing'],
    ['other bytes', { text: 'fool', mode: 0o755 }, 'content'],
    ['setuid', { text: 'tool', mode: 0o4755 }, 'mode'],
    ['setgid', { text: 'tool', mode: 0o2755 }, 'mode'],
    ['writable', { text: 'tool', mode: 0o757 }, 'mode'],
    ['another owner', { text: 'tool', mode: 0o755, uid: 1000 }, 'owner'],
    ['another group', { text: 'tool', mode: 0o755, gid: 4 }, 'owner'],
    ['a capability', { text: 'tool', mode: 0o755, xattrs: { 'security.capability': 'AQAAAg==' } }, 'xattrs'],
    ['bytes and mode', { text: 'fool', mode: 0o4755 }, 'content,mode'],
    ['a link', { link: '/opt/tool' }, 'kind'],
    ['a directory', { dir: true }, 'kind'],
    ['a device', { kind: 'character', device: { major: 1, minor: 1 } } as unknown as FileSpec, 'kind'],
  ];
  for (const [name, file, expected] of cases)
    assert.deepEqual(states([TOOL], file === undefined ? {} : { '/usr/bin/tool': file }), { '/usr/bin/tool': expected }, name);
});

test('links and devices', () => {
  const spec: PackageSpec = { name: 'l', files: { '/etc/l': { link: '../usr/l' } } };
  assert.deepEqual(states([spec], { '/etc/l': { link: '../usr/l', mode: 0o755 } }), { '/etc/l': 'equal' });
  assert.deepEqual(states([spec], { '/etc/l': { link: '../opt/l' } }), { '/etc/l': 'target' });
  assert.deepEqual(states([spec], { '/etc/l': 'text' }), { '/etc/l': 'kind' });
});

test('a path says which package, .deb and member it is from', () => {
  const spec: PackageSpec = { name: 'c', files: { '/etc/c.conf': 'x' }, conffiles: ['/etc/c.conf'] };
  const { files } = expectation([spec], { '/etc/c.conf': 'y' });
  const one = files.get('/etc/c.conf')!;
  assert.equal(one.expected.package, 'pkg:deb/debian/c@1?arch=amd64');
  assert.equal(one.expected.conffile, true);
  assert.equal(one.expected.archivePath, '/etc/c.conf');
  assert.equal(one.expected.deb, packageOf(spec).contents.deb);
});

test('a merged /usr takes packaged paths along', () => {
  const old: PackageSpec = { name: 'old', files: { '/bin': { dir: true }, '/bin/old': 'old' } };
  const merged: Files = { '/bin': { link: 'usr/bin' }, '/usr': { dir: true }, '/usr/bin': { dir: true }, '/usr/bin/old': 'old' };
  assert.deepEqual(states([BASE, old], merged), { '/bin': 'equal', '/usr': 'equal', '/usr/bin': 'equal', '/usr/bin/old': 'equal' });
  const shipping: PackageSpec = { ...BASE, files: { '/bin': { link: 'usr/bin' }, '/usr/bin': { dir: true } } };
  assert.deepEqual(states([shipping, old], merged)['/bin'], 'equal');
  const separate: Files = { '/bin': { dir: true }, '/usr': { dir: true }, '/usr/bin': { dir: true }, '/bin/old': 'old' };
  assert.equal(states([BASE, old], separate)['/bin/old'], 'equal');
  // Under the merge as without it, other bytes are other bytes.
  assert.equal(states([BASE, old], { ...merged, '/usr/bin/old': 'evil' })['/usr/bin/old'], 'content');
});

test('no other link passes for a merged /usr', () => {
  const old: PackageSpec = { name: 'old', files: { '/bin/old': 'old' } };
  for (const target of ['opt/bin', 'usr/sbin', '../usr/bin', 'usr/bin/../../opt']) {
    const image: Files = {
      '/bin': { link: target },
      '/usr': { dir: true },
      '/usr/bin': { dir: true },
      '/usr/bin/old': 'old',
      '/opt/bin/old': 'old',
    };
    assert.equal(states([BASE, old], image)['/bin'], 'kind', target);
    assert.equal(states([BASE, old], image)['/bin/old'], 'missing', target);
    assert.deepEqual(codes([BASE, old], image), ['unexplained-usr-merge'], target);
  }
  // Without the verified package that has the directory, the link is nobody's.
  assert.equal(states([old], { '/bin': { link: 'usr/bin' }, '/usr/bin/old': 'old' })['/bin'], undefined);
});

test('links that packages ship lead to where others put their files', () => {
  const linker: PackageSpec = { name: 'linker', files: { '/usr/share/doc/a': { link: 'b' } } };
  const filler: PackageSpec = { name: 'filler', files: { '/usr/share/doc/a/readme': 'r' } };
  assert.deepEqual(states([linker, filler], { '/usr/share/doc/a': { link: 'b' }, '/usr/share/doc/b/readme': 'r' }), {
    '/usr/share/doc/a': 'equal',
    '/usr/share/doc/b/readme': 'equal',
  });
  // A link that the image alone has leads nowhere.
  assert.deepEqual(states([filler], { '/usr/share/doc/a': { link: 'b' }, '/usr/share/doc/b/readme': 'r' }), {
    '/usr/share/doc/a/readme': 'missing',
  });
  const ring: PackageSpec = { name: 'ring', files: { '/x': { link: 'y' }, '/y': { link: 'x' } } };
  const through: PackageSpec = { name: 'through', files: { '/x/file': 'f' } };
  assert.equal(states([ring, through], { '/x': { link: 'y' }, '/y': { link: 'x' } })['/x'], 'equal');
});

test('directories are shared; any of their packages’ modes will do, and no other', () => {
  const one: PackageSpec = { name: 'one', files: { '/srv': { dir: true, mode: 0o2775, gid: 50 } } };
  const two: PackageSpec = { name: 'two', files: { '/srv': { dir: true } } };
  assert.deepEqual(states([one, two], { '/srv': { dir: true } }), { '/srv': 'equal' });
  assert.deepEqual(states([one, two], { '/srv': { dir: true, mode: 0o2775, gid: 50 } }), { '/srv': 'equal' });
  assert.deepEqual(states([one, two], { '/srv': { dir: true, mode: 0o777 } }), { '/srv': 'mode' });
  assert.deepEqual(states([one, two], { '/srv': { dir: true, gid: 50 } }), { '/srv': 'mode' }); // half of each is neither
});

test('a package that replaces another one’s file', () => {
  const old: PackageSpec = { name: 'old', files: { '/f': 'old' } };
  const next: PackageSpec = { name: 'new', files: { '/f': 'new' }, control: { replaces: 'other, old (<< 2)' } };
  assert.deepEqual(states([old, next], { '/f': 'new' }), { '/f': 'equal' });
  assert.deepEqual(states([next, old], { '/f': 'old' }), { '/f': 'content' }); // not what dpkg would leave there
  assert.deepEqual(states([old, next], { '/f': 'evil' }), { '/f': 'content' });
  assert.deepEqual(codes([old, next], { '/f': 'new' }), []);
  const stranger: PackageSpec = { name: 'stranger', files: { '/f': 'other' } };
  assert.deepEqual(codes([old, stranger], { '/f': 'old' }), ['package-file-conflict']);
  const twin: PackageSpec = { name: 'old', architecture: 'i386', files: { '/f': 'old' } };
  assert.deepEqual(codes([old, twin], { '/f': 'old' }), []);
});

const SHELL: PackageSpec = {
  name: 'dash',
  files: { '/bin/dash': 'dash', '/bin/sh': { link: 'dash' } },
  scripts: {
    postinst: '#!/bin/sh\nclaim() {\n\tdpkg-divert --package dash --no-rename --divert $2 --add $1\n}\nclaim /bin/sh ${1}.distrib\n',
  },
};
const BASH: PackageSpec = { name: 'bash', files: { '/bin/sh': { link: 'bash' } } };
const diversion = (from: string, to: string, name: string): Files => ({ '/var/lib/dpkg/diversions': `${from}\n${to}\n${name}\n` });

test('a diversion that a verified script makes moves the others’ files', () => {
  const image: Files = {
    '/bin/dash': 'dash',
    '/bin/sh': { link: 'dash' },
    '/bin/sh.distrib': { link: 'bash' },
    ...diversion('/bin/sh', '/bin/sh.distrib', 'dash'),
  };
  assert.deepEqual(states([SHELL, BASH], image), { '/bin/dash': 'equal', '/bin/sh': 'equal', '/bin/sh.distrib': 'equal' });
  assert.equal(expectation([SHELL, BASH], image).files.get('/bin/sh.distrib')?.expected.divertedFrom, '/bin/sh');
  assert.deepEqual(codes([SHELL, BASH], image), []);
  const literal: PackageSpec = {
    ...TOOL,
    name: 'wrap',
    files: {},
    scripts: { preinst: 'dpkg-divert --package wrap \\\n --rename --divert "/usr/bin/tool.real" --add /usr/bin/tool\n' },
  };
  const moved: Files = { '/usr/bin/tool.real': { text: 'tool', mode: 0o755 }, ...diversion('/usr/bin/tool', '/usr/bin/tool.real', 'wrap') };
  assert.deepEqual(states([TOOL, literal], moved), { '/usr/bin/tool.real': 'equal' });
});

test('a diversion in the image’s own words hides nothing', () => {
  const cases: [string, PackageSpec[], string, string, string][] = [
    ['the administrator’s', [TOOL], '/usr/bin/tool', '/usr/bin/tool.real', ':'],
    ['of a package that has no such script', [TOOL, BASH], '/usr/bin/tool', '/usr/bin/tool.real', 'bash'],
    ['of a package that diverts something else', [TOOL, SHELL], '/usr/bin/tool', '/usr/bin/tool.distrib', 'dash'],
    ['of a package that is not verified', [TOOL], '/usr/bin/tool', '/usr/bin/tool.real', 'ghost'],
    ['to another place than the script’s', [TOOL, { name: 'w', scripts: { preinst: 'dpkg-divert --package w --divert /usr/bin/t --add /usr/bin/tool' } }], '/usr/bin/tool', '/etc/cron.d/tool', 'w'],
    ['that a script only takes away', [TOOL, { name: 'w', scripts: { preinst: 'dpkg-divert --package w --remove --divert /usr/bin/t /usr/bin/tool' } }], '/usr/bin/tool', '/usr/bin/t', 'w'],
    ['that a script only speaks of', [TOOL, { name: 'w', scripts: { preinst: '# dpkg-divert --package w --divert /usr/bin/t --add /usr/bin/tool' } }], '/usr/bin/tool', '/usr/bin/t', 'w'],
    ['of a removed package', [TOOL, { name: 'w', state: 'config-files', scripts: { preinst: 'dpkg-divert --package w --divert /usr/bin/t --add /usr/bin/tool' } }], '/usr/bin/tool', '/usr/bin/t', 'w'],
    ['of a path that begins the same', [TOOL, { name: 'w', scripts: { preinst: 'x=/usr/bin/tools; dpkg-divert --package w --divert $x.real --add $x' } }], '/usr/bin/tool', '/usr/bin/tool.real', 'w'],
  ]; // prettier-ignore
  for (const [name, packages, from, to, by] of cases) {
    const image: Files = { '/usr/bin/tool': 'evil', [to]: { text: 'tool', mode: 0o755 }, ...diversion(from, to, by) };
    const result = states(packages, image);
    assert.equal(result['/usr/bin/tool'], 'content,mode', name);
    assert.equal(result[to], undefined, name);
    assert.deepEqual(codes(packages, image), ['unexplained-diversion'], name);
  }
});

test('a diversion that the re-installation shows too is believed, one that it does not show is not', () => {
  const wrap: PackageSpec = { name: 'perf', scripts: { preinst: 'for w in a b; do dpkg-divert --divert "$d$w" --add "$w"; done' } };
  const image: Files = { '/usr/bin/tool.w': { text: 'tool', mode: 0o755 }, ...diversion('/usr/bin/tool', '/usr/bin/tool.w', 'perf') };
  assert.equal(states([TOOL, wrap], image)['/usr/bin/tool'], 'missing');
  assert.deepEqual(states([TOOL, wrap], image, diversion('/usr/bin/tool', '/usr/bin/tool.w', 'perf')), { '/usr/bin/tool.w': 'equal' });
  assert.equal(states([TOOL, wrap], image, diversion('/usr/bin/tool', '/usr/bin/tool.x', 'perf'))['/usr/bin/tool'], 'missing');
});

test('dpkg knows nothing of a merged /usr, and so a diversion is of the path as packaged', () => {
  const merged: Files = { '/lib': { link: 'usr/lib' }, '/usr/lib': { dir: true }, '/usr/lib/l': 'l' };
  const guard: PackageSpec = { name: 'guard', scripts: { preinst: 'dpkg-divert --package guard --divert /lib/l.off --add /lib/l' } };
  const lib: PackageSpec = { name: 'lib', files: { '/usr/lib/l': 'l' } };
  for (const packages of [[guard, lib], [lib]]) {
    const image = { ...merged, ...diversion('/lib/l', '/lib/l.off', 'guard') };
    assert.equal(states(packages, image)['/usr/lib/l'], 'equal');
    assert.deepEqual(codes(packages, image), []);
    assert.equal(states(packages, { ...image, '/usr/lib/l': 'evil', '/usr/lib/l.off': 'l' })['/usr/lib/l'], 'content');
  }
  const old: PackageSpec = { name: 'old', files: { '/lib/l': 'old' } };
  const image = { ...merged, '/usr/lib/l.off': 'old', ...diversion('/lib/l', '/lib/l.off', 'guard') };
  assert.deepEqual(states([guard, lib, old], image)['/usr/lib/l.off'], 'equal');
});

const HELPER: PackageSpec = {
  name: 'dbus',
  files: { '/usr/lib/helper': { text: 'h', mode: 0o755 } },
  scripts: { postinst: 'USER=messagebus\nLAUNCHER="/usr/lib/helper"\ndpkg-statoverride --update --add root "$USER" 4754 "$LAUNCHER"\n' },
};
const GROUP = { '/etc/group': 'root:x:0:\nmessagebus:x:105:\n', '/etc/passwd': 'root:x:0:0::/:\n' };
const override = (line: string): Files => ({ '/var/lib/dpkg/statoverride': `${line}\n` });

test('a statoverride that a verified script makes sets mode and owner', () => {
  const image: Files = {
    '/usr/lib/helper': { text: 'h', mode: 0o4754, gid: 105 },
    ...GROUP,
    ...override('root messagebus 4754 /usr/lib/helper'),
  };
  assert.deepEqual(states([HELPER], image), { '/usr/lib/helper': 'equal' });
  assert.equal(expectation([HELPER], image).files.get('/usr/lib/helper')?.expected.overridden, true);
  assert.equal(states([HELPER], { ...image, '/usr/lib/helper': { text: 'evil', mode: 0o4754, gid: 105 } })['/usr/lib/helper'], 'content');
});

test('a statoverride in the image’s own words gives no rights', () => {
  const cases: [string, string, Partial<{ mode: number; uid: number; gid: number }>, Files?][] = [
    ['a mode of its own', 'root messagebus 4755 /usr/lib/helper', { mode: 0o4755, gid: 105 }],
    ['a group of its own', 'root root 4754 /usr/lib/helper', { mode: 0o4754 }],
    ['a user of its own', 'messagebus messagebus 4754 /usr/lib/helper', { mode: 0o4754, uid: 105, gid: 105 }],
    [
      'a group that is root by another name',
      'root messagebus 4754 /usr/lib/helper',
      { mode: 0o4754, gid: 0 },
      { '/etc/group': 'messagebus:x:0:\n' },
    ],
    ['a fixed group’s number', 'root messagebus 4754 /usr/lib/helper', { mode: 0o4754, gid: 42 }, { '/etc/group': 'messagebus:x:42:\n' }],
    ['a group that is not there', 'root messagebus 4754 /usr/lib/helper', { mode: 0o4754, gid: 105 }, { '/etc/group': '' }],
  ];
  for (const [name, line, facts, more] of cases) {
    const image: Files = { ...GROUP, ...more, '/usr/lib/helper': { text: 'h', ...facts }, ...override(line) };
    assert.notEqual(states([HELPER], image)['/usr/lib/helper'], 'equal', name);
    assert.deepEqual(codes([HELPER], image), ['unexplained-statoverride'], name);
  }
  // Another file in the override of the script.
  const image: Files = {
    '/usr/bin/tool': { text: 'tool', mode: 0o4754, gid: 105 },
    ...GROUP,
    ...override('root messagebus 4754 /usr/bin/tool'),
  };
  assert.equal(states([HELPER, TOOL], image)['/usr/bin/tool'], 'mode,owner');
});

test('fixed accounts are those of base-passwd’s verified file', () => {
  const passwd: PackageSpec = { name: 'base-passwd', files: { '/usr/share/base-passwd/group.master': 'shadow:*:42:\n' } };
  const spec: PackageSpec = {
    name: 's',
    files: { '/usr/bin/s': { text: 's', mode: 0o755 } },
    scripts: { postinst: 'dpkg-statoverride --add root shadow 2755 /usr/bin/s' },
  };
  const image = (master: string, gid: number): Files => ({
    '/usr/share/base-passwd/group.master': master,
    '/usr/bin/s': { text: 's', mode: 0o2755, gid },
    '/etc/group': `shadow:x:${gid}:\n`,
    ...override('root shadow 2755 /usr/bin/s'),
  });
  assert.equal(states([passwd, spec], image('shadow:*:42:\n', 42))['/usr/bin/s'], 'equal');
  assert.notEqual(states([passwd, spec], image('shadow:*:0:\n', 0))['/usr/bin/s'], 'equal');
  assert.notEqual(states([passwd, spec], image('shadow:*:42:\n', 0))['/usr/bin/s'], 'equal');
});

test('paths that the image excludes are missing all the same, and told why', () => {
  const doc: PackageSpec = {
    name: 'd',
    files: { '/usr/share/doc/d/changelog': 'c', '/usr/share/doc/d/copyright': 'c', '/usr/bin/d': 'd' },
  };
  const config = (text: string): Files => ({ '/etc/dpkg/dpkg.cfg.d/docker': text });
  const docker = config('# slim\npath-exclude /usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n');
  assert.deepEqual(states([doc], docker), {
    '/usr/bin/d': 'missing',
    '/usr/share/doc/d/changelog': 'missing (/usr/share/doc/*)',
    '/usr/share/doc/d/copyright': 'missing',
  });
  // An exclusion excuses an absence, never other bytes.
  assert.equal(states([doc], { ...config('path-exclude=/usr/bin/*'), '/usr/bin/d': 'evil' })['/usr/bin/d'], 'content');
  assert.equal(states([doc], { '/etc/dpkg/dpkg.cfg.d/x.bak': 'path-exclude=/*' })['/usr/bin/d'], 'missing'); // dpkg does not read it either
});

test('what dpkg keeps of a package is what its .deb has', () => {
  const spec: PackageSpec = {
    name: 'p',
    control: { 'multi-arch': 'same' },
    files: { '/usr/p': 'p' },
    members: { md5sums: 'sums', postinst: 'exit 0' },
  };
  const honest: Files = {
    '/usr/p': 'p',
    '/var/lib/dpkg/info/p:amd64.list': listOf(spec),
    '/var/lib/dpkg/info/p:amd64.md5sums': 'sums',
    '/var/lib/dpkg/info/p:amd64.postinst': { text: 'exit 0', mode: 0o755 },
  };
  assert.deepEqual(new Set(Object.values(states([spec], honest))), new Set(['equal']));
  assert.equal(Object.keys(states([spec], honest)).length, 4);
  const forged = { ...honest, '/usr/p': 'evil', '/var/lib/dpkg/info/p:amd64.md5sums': 'corrected' };
  assert.equal(states([spec], forged)['/usr/p'], 'content');
  assert.deepEqual(codes([spec], forged), ['forged-checksums']);
  const script = { ...honest, '/var/lib/dpkg/info/p:amd64.postinst': { text: 'curl | sh', mode: 0o755 } };
  assert.equal(states([spec], script)['/var/lib/dpkg/info/p:amd64.postinst'], 'content');
  assert.equal(states([spec], { ...honest, '/var/lib/dpkg/info/p:amd64.list': '/usr/q' })['/var/lib/dpkg/info/p:amd64.list'], 'content');
  assert.deepEqual(states([spec], { '/usr/p': 'p' }), { '/usr/p': 'equal' }); // distroless keeps none of it
});

test('of a removed package only its conffiles are its own', () => {
  const spec: PackageSpec = {
    name: 'r',
    state: 'config-files',
    files: { '/etc/r': 'r', '/usr/bin/r': 'r' },
    conffiles: ['/etc/r'],
    scripts: {},
    members: { postrm: 'x', postinst: 'y' },
  };
  const image: Files = {
    '/etc/r': 'r',
    '/usr/bin/r': 'r',
    '/var/lib/dpkg/info/r.list': '/etc/r',
    '/var/lib/dpkg/info/r.postrm': { text: 'x', mode: 0o755 },
  };
  assert.deepEqual(states([spec], image), { '/etc/r': 'equal', '/var/lib/dpkg/info/r.postrm': 'equal' });
});

test('the answer does not depend on the order of the packages where dpkg does not', () => {
  const image: Files = { '/bin/dash': 'dash', '/bin/sh': { link: 'dash' }, '/usr/bin/tool': 'evil', '/srv': { dir: true } };
  const packages: PackageSpec[] = [SHELL, TOOL, BASE];
  assert.deepEqual(states(packages, image), states(packages.toReversed(), image));
});

test('a pattern that is made to be slow is not', () => {
  const started = performance.now();
  const spec: PackageSpec = { name: 'd', files: { [`/usr/${'a'.repeat(3000)}`]: 'c' } };
  states([spec], { '/etc/dpkg/dpkg.cfg.d/x': `path-exclude=/${'*a'.repeat(1000)}*b\n`.repeat(50) });
  assert.ok(performance.now() - started < 3000);
});

test('the folders that apt downloads to are its user’s once it has run, and nobody else’s', () => {
  const path = '/var/cache/apt/archives/partial';
  const apt: PackageSpec = { name: 'apt', files: { [path]: { dir: true } } };
  const passwd = '/etc/passwd';
  const accounts = (line: string): Files => ({ [passwd]: `root:x:0:0::/root:/bin/sh\n${line}\n` });
  const cases: [name: string, folder: FileSpec, accounts: Files, expected: string][] = [
    ['as packaged', { dir: true }, accounts('_apt:x:100:65534::/:/bin/false'), 'equal'],
    ['as apt leaves it', { dir: true, mode: 0o700, uid: 100 }, accounts('_apt:x:100:65534::/:/bin/false'), 'equal'],
    ['of another user', { dir: true, mode: 0o700, uid: 1000 }, accounts('_apt:x:100:65534::/:/bin/false'), 'owner'],
    ['open to all', { dir: true, mode: 0o777, uid: 100 }, accounts('_apt:x:100:65534::/:/bin/false'), 'mode'],
    ['of a group', { dir: true, mode: 0o700, uid: 100, gid: 100 }, accounts('_apt:x:100:65534::/:/bin/false'), 'owner'],
    ['with no such user', { dir: true, mode: 0o700, uid: 100 }, accounts('other:x:100:65534::/:/bin/false'), 'mode,owner'],
    ['a name for a fixed account', { dir: true, mode: 0o700, uid: 33 }, accounts('_apt:x:33:65534::/:/bin/false'), 'mode,owner'],
  ];
  for (const [name, folder, files, expected] of cases) assert.equal(states([apt], { ...files, [path]: folder })[path], expected, name);
});
