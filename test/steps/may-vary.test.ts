import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageSide } from '../../src/steps/case.ts';
import { mayVary } from '../../src/steps/may-vary.ts';
import { type FileSpec, imageOf } from '../support/packaged-image.ts';

/** `layer` is that of every file of the side. */
function side(files: Record<string, FileSpec>, layer = 1, cmd = 'x') {
  const { inventory, contents } = imageOf(files);
  for (const entry of inventory.entries) entry.layer = layer;
  inventory.config = { ...inventory.config, config: { Cmd: [cmd] } };
  return imageSide(inventory, contents);
}

const status = (version: string): string => `Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`;
const log = (day: string, version: string): string => `2026-01-0${day} 10:00:00 install nginx:amd64 <none> ${version}\n`;

test('a second build is made where it can tell more', () => {
  type Side = ReturnType<typeof side>;
  const rows: [name: string, published: Side, rebuilt: Side, expected: boolean][] = [
    ['the same', side({ '/a': 'x' }), side({ '/a': 'x' }), false],
    ['what a rule excuses', side({ '/var/log/dpkg.log': log('1', '1') }), side({ '/var/log/dpkg.log': log('2', '1') }), false],
    ['a file that a step writes', side({ '/a': 'x' }), side({ '/a': 'y' }), true],
    ['a mode that a step sets', side({ '/a': 'x' }), side({ '/a': { text: 'x', mode: 0o600 } }), true],
    ['a file of the base', side({ '/a': 'x' }), side({ '/a': 'y' }, 0), false],
    ['a file that the build does not make', side({ '/a': 'x' }, 0), side({}), true],
    ['a file that only the build makes', side({}), side({ '/a': 'x' }), true],
    ['a file that only the base has', side({}), side({ '/a': 'x' }, 0), false],
    ['the configuration', side({}, 1, 'y'), side({}), false],
    [
      'a log of a package that moved on',
      side({ '/var/lib/dpkg/status': status('1'), '/var/log/dpkg.log': log('1', '1') }, 1),
      side({ '/var/lib/dpkg/status': status('2'), '/var/log/dpkg.log': log('2', '2') }, 1),
      false,
    ],
  ];
  for (const [name, published, rebuilt, expected] of rows) assert.equal(mayVary(published, rebuilt, 1), expected, name);
});
