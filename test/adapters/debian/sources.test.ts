import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { suitesOf, codenameOf } from '../../../src/adapters/debian/releases.ts';
import { debianEntries, debianSources } from '../../../src/adapters/debian/sources.ts';
import type { InstalledPackage } from '../../../src/model/debian.ts';
import { Problem } from '../../../src/problem.ts';

test('sources of one line each', () => {
  const cases: [string, { address: string; suite: string }[]][] = [
    ['deb http://a.example/debian bookworm main contrib', [{ address: 'http://a.example/debian', suite: 'bookworm' }]],
    ['deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://a.example/debian/ bookworm main # x', [{ address: 'https://a.example/debian', suite: 'bookworm' }]], // prettier-ignore
    ['# deb http://a.example/debian bookworm main', []],
    ['deb-src http://a.example/debian bookworm main', []],
    ['deb [signed-by=/etc/apt/keyrings/docker.asc] https://b.example/linux/debian bookworm main', []],
    ['deb https://b.example/linux/debian bookworm stable', []],
    ['deb cdrom:[Debian]/ bookworm main', []],
    ['deb file:/srv/debian bookworm main', []],
  ];
  for (const [line, expected] of cases) assert.deepEqual(debianEntries('a.list', line).map(({ address, suite }) => ({ address, suite })), expected, line); // prettier-ignore
});

test('sources in stanzas', () => {
  const text = `Types: deb deb-src
URIs: http://a.example/debian/ http://b.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://a.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://c.example/node
Suites: nodistro
Components: main
Signed-By: /usr/share/keyrings/nodesource.gpg

Enabled: no
Types: deb
URIs: http://d.example/debian
Suites: bookworm
Components: main

not a stanza
`;
  assert.deepEqual(
    debianEntries('a.sources', text).map(({ address, suite }) => `${address} ${suite}`),
    [
      'http://a.example/debian bookworm',
      'http://a.example/debian bookworm-updates',
      'http://b.example/debian bookworm',
      'http://b.example/debian bookworm-updates',
      'http://a.example/debian-security bookworm-security',
    ],
  );
});

test('the machine’s sources by role, and what stands in their place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-apt-'));
  try {
    await mkdir(join(folder, 'sources.list.d'));
    await writeFile(
      join(folder, 'sources.list'),
      'deb http://a.example/debian trixie main\ndeb http://s.example/debian-security trixie-security main\n',
    );
    await writeFile(
      join(folder, 'sources.list.d/x.sources'),
      'Types: deb\nURIs: http://b.example/debian\nSuites: trixie-updates\nComponents: main\n',
    );
    await writeFile(join(folder, 'sources.list.d/x.disabled'), 'deb http://c.example/debian trixie main\n');
    assert.deepEqual(await debianSources(undefined, folder), {
      archive: ['http://a.example/debian', 'http://b.example/debian'],
      security: ['http://s.example/debian-security'],
    });
    assert.deepEqual(await debianSources('http://m.example/debian/', folder), {
      archive: ['http://m.example/debian'],
      security: ['http://m.example/debian-security'],
    });
    assert.deepEqual(await debianSources('http://m.example/debian, http://n.example/sec', folder), {
      archive: ['http://m.example/debian'],
      security: ['http://n.example/sec'],
    });
    await assert.rejects(
      debianSources('m.example/debian', folder),
      (error) => error instanceof Problem && error.code === 'invalid-configuration',
    );
    assert.deepEqual(await debianSources(undefined, join(folder, 'none')), { archive: [], security: [] });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the release an image says it is of', () => {
  const base = { name: 'base-files', version: '12.4+deb12u11' } as InstalledPackage;
  const cases: [Record<string, string>, InstalledPackage[], string | undefined][] = [
    [{ ID: 'debian', VERSION_CODENAME: 'trixie' }, [base], 'trixie'],
    [{ ID: 'debian', VERSION: 'Debian GNU/Linux 12 (bookworm)' }, [], 'bookworm'],
    [{ ID: 'debian', VERSION_ID: '13' }, [], 'trixie'],
    [{}, [base], 'bookworm'],
    [{}, [], undefined],
    [{ ID: 'ubuntu', VERSION_CODENAME: 'noble' }, [base], undefined],
    [{ ID: 'debian', VERSION_CODENAME: '../../etc' }, [], undefined],
  ];
  for (const [osRelease, packages, expected] of cases) assert.equal(codenameOf(osRelease, packages), expected, JSON.stringify(osRelease));
});

test('each suite has the keys of its own release and role', () => {
  const files = new Set(
    ['bookworm-automatic', 'bookworm-stable', 'bookworm-security-automatic', 'trixie-automatic'].map((name) => `debian-archive-${name}`),
  );
  const keysBySuite = (codename: string, packages: Partial<InstalledPackage>[] = []): Record<string, string[]> =>
    Object.fromEntries(
      suitesOf(codename, packages as InstalledPackage[], (name) => files.has(name)).map(({ suite, keyrings }) => [suite, keyrings]),
    );
  assert.deepEqual(keysBySuite('bookworm'), {
    bookworm: ['debian-archive-bookworm-automatic', 'debian-archive-bookworm-stable'],
    'bookworm-security': ['debian-archive-bookworm-security-automatic'],
    'bookworm-updates': ['debian-archive-bookworm-automatic'],
  });
  assert.ok('bookworm-backports' in keysBySuite('bookworm', [{ version: '1-1~bpo12+1' }]));
  // Testing has no keys of its own yet: those of the release before it sign.
  assert.deepEqual(keysBySuite('forky')['forky'], ['debian-archive-trixie-automatic']);
  assert.ok('sid' in keysBySuite('forky'));
  assert.deepEqual(keysBySuite('bullseye'), {}); // no pinned keys: not asked at all
});
