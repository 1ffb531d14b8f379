import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VerifiedList } from '../../../src/model/apt-lists.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { FileSpec } from '../../support/packaged-image.ts';
import { excuse, form } from '../../support/rules.ts';

const FOLDER = '/var/lib/apt/lists/mirror.example_debian_dists_bookworm';
const INDEX = `${FOLDER}_main_binary-amd64_Packages`;
const RELEASE = 'Suite: oldstable\n';

/** A Release file that is verified and names one index. */
function listed(index: string, more: Partial<VerifiedList> = {}): VerifiedList {
  const words = { origin: 'Debian', suite: 'oldstable', codename: 'bookworm', date: '2026-01-01T00:00:00.000Z', signers: [] };
  const indexes = [{ path: 'main/binary-amd64/Packages', digest: digestOf(index) }];
  return { path: `${FOLDER}_InRelease`, digest: digestOf(RELEASE), ...words, indexes, ...more };
}

test("apt's lists: a Release file counts where it is verified, an index under the name that such a file gives it", () => {
  const a = 'Package: a\n';
  const lists = [listed(a)];
  const is = (path: string, published: FileSpec, rebuilt?: FileSpec, verified = lists): string => excuse(path, published, rebuilt, { lists: verified }); // prettier-ignore
  assert.equal(is(`${FOLDER}_InRelease`, RELEASE, 'of another day'), 'apt-lists@2');
  assert.equal(is(INDEX, a, 'of another day'), 'apt-lists@2');
  assert.equal(is(INDEX, a), 'apt-lists@2', 'left by the published build alone');
  assert.equal(is(`${INDEX}.lz4`, { text: 'packed', unpacked: digestOf(a) }), 'apt-lists@2');
  const signed = listed(a, { path: `${FOLDER}_Release`, signature: digestOf('signature') });
  assert.equal(is(`${FOLDER}_Release`, RELEASE, undefined, [signed]), 'apt-lists@2');
  assert.equal(is(`${FOLDER}_Release.gpg`, 'signature', undefined, [signed]), 'apt-lists@2');
  const quoted = listed(a, { indexes: [{ path: 'ma_in/x', digest: digestOf(a) }] });
  assert.equal(is(`${FOLDER}_ma%5fin_x`, a, undefined, [quoted]), 'apt-lists@2');

  const attacks: [name: string, path: string, file: FileSpec, verified?: VerifiedList[]][] = [
    ['a forged Release file', `${FOLDER}_InRelease`, `${RELEASE}x`],
    ['one that nobody verified', `${FOLDER}_InRelease`, RELEASE, []],
    ['a verified one under another name', `${FOLDER}-updates_InRelease`, RELEASE],
    ['any bytes as a signature', `${FOLDER}_Release.gpg`, 'evil', [signed]],
    ['a signature without its Release file', `${FOLDER}_Release.gpg`, 'signature'],
    ['another index', INDEX, 'Package: evil\n'],
    ['an index whose digest stands in a comment, beside a Release file that is not verified', INDEX, a, []],
    ['an index under the name of another', `${FOLDER}_main_binary-arm64_Packages`, a],
    ['an index of another suite', INDEX.replace('bookworm', 'bookworm-updates'), a],
    ['a packed index with other bytes', `${INDEX}.lz4`, { text: 'packed', unpacked: digestOf('evil') }],
    ['a packed index that does not unpack', `${INDEX}.lz4`, 'evil'],
    ['a file whose name says that it is packed', INDEX, { text: 'evil', unpacked: digestOf(a) }],
    ['a file with no such name', '/var/lib/apt/lists/evil', 'x'],
    ['a program', INDEX, { text: a, mode: 0o755 }],
  ];
  for (const [name, path, file, verified] of attacks) {
    assert.equal(is(path, file, undefined, verified), 'unknown', name);
    assert.equal(is(path, file, 'of another day', verified), 'unknown', `${name}, in place of the rebuilt one`);
  }
  // The rebuild has the lists of its own day, which the published image need not have.
  assert.equal(excuse(INDEX, undefined, a, { lists }), 'apt-lists@2');
  assert.equal(excuse('/var/lib/apt/lists/evil', undefined, a, { lists }), 'unknown');
});

test('apt sources: any mirror of suites that Debian signs, and no other trust', () => {
  const rows: [text: string, expected: boolean][] = [
    ['deb http://one.example/debian bookworm main\n', true],
    [
      '# comment\ndeb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://one.example/debian-security bookworm-security main contrib\n',
      true,
    ],
    ['deb [trusted=yes] http://one.example/debian bookworm main\n', false],
    ['deb [allow-insecure=yes] http://one.example/debian bookworm main\n', false],
    ['deb [signed-by=/etc/apt/evil.gpg] http://one.example/debian bookworm main\n', false],
    ['deb [signed-by=/usr/share/keyrings/debian-archive-removed-keys.gpg] http://one.example/debian bookworm main\n', false],
    ['deb http://one.example/ ./\n', false],
    ['deb http://one.example/debian bookworm evil\n', false],
    ['evil\n', false],
  ];
  for (const [text, expected] of rows) assert.equal(form('/etc/apt/sources.list', text), expected ? 'apt-sources' : 'none', text);
  const deb822 = (more = '') => `Types: deb\nURIs: http://one.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n${more}`;
  assert.equal(
    form('/etc/apt/sources.list.d/debian.sources', deb822('Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n')),
    'apt-sources',
  );
  assert.equal(form('/etc/apt/sources.list.d/debian.sources', deb822('Trusted: yes\n')), 'none');
  assert.equal(form('/etc/apt/sources.list.d/debian.sources', deb822('Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n')), 'none');
  assert.equal(form('/etc/apt/apt.conf.d/x', 'x'), 'none');
});
