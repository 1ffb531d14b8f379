import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AptRepository } from '../../src/model/debian.ts';
import { aptRepositories } from '../../src/steps/apt-repositories.ts';
import { wantsContent } from '../../src/steps/wants-content.ts';
import { imageOf } from '../support/packaged-image.ts';

const LIST = '/etc/apt/sources.list.d/a.list';
const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n';

function found(files: Record<string, string>, hidden: Record<string, string> = {}): AptRepository[] {
  const image = imageOf(files);
  const below = imageOf(hidden);
  const inventory = {
    ...image.inventory,
    hidden: below.inventory.entries.map((entry) => ({ ...entry, hiddenBy: 1, how: 'whiteout' as const })),
  };
  return aptRepositories(inventory, new Map([...image.contents, ...below.contents]), 'amd64');
}
const textOf = (repository: AptRepository | undefined): string[] =>
  (repository?.keys ?? []).map(({ base64 }) => Buffer.from(base64, 'base64').toString());

test('both styles, with the key files that they name', () => {
  const keys = { '/usr/share/keyrings/a.gpg': 'binary', '/etc/apt/keyrings/b.asc': KEY, '/etc/apt/trusted.gpg.d/c.asc': 'trusted' };
  assert.deepEqual(
    found({
      ...keys,
      [LIST]:
        'deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://a.example/apt/ stable main extra # why\ndeb http://a.example/old ./\n',
      '/etc/apt/sources.list.d/b.sources': 'Types: deb\nURIs: https://b.example\nSuites: bookworm $(ARCH)/\nComponents: stable\nSigned-By: /etc/apt/keyrings/b.asc\n', // prettier-ignore
    }).map(({ address, suite, components, keys: [key], source }) => [address, suite, components.join(), key?.path, source]),
    [
      ['https://a.example/apt', 'stable', 'main,extra', '/usr/share/keyrings/a.gpg', LIST],
      ['http://a.example/old', './', '', '/etc/apt/trusted.gpg.d/c.asc', LIST],
      ['https://b.example', 'bookworm', 'stable', '/etc/apt/keyrings/b.asc', '/etc/apt/sources.list.d/b.sources'],
      ['https://b.example', 'amd64/', '', '/etc/apt/keyrings/b.asc', '/etc/apt/sources.list.d/b.sources'],
    ],
  );
  for (const path of Object.keys(keys)) assert.ok(wantsContent(path, 5000), path);
  assert.ok(!wantsContent('/usr/share/keyrings/debian-archive-keyring.gpg', 5000));
});

test('a key that stands in the source itself, and keys by fingerprint', () => {
  const block = KEY.trimEnd().split('\n').map((line) => ` ${line === '' ? '.' : line}`).join('\n'); // prettier-ignore
  const stanza = (signedBy: string): string => `Types: deb\nURIs: https://a.example\nSuites: x\nComponents: y\nSigned-By:${signedBy}\n`;
  const [inline] = found({ '/etc/apt/sources.list.d/a.sources': stanza(`\n${block}`) });
  assert.deepEqual(textOf(inline), [KEY]);
  const print = 'abcdef0123456789abcdef0123456789abcdef01';
  const [named] = found({ '/etc/apt/sources.list.d/a.sources': stanza(` ${print}`), '/etc/apt/trusted.gpg.d/c.gpg': 'c' });
  assert.deepEqual([named?.fingerprints, textOf(named)], [[print.toUpperCase()], ['c']]);
});

test('a source or a key that a later layer removed counts', () => {
  const line = 'deb [signed-by=/etc/apt/keyrings/b.asc] https://b.example x y\n';
  const [one] = found({}, { [LIST]: line, '/etc/apt/keyrings/b.asc': KEY });
  assert.deepEqual([one?.address, textOf(one)], ['https://b.example', [KEY]]);
  // What is there now comes before what was there.
  assert.deepEqual(textOf(found({ [LIST]: line, '/etc/apt/keyrings/b.asc': 'now' }, { '/etc/apt/keyrings/b.asc': KEY })[0]), ['now']);
});

test("Debian's own, and what is no address to ask", () => {
  const lines = [
    'deb http://a.example/debian bookworm main',
    'deb http://a.example/debian-security bookworm-security main contrib',
    'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://a.example/debian bookworm main',
    'deb https://user:secret@a.example/apt stable main',
    'deb https://a.example/apt?token=secret stable main',
    'deb https://a.example/apt ../../etc/ main',
    'deb file:/srv/apt stable main',
    'deb-src https://a.example/apt stable main',
    '# deb https://a.example/apt stable main',
    'deb https://[/apt stable main',
  ];
  assert.deepEqual(
    found({ '/etc/apt/sources.list': lines.join('\n'), '/etc/apt/sources.list.d/x.disabled': 'deb https://c.example x y\n' }),
    [],
  );
});

test('there are never many', () => {
  const lines = Array.from({ length: 500 }, (_, i) => `deb https://a${i}.example x ${'y '.repeat(99)}`);
  const components = `deb https://b.example x ${Array.from({ length: 99 }, (_, i) => `c${i}`).join(' ')}`;
  const keys = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`/etc/apt/trusted.gpg.d/${i}.gpg`, 'k']));
  const all = found({ ...keys, [LIST]: [components, ...lines].join('\n') });
  assert.equal(all.length, 16);
  assert.equal(all[0]?.components.length, 8);
  assert.equal(all[0]?.keys.length, 16);
});
