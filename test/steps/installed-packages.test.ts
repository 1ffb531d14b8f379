import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, type Digest } from '../../src/model/digest.ts';
import type { Entry, Inventory } from '../../src/model/inventory.ts';
import { byText } from '../../src/model/path.ts';
import { installedPackages, parseOsRelease, type Installed } from '../../src/steps/installed-packages.ts';

/** The packages of an image that holds these files. */
function installed(
  files: Record<string, string | Buffer>,
  config: { architecture: string; variant?: string } = { architecture: 'amd64' },
): Installed {
  const contents = new Map<Digest, Uint8Array>();
  const entries = Object.entries(files).map(([path, text]): Entry => {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    contents.set(digest, bytes);
    return { path, kind: 'file', size: bytes.length, digest, mode: 0o644, uid: 0, gid: 0, mtime: 0, layer: 0 };
  });
  entries.sort((a, b) => byText(a.path, b.path));
  return installedPackages({ entries, config: { os: 'linux', ...config } } as unknown as Inventory, contents);
}

const stanza = (name: string, more = '', status = 'install ok installed', version = '1'): string =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: ${version}\n${more}`;

test('packages with their source, version and state', () => {
  const status = [
    stanza('zlib1g', 'Source: zlib (1:1.2.13)\n', 'install ok installed', '1:1.2.13.dfsg-1+b1'),
    stanza('bash', 'Source: bash\nConffiles:\n /etc/bash.bashrc 00\nDescription: a shell\n Of Bourne.\n .\n Again.\n'),
    stanza('gone', '', 'deinstall ok config-files'),
    stanza('never', '', 'unknown ok not-installed'),
    'Package: neither\nStatus: unknown ok not-installed\n',
  ].join('\n');
  const { packages, rejected } = installed({ '/var/lib/dpkg/status': status });
  assert.deepEqual(packages, [
    { name: 'bash', version: '1', architecture: 'amd64', source: 'bash', sourceVersion: '1', state: 'installed' },
    { name: 'gone', version: '1', architecture: 'amd64', source: 'gone', sourceVersion: '1', state: 'config-files' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1+b1', architecture: 'amd64', source: 'zlib', sourceVersion: '1:1.2.13', state: 'installed' },
  ]);
  assert.deepEqual(rejected, []);
});

test('distroless images have a file for each package', () => {
  const { packages, architecture } = installed({
    '/var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: arm64\n',
    '/var/lib/dpkg/status.d/base.md5sums': '00  usr/x\n',
    '/var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n',
  });
  assert.deepEqual(packages.map(({ name, state }) => `${name} ${state}`), ['base-files installed', 'tzdata installed']); // prettier-ignore
  assert.equal(architecture, 'arm64');
});

test('stanzas that name no package are told and passed over', () => {
  const cases: string[] = [
    stanza('../../etc'),
    stanza('UPPER'),
    stanza('a b'),
    stanza('x'),
    'Status: install ok installed\nVersion: 1\nArchitecture: amd64\n',
    'Package: noversion\nStatus: install ok installed\nArchitecture: amd64\n',
    stanza('evil', '', 'install ok installed', '1\u001b[31m'),
    stanza('evil', '', 'install ok surprise'),
    stanza('twice', 'Version: 2\n'),
    'no stanza at all\n',
    stanza('evil').replace('amd64', 'amd64/../x'),
    stanza('evil', 'x: y\n'.repeat(1)).concat(Array.from({ length: 400 }, (_, i) => `F${i}: x\n`).join('')),
    stanza('evil', `Description: ${'x'.repeat(5_000_000)}\n`),
  ];
  for (const text of cases) {
    const { packages, rejected } = installed({ '/var/lib/dpkg/status': `${stanza('good')}\n${text}\n${stanza('fine')}` });
    assert.deepEqual(packages.map(({ name }) => name), ['fine', 'good'], JSON.stringify(text.slice(0, 60))); // prettier-ignore
    assert.equal(rejected.length, 1, JSON.stringify(text.slice(0, 60)));
  }
});

test('of two stanzas for one package the last counts, and it is told', () => {
  const { packages, rejected } = installed({ '/var/lib/dpkg/status': `${stanza('aa')}\n${stanza('aa', '', 'install ok installed', '2')}` });
  assert.deepEqual(packages.map(({ version }) => version), ['2']); // prettier-ignore
  assert.equal(rejected.length, 1);
});

test('a source that does not parse is the package itself', () => {
  for (const source of ['../x', 'a (1) b', 'A', '__proto__'])
    assert.equal(installed({ '/var/lib/dpkg/status': stanza('bash', `Source: ${source}\n`) }).packages[0]?.source, 'bash', source);
});

test('bytes that are no text do no harm', () => {
  const { packages } = installed({
    '/var/lib/dpkg/status': Buffer.concat([Buffer.from(stanza('aa')), Buffer.from([0xff, 0xfe, 0x00, 0x0a])]),
  });
  assert.deepEqual(packages, []);
});

test('an image without a database of packages', () => {
  assert.deepEqual(installed({ '/etc/passwd': 'x' }), { packages: [], osRelease: {}, architecture: 'amd64', rejected: [] });
  assert.equal(installed({}, { architecture: 'arm', variant: 'v7' }).architecture, 'armhf');
  assert.equal(installed({}, { architecture: 'arm', variant: 'v5' }).architecture, 'armel');
  assert.equal(installed({}, { architecture: '386' }).architecture, 'i386');
});

test('os-release as a shell would read it, without running it', () => {
  const text = 'ID=debian\nVERSION_CODENAME="book\\"worm"\nA=\'b c\'\n# no\nX Y=1\nPATH=$(id)\n__proto__=x\n';
  assert.deepEqual(parseOsRelease(text), { ID: 'debian', VERSION_CODENAME: 'book"worm', A: 'b c', PATH: '$(id)' });
  const { osRelease } = installed({ '/etc/os-release': 'ID=a\n', '/usr/lib/os-release': 'ID=b\n' });
  assert.equal(osRelease['ID'], 'a');
});
