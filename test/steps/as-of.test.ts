import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Inventory } from '../../src/model/inventory.ts';
import { asOf } from '../../src/steps/as-of.ts';
import { type FileSpec, imageOf } from '../support/packaged-image.ts';

const STATUS = '/var/lib/dpkg/status';
const DPKG_LOG = '/var/log/dpkg.log';
const LIST = '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease';
const release = (date: string): string => `Origin: Debian\nDate: ${date}\n`;

/** Layers from the lowest; what a higher one holds as well is hidden in the lower. */
function timeOf(layers: Record<string, FileSpec>[], config: Partial<Inventory['config']> = {}): string | undefined {
  const images = layers.map((files) => imageOf(files));
  const base = images[0]!.inventory;
  const inventory: Inventory = {
    ...base,
    config: { ...base.config, ...config },
    layers: layers.map(() => ({ ...base.layers[0]! })),
    entries: [],
    hidden: [],
  };
  for (const [layer, image] of images.entries()) {
    for (const entry of image.inventory.entries) {
      const above = images.findIndex((other, index) => index > layer && other.inventory.entries.some(({ path }) => path === entry.path));
      if (above < 0) inventory.entries.push({ ...entry, layer });
      else inventory.hidden.push({ ...entry, layer, hiddenBy: above, how: 'replaced' });
    }
  }
  const found = asOf(inventory, new Map(images.flatMap(({ contents }) => [...contents])));
  return found && `${found.from} ${found.time}`;
}

const OLD = { [STATUS]: 'old', [DPKG_LOG]: '2023-01-01 00:00:00 status installed base-files:amd64 12\n' };
const HISTORY = [
  { created: '2023-01-02T00:00:00Z' },
  { created: '2023-06-14T08:02:00Z' },
  { created: '2023-06-14T08:03:00Z', empty_layer: true },
  { created: '2023-09-01T00:00:00.5Z' },
];

test('the logs of the layer that installed last tell the time, not those of the base or of a later copy', () => {
  const installed = {
    [STATUS]: 'new',
    [DPKG_LOG]: '2023-06-14 07:59:00 startup archives unpack\n2023-06-14 08:01:02 status installed nginx:amd64 1\n',
  };
  assert.equal(timeOf([OLD, installed, { '/srv/page': 'x' }], { history: HISTORY }), 'dpkg-log 2023-06-14T08:01:02Z');
  assert.equal(
    timeOf([OLD, { ...installed, [LIST]: release('Wed, 14 Jun 2023 08:07:00 UTC') }], { created: '2023-07-01T00:00:00Z' }),
    'apt-lists 2023-06-14T08:07:00Z',
  );
  assert.equal(timeOf([{ ...OLD, [LIST]: release('Sat, 31 Dec 2022 08:00:00 UTC') }, installed]), 'dpkg-log 2023-06-14T08:01:02Z');
});

test('a layer that kept no log is dated by its step, and an image without packages by itself', () => {
  assert.equal(timeOf([OLD, { [STATUS]: 'new' }, { '/srv/page': 'x' }], { history: HISTORY }), 'image-created 2023-06-14T08:02:00Z');
  assert.equal(
    timeOf([OLD, { [STATUS]: 'new' }], { history: HISTORY, created: '2023-09-01T00:00:00Z' }),
    'image-created 2023-09-01T00:00:00Z',
  );
  assert.equal(timeOf([{ '/app': 'x' }], { created: '2023-09-01T00:00:01.25Z' }), 'image-created 2023-09-01T00:00:01Z');
  assert.equal(timeOf([{ '/app': 'x' }]), undefined);
});

test('a time that no archive can have is none', () => {
  assert.equal(timeOf([{ '/app': 'x' }], { created: '+012023-09-01T00:00:01.25Z' }), undefined);
  assert.equal(
    timeOf([{ [STATUS]: 'new', [DPKG_LOG]: '2023-99-14 07:59:00 x\n' }], { created: '2023-09-01T00:00:00Z' }),
    'image-created 2023-09-01T00:00:00Z',
  );
});
