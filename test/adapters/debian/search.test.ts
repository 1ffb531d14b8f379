import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { loadKeyring } from '../../../src/adapters/debian/keyring.ts';
import { makeMirror } from '../../../src/adapters/debian/mirror.ts';
import { searchByHash, SEARCH_LIMITS } from '../../../src/adapters/debian/search.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { HashSearch, HashSearchResult } from '../../../src/model/hash-search.ts';
import { type ArchiveKey, type Deb, LocalArchive, makeDeb, makeKey } from '../../support/debian-archive.ts';

let folder: string;
let archive: LocalArchive;
let keys: ArchiveKey[];
let debs: Deb[];
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-search-'));
  keys = [await makeKey('automatic')];
  await mkdir(join(folder, 'keyrings'));
  for (const codename of ['bookworm', 'trixie'])
    await writeFile(join(folder, `keyrings/debian-archive-${codename}-automatic.gpg`), keys[0]!.keyring);
  archive = await LocalArchive.start();
  debs = await Promise.all([
    makeDeb({
      name: 'tool',
      version: '1',
      architecture: 'amd64',
      files: { 'usr/bin/tool': 'old tool', 'usr/share/doc/tool/copyright': 'c' },
    }),
    makeDeb({
      name: 'tool',
      version: '2',
      architecture: 'amd64',
      files: { 'usr/bin/tool': 'new tool', 'usr/share/doc/tool/copyright': 'c' },
    }),
    makeDeb({ name: 'rival', architecture: 'amd64', files: { 'usr/bin/tool': 'another tool' } }),
    makeDeb({ name: 'libx', architecture: 'amd64', files: { 'lib/libx.so.1': { link: 'libx.so.1.2' }, 'lib/libx.so.1.2': 'library' } }),
    makeDeb({ name: 'data', files: { 'usr/share/with a blank': 'data' } }),
  ]);
});

after(async () => {
  await archive.stop();
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  count++;
  archive.files.clear();
  archive.requests.length = 0;
  await archive.publish({ debs, keys, contents: true });
});

const file = (path: string, text: string): HashSearch['files'][number] => ({ path, digest: digestOf(text) });

async function search(
  files: HashSearch['files'],
  more: Partial<HashSearch> = {},
  limits: Partial<typeof SEARCH_LIMITS> = {},
): Promise<HashSearchResult> {
  const ports = {
    mirror: makeMirror(fetch),
    keyring: await loadKeyring(join(folder, 'keyrings')),
    sources: { archive: [archive.address], security: [`${archive.address}-security`] },
    cacheDir: join(folder, `cache-${count}`),
    now: () => new Date(Date.now() + 2000),
    blobs: makeFileBlobs(join(folder, `blobs-${count}`)),
    scanLayer: makeScanLayer(),
  };
  const osRelease = { ID: 'debian', VERSION_CODENAME: 'bookworm' };
  const wanted = { files, omitted: 0, known: [], names: [], osRelease, architecture: 'amd64', ...more };
  return searchByHash(ports, wanted, undefined, { ...SEARCH_LIMITS, ...limits });
}

const namesIn = ({ packages }: HashSearchResult): string[] => packages.map(({ name, version }) => `${name} ${version}`);
const fetched = (): string[] => archive.requests.flatMap((path) => /\/pool\/main\/.\/([a-z]+)\//.exec(path)?.[1] ?? []).sort();

test('files are found by path and hash, whichever name a merged /usr gives them', async () => {
  const result = await search([
    file('/bin/tool', 'new tool'),
    file('/usr/lib/libx.so.1.2', 'library'),
    { path: '/usr/lib/libx.so.1', target: 'libx.so.1.2' },
    file('/usr/share/with a blank', 'data'),
  ]);
  assert.deepEqual(namesIn(result), ['data 1', 'libx 1', 'tool 2']);
  assert.deepEqual([result.searched, result.found, result.skipped, result.others], [4, 4, 0, []]);
  const [one] = result.packages;
  assert.ok(one?.state === 'found' && one.status === 'verified' && one.chain?.archive === 'debian bookworm');
  assert.deepEqual(result.archives.map(({ id }) => id), ['debian bookworm']); // prettier-ignore
});

test('the versions of a package are tried, newest first, and one that a deleted database names before', async () => {
  assert.deepEqual(namesIn(await search([file('/usr/bin/tool', 'old tool')])), ['tool 1']);
  archive.requests.length = 0;
  count++;
  const known = { name: 'tool', version: '1', architecture: 'amd64', source: 'tool', sourceVersion: '1', state: 'installed' };
  assert.deepEqual(namesIn(await search([file('/usr/bin/tool', 'old tool')], { known: [known] })), ['tool 1']);
  assert.deepEqual(fetched(), ['tool'], 'no other version, no other package');
});

test('an older version says what the archive has in its place', async () => {
  const { packages } = await search([file('/usr/bin/tool', 'old tool'), file('/lib/libx.so.1.2', 'library')]);
  assert.deepEqual(packages.map(({ name, newer }) => [name, newer]), [
    ['libx', undefined],
    ['tool', [{ version: '2', archive: 'debian bookworm' }]],
  ]); // prettier-ignore
});

test('two names that are one in a merged /usr are one file, found or not', async () => {
  const both = (text: string) => search([file('/bin/tool', text), file('/usr/bin/tool', text)]);
  const [evil, good] = [await both('evil'), await both('new tool')];
  assert.deepEqual([evil.searched, evil.found, good.searched, good.found], [1, 0, 1, 1]);
});

test('a traced package comes before one that only shares the path', async () => {
  await search([file('/usr/bin/tool', 'another tool')], { names: ['rival'] });
  assert.deepEqual(fetched(), ['rival']);
});

test('other bytes, and the right bytes at another path, are nobody’s; the first package that was tried is named', async () => {
  const result = await search([file('/usr/bin/tool', 'evil'), file('/usr/bin/other', 'new tool')], { names: ['tool'] });
  assert.deepEqual(result.packages, []);
  assert.deepEqual(result.others.map(({ path, package: purl, expected }) => [path, purl, expected]), [
    ['/usr/bin/tool', 'pkg:deb/debian/tool@2?arch=amd64', digestOf('new tool')],
  ]); // prettier-ignore
  assert.equal(result.found, 0);
});

test('a database that names a package hides no replaced program', async () => {
  const known = { name: 'rival', version: '1', architecture: 'amd64', source: 'rival', sourceVersion: '1', state: 'installed' };
  const result = await search([file('/usr/bin/tool', 'evil')], { known: [known, { ...known, name: 'evil' }] });
  assert.deepEqual([result.packages, result.others[0]?.package], [[], 'pkg:deb/debian/rival@1?arch=amd64']);
});

test('a limit on packages and bytes leaves files out and says so; names alone cost nothing', async () => {
  const files = [file('/usr/bin/tool', 'evil'), file('/usr/lib/libx.so.1.2', 'evil'), file('/usr/share/with a blank', 'evil')];
  const names = Array.from({ length: 5000 }, (_, index) => `bomb${index}`);
  const result = await search(files, { names }, { packages: 2 });
  assert.equal(fetched().length, 2);
  assert.ok(result.skipped > 0 && /2 packages/.test(result.reason ?? ''), JSON.stringify(result));
  count++;
  archive.requests.length = 0;
  assert.equal((await search(files, {}, { bytes: 10 })).skipped, 3);
  assert.deepEqual(fetched(), []);
});

test('an image that names no release is looked up in each that a mirror has', async () => {
  await archive.publish({ suite: 'trixie', debs: debs.slice(3), keys, contents: true });
  const result = await search([file('/usr/lib/libx.so.1.2', 'library'), file('/usr/bin/tool', 'new tool')], { osRelease: {} });
  assert.deepEqual(namesIn(result), ['libx 1', 'tool 2']);
  count++;
  archive.files.clear();
  const none = await search([file('/usr/bin/tool', 'new tool')], { osRelease: {} });
  assert.deepEqual([none.found, none.skipped, none.reason], [0, 1, 'no mirror has a release that the image may be of']);
});

test('without Contents indexes the traces are the candidates', async () => {
  await archive.publish({ debs, keys });
  assert.deepEqual(namesIn(await search([file('/usr/bin/tool', 'new tool')], { names: ['tool'] })), ['tool 2']);
  count++;
  assert.deepEqual(namesIn(await search([file('/usr/bin/tool', 'new tool')])), []);
});

test('a Contents index that the Release file does not name is neither read nor kept, and that is said', async () => {
  const swap = gzipSync(`usr/bin/tool misc/data\nusr/bin/evil misc/tool\n`);
  for (const path of archive.files.keys()) if (/Contents|main\/by-hash/.test(path)) archive.files.set(path, swap);
  const result = await search([file('/usr/bin/tool', 'new tool')]);
  assert.deepEqual([result.packages, fetched()], [[], []]);
  assert.deepEqual(result.unread, ['debian bookworm main/Contents-amd64.gz', 'debian bookworm main/Contents-all.gz']);
  assert.deepEqual(await readdir(join(folder, `cache-${count}`, 'contents')), []);
  const traced = await search([file('/usr/bin/tool', 'new tool')], { names: ['tool'] });
  assert.deepEqual(namesIn(traced), ['tool 2'], 'the traces are still there');
});

test('an index is fetched once', async () => {
  await search([file('/usr/bin/tool', 'new tool')]);
  const asked = (): number => archive.requests.filter((path) => /dists\/bookworm\/main\/by-hash/.test(path)).length;
  assert.equal(asked(), 2);
  await search([file('/usr/lib/libx.so.1.2', 'library')]);
  assert.equal(asked(), 2);
});
