import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HashSearch } from '../../src/model/hash-search.ts';
import type { HiddenEntry } from '../../src/model/inventory.ts';
import { digestOf } from '../../src/model/digest.ts';
import { installedPackages } from '../../src/steps/installed-packages.ts';
import { searchByHash } from '../../src/steps/search-by-hash.ts';
import { type FileSpec, imageOf, packageOf } from '../support/packaged-image.ts';

const STATUS = 'Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1-2\n';
const OS_RELEASE = 'ID=debian\nVERSION_CODENAME=bookworm\n';
const elf = (text: string): FileSpec => ({ text, mode: 0o755, magic: 'elf' });

function search(files: Record<string, FileSpec>, hidden: Record<string, string> = {}, packaged: string[] = []): HashSearch | undefined {
  const { inventory, contents } = imageOf(files);
  const all = new Map(contents);
  inventory.hidden = Object.entries(hidden).map(([path, text], layer): HiddenEntry => {
    all.set(digestOf(text), Buffer.from(text));
    const facts = { kind: 'file', size: text.length, digest: digestOf(text), mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
    return { ...facts, path, layer, hiddenBy: layer + 1, how: 'whiteout' };
  });
  const verified = packageOf({ name: 'tool', files: Object.fromEntries(packaged.map((path) => [path, 'x'])) });
  return searchByHash(inventory, all, installedPackages(inventory, all), [verified.contents]);
}

const pathsOf = (found: HashSearch | undefined): string[] | undefined => found?.files.map(({ path }) => path);

test('without a database every file in a place of packages is looked for, programs first', () => {
  const found = search({
    '/etc/os-release': OS_RELEASE,
    '/etc/passwd': 'root',
    '/app/run': elf('mine'),
    '/usr/local/bin/run': elf('mine'),
    '/usr/share/zoneinfo/UTC': 'zone',
    '/usr/share/empty': '',
    '/usr/bin/tool': elf('tool'),
    '/lib/x86_64-linux-gnu/libx.so.1': { link: 'libx.so.1.2' },
    '/usr/lib/python3/__pycache__/m.cpython-311.pyc': { text: 'x', magic: 'pyc' },
  });
  assert.deepEqual(pathsOf(found), ['/usr/bin/tool', '/lib/x86_64-linux-gnu/libx.so.1', '/etc/os-release', '/usr/share/zoneinfo/UTC']);
  assert.deepEqual(found?.files[1], { path: '/lib/x86_64-linux-gnu/libx.so.1', target: 'libx.so.1.2' });
});

test('a database that explains every program leaves nothing to look for; one program more, and everything is', () => {
  const files = { '/var/lib/dpkg/status': STATUS, '/etc/os-release': OS_RELEASE, '/bin/tool': elf('tool'), '/usr/share/made': 'data' };
  assert.equal(search(files, {}, ['/usr/bin/tool']), undefined);
  assert.deepEqual(pathsOf(search({ ...files, '/usr/bin/more': elf('more') }, {}, ['/usr/bin/tool'])), [
    '/usr/bin/more',
    '/etc/os-release',
    '/usr/share/made',
  ]);
});

test('nothing is asked for an image of another distribution, or one with no trace of Debian', () => {
  assert.equal(search({ '/etc/os-release': 'ID=alpine\n', '/usr/bin/tool': elf('tool') }), undefined);
  assert.equal(search({ '/bin/tool': elf('tool') }), undefined);
  assert.equal(search({ '/etc/debian_version': '12.11\n', '/etc/passwd': 'root' }), undefined, 'nothing but settings');
  assert.ok(search({ '/bin/tool': elf('tool'), '/usr/lib/aarch64-linux-gnu/libx.so': elf('x') }) !== undefined);
});

test('the release is told by any layer', () => {
  const tool = { '/usr/bin/tool': elf('tool'), '/usr/share/doc/tool/copyright': 'c' };
  assert.deepEqual(search(tool)?.osRelease, {});
  assert.equal(search({ ...tool, '/etc/debian_version': '13.1\n' })?.osRelease['VERSION_ID'], '13');
  assert.equal(search({ ...tool, '/etc/debian_version': 'trixie/sid\n' })?.osRelease['VERSION_CODENAME'], 'trixie');
  assert.equal(search(tool, { '/usr/lib/os-release': OS_RELEASE })?.osRelease['VERSION_CODENAME'], 'bookworm');
  assert.equal(search(tool, { '/usr/lib/os-release': 'ID=ubuntu\n' }), undefined);
});

test('deleted databases and what packages left behind are hints; of several states of a database the last counts', () => {
  const found = search(
    { '/usr/bin/tool': elf('tool'), '/usr/share/doc/more/copyright': 'c', '/usr/share/doc/<b>/copyright': 'c', '/usr/share/doc/dir': { dir: true } },
    { '/var/lib/dpkg/status': STATUS, '/var/lib/dpkg/info/libx:amd64.list': '/.\n' },
  ); // prettier-ignore
  assert.deepEqual(found?.known.map(({ name, version }) => [name, version]), [['tool', '1-2']]); // prettier-ignore
  assert.deepEqual(found?.names.toSorted(), ['dir', 'libx', 'more']);
});

test('hints are bounded', () => {
  const folders = Array.from({ length: 20_000 }, (_, index) => [`/usr/share/doc/p${index}`, { dir: true }] as const);
  const found = search({ '/usr/bin/tool': elf('tool'), ...Object.fromEntries(folders) });
  assert.equal(found?.names.length, 5000);
});
