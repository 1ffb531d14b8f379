import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { DebianEvidence } from '../../../src/model/debian.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { type ArchiveKey, type Deb, LocalArchive, makeDeb, makeKey } from '../../support/debian-archive.ts';

let folder: string;
let archive: LocalArchive;
let debianKey: ArchiveKey;
let key: ArchiveKey;
let tool: Deb;
let fixed: Deb;
let count = 0;
let clock: Date;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-derived-'));
  [debianKey, key] = await Promise.all([makeKey('debian'), makeKey('derivative')]);
  await mkdir(join(folder, 'keyrings'));
  await writeFile(join(folder, 'keyrings/debian-archive-bookworm-automatic.gpg'), debianKey.keyring);
  await writeFile(join(folder, 'derived.gpg'), key.keyring);
  archive = await LocalArchive.start();
  [tool, fixed] = await Promise.all([
    makeDeb({ name: 'tool', version: '1ubuntu1', files: { 'usr/bin/tool': 'derived' }, compression: 'zstd' }),
    makeDeb({ name: 'tool', version: '1ubuntu1.1', files: { 'usr/bin/tool': 'mended' }, compression: 'zstd' }),
  ]);
});

after(async () => {
  await archive.stop();
  await rm(folder, { recursive: true });
});

/** As Ubuntu signs its suites: the codename of the release in all of them. */
const publish = (suite: string, debs: Deb[], keys: ArchiveKey[], codename = 'noble'): Promise<void> =>
  archive.publish({ base: '/ubuntu', suite, codename, origin: 'Ubuntu', debs, keys });

beforeEach(async () => {
  count++;
  archive.files.clear();
  archive.requests.length = 0;
  await publish('noble', [tool], [key]);
  await publish('noble-updates', [fixed], [key]);
  clock = new Date(Date.now() + 2000); // signatures count whole seconds
});

function gather(
  version: string,
  { osRelease, keyring = join(folder, 'derived.gpg'), configured = true }: { osRelease?: Record<string, string>; keyring?: string; configured?: boolean } = {}, // prettier-ignore
): Promise<DebianEvidence> {
  const derivative = { id: 'ubuntu', addresses: [`${archive.origin}/ubuntu`], keyring, suffixes: ['-updates', '-security'] };
  return makeDebian({
    fetch,
    blobs: makeFileBlobs(join(folder, `blobs-${count}`)),
    scanLayer: makeScanLayer(),
    sources: { archive: [archive.address], security: [] },
    cacheDir: join(folder, `cache-${count}`),
    keyrings: join(folder, 'keyrings'),
    now: () => clock,
    snapshot: 'http://127.0.0.1:1', // Debian's: never asked for another vendor's packages
    derivatives: configured ? [derivative] : [],
  }).gather({
    packages: [{ name: 'tool', version, architecture: 'all', source: 'tool', sourceVersion: version, state: 'installed' }],
    osRelease: osRelease ?? { ID: 'ubuntu', VERSION_CODENAME: 'noble' },
    architecture: 'amd64',
  });
}

async function refused(code: ProblemCode, work: Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => error instanceof Problem && error.code === code);
}

test('an image of a derivative that is configured is followed down its own archive', async () => {
  const evidence = await gather('1ubuntu1');
  const [one] = evidence.packages;
  assert.deepEqual(
    [evidence.applies, one?.status, one?.chain?.archive, one?.chain?.deb],
    [true, 'verified', 'ubuntu noble', digestOf(tool.bytes)],
  );
  assert.equal(one?.purl, 'pkg:deb/ubuntu/tool@1ubuntu1?arch=all');
  assert.equal(evidence.archives.find(({ id }) => id === 'ubuntu noble')?.origin, 'Ubuntu');
  assert.equal((await gather('1ubuntu1.1')).packages[0]?.chain?.archive, 'ubuntu noble-updates');
  const gone = await gather('0');
  assert.deepEqual([gone.packages[0]?.status, gone.packages[0]?.unverified], ['unverified-version', undefined]);
  assert.ok(!archive.requests.some((path) => path.startsWith('/debian')));
});

test('one that is not configured says nothing, and nobody is asked', async () => {
  const evidence = await gather('1ubuntu1', { configured: false });
  assert.deepEqual([evidence.applies, evidence.packages[0]?.status], [false, 'unverified-version']);
  await gather('1ubuntu1', { osRelease: { ID: 'ubuntu', VERSION_CODENAME: '../../etc' } });
  await gather('1ubuntu1', { osRelease: { ID: 'ubuntu' } });
  assert.equal(archive.requests.length, 0);
});

test('its key signs its own archive, and Debian’s signs Debian’s', async () => {
  await publish('noble', [tool], [debianKey]);
  await refused('archive-untrusted', gather('1ubuntu1'));
  count++;
  await publish('noble', [tool], [key]);
  await archive.publish({ suite: 'bookworm', debs: [tool], keys: [key] });
  await refused('archive-untrusted', gather('1ubuntu1', { osRelease: { ID: 'debian', VERSION_CODENAME: 'bookworm' } }));
});

test('another suite of the same key under this one’s name', async () => {
  await publish('noble', [tool], [key], 'jammy');
  const good = archive.files.get('/ubuntu/dists/noble/InRelease')!;
  assert.equal((await gather('1ubuntu1')).packages[0]?.status, 'verified'); // Suite is the name that was asked for
  count++;
  await publish('jammy', [tool], [key], 'jammy');
  archive.files.set('/ubuntu/dists/noble/InRelease', archive.files.get('/ubuntu/dists/jammy/InRelease')!);
  await refused('archive-untrusted', gather('1ubuntu1'));
  archive.files.set('/ubuntu/dists/noble/InRelease', good);
});

test('without its keyring nothing can be said', async () => {
  await refused('environment-missing', gather('1ubuntu1', { keyring: join(folder, 'none.gpg') }));
});
