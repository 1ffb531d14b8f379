import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inventory } from '../../src/model/inventory.ts';
import { installationDates } from '../../src/steps/installation-dates.ts';
import { wantsContent } from '../../src/steps/wants-content.ts';
import { type FileSpec, imageOf } from '../support/packaged-image.ts';

const LIST = '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease';
const release = (date: string): string => `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nDate: ${date}\n`;

function dates(files: Record<string, FileSpec>, config: Partial<Inventory['config']> = {}, hidden: Record<string, string> = {}): string[] {
  const image = imageOf(files);
  const below = imageOf(hidden);
  const inventory: Inventory = {
    ...image.inventory,
    config: { ...image.inventory.config, ...config },
    hidden: below.inventory.entries.map(({ path, ...facts }) => ({ ...facts, path, hiddenBy: 1, how: 'whiteout' })),
  };
  return installationDates(inventory, new Map([...image.contents, ...below.contents])).map(({ time, from }) => `${from} ${time}`);
}

test('each kind of date, best first', () => {
  assert.deepEqual(
    dates(
      {
        [LIST]: release('Sat, 10 Jun 2023 15:00:00 UTC'),
        '/etc/apt/sources.list.d/debian.sources':
          'Types: deb\n# http://snapshot.debian.org/archive/debian/20230612T000000Z\nURIs: http://mirror.example/debian\n# http://snapshot.debian.org/archive/debian-security/20230613T000000Z\n',
        '/var/log/dpkg.log': '2023-06-14 07:00:00 startup archives unpack\n2023-06-14 08:01:02 status installed bash:amd64 5\n',
        '/var/log/apt/history.log': 'Start-Date: 2023-06-15  08:00:00\nCommandline: apt-get install x\nEnd-Date: 2023-06-15  09:01:02\n',
      },
      { created: '2023-06-16T10:11:12.123456789Z', history: [{ created: '2023-02-01T00:00:00Z' }, { comment: 'no time' }] },
    ),
    [
      'apt-lists 20230610T150000Z',
      'apt-sources 20230613T000000Z',
      'apt-sources 20230612T000000Z',
      'dpkg-log 20230614T080102Z',
      'apt-history 20230615T090102Z',
      'image-created 20230616T101112Z',
      'image-created 20230201T000000Z',
    ],
  );
});

test('files that a later layer hides count, and are read for it', () => {
  assert.ok(wantsContent(LIST, 200_000) && wantsContent('/var/log/dpkg.log', 200_000));
  assert.deepEqual(
    dates({ '/var/log/dpkg.log': '2023-06-14 08:01:02 status installed bash:amd64 5\n' }, {}, { [LIST]: release('Sat, 10 Jun 2023 15:00:00 UTC'), '/var/log/dpkg.log': '2023-01-01 00:00:00 status installed base-files:amd64 12\n' }), // prettier-ignore
    ['apt-lists 20230610T150000Z', 'dpkg-log 20230614T080102Z', 'dpkg-log 20230101T000000Z'],
  );
});

test('times that one state of the archive spans are one, and there are never many', () => {
  assert.deepEqual(
    dates({ '/var/log/dpkg.log': '2023-06-14 08:01:02 x\n', '/var/log/apt/history.log': 'End-Date: 2023-06-14  08:01:03\n' }, { created: '2023-06-14T09:00:00Z' }), // prettier-ignore
    ['dpkg-log 20230614T080102Z'],
  );
  const lists = Array.from({ length: 99 }, (_, day) => [
    `/var/lib/apt/lists/x_${day}_InRelease`,
    release(`${(day % 28) + 1} Jan ${1970 + day} 00:00:00 UTC`),
  ]);
  const history = Array.from({ length: 99 }, (_, year) => ({ created: `${2000 + year}-01-01T00:00:00Z` }));
  assert.equal(dates(Object.fromEntries(lists), { history }).length, 8);
});

test('what is no time is none', () => {
  assert.deepEqual(
    dates(
      {
        [LIST]: release('tomorrow'),
        '/etc/apt/sources.list': '# http://snapshot.debian.org/archive/debian/20231399T000000Z\n',
        '/var/log/dpkg.log': '9999-99-99 99:99:99 x\nnothing\n',
        '/var/log/apt/history.log': 'End-Date: now\n',
      },
      { created: '+275760-09-13T00:00:00Z', history: [{ created: '-000001-01-01T00:00:00Z' }, { created: 'yesterday' }] },
    ),
    [],
  );
  assert.deepEqual(dates({}), []);
});
