import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import { excuse, form } from '../../support/rules.ts';

test("apt's lists: an index counts beside the Release file that names it", () => {
  const folder = '/var/lib/apt/lists/mirror.example_debian_dists_bookworm';
  const index = (text: string) => ({ [`${folder}_main_binary-amd64_Packages`]: text });
  const release = (text: string) => ({
    [`${folder}_InRelease`]: `Origin: Debian\nSuite: oldstable\nSHA256:\n ${hexOf(digestOf(text))} 9 main/binary-amd64/Packages\n`,
  });
  const path = `${folder}_main_binary-amd64_Packages`;
  const both = { published: release('Package: a\n'), rebuilt: release('Package: b\n') };
  assert.equal(excuse(path, 'Package: a\n', 'Package: b\n', both), 'apt-lists@1');
  assert.equal(excuse(path, 'Package: a\n', undefined, { published: release('Package: a\n') }), 'apt-lists@1');
  assert.equal(excuse(path, 'Package: evil\n', 'Package: b\n', both), 'unknown', 'not the index that the Release file names');
  assert.equal(excuse(path, 'Package: a\n', 'Package: b\n'), 'unknown', 'no Release file');
  assert.equal(excuse('/var/lib/apt/lists/evil', 'x', undefined), 'unknown');
  assert.equal(excuse(path, { text: 'Package: a\n', mode: 0o755 }, undefined, { published: release('Package: a\n') }), 'unknown');
  assert.equal(form(path, 'Package: a\n', { ...release('Package: a\n') }), 'apt-lists');
  assert.equal(Object.keys(index('')).length, 1);
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
