import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { DebContents, DebianEvidence, InstalledPackage } from '../../../src/model/debian.ts';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { type ArchiveKey, type Deb, LocalArchive, clearSign, makeDeb, makeKey } from '../../support/debian-archive.ts';

const MINUTE = 60_000;
const keys = {} as Record<'automatic' | 'stable' | 'security', ArchiveKey>;
let folder: string;
let archive: LocalArchive;
let debs: Deb[];
/** A folder for each test: what is cached in one must not help another. */
let count = 0;
let clock: Date;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-gather-'));
  [keys.automatic, keys.stable, keys.security] = await Promise.all([makeKey('automatic'), makeKey('stable'), makeKey('security')]);
  await mkdir(join(folder, 'keyrings'));
  const files = { 'bookworm-automatic': keys.automatic, 'bookworm-stable': keys.stable, 'bookworm-security-automatic': keys.security };
  for (const [name, { keyring }] of Object.entries(files)) await writeFile(join(folder, `keyrings/debian-archive-${name}.gpg`), keyring);
  archive = await LocalArchive.start();
  debs = await Promise.all([
    makeDeb({
      name: 'tool',
      version: '1:2.0-1+b1',
      architecture: 'amd64',
      control: 'Multi-Arch: same\n',
      files: {
        'usr/bin/tool': { text: 'run me', mode: 0o4755 },
        'usr/bin/again': { hardLink: 'usr/bin/tool' },
        'usr/bin/alias': { link: 'tool' },
        'etc/tool.conf': 'a=1\n',
      },
      members: { conffiles: '/etc/tool.conf\n', postinst: '#!/bin/sh\nexit 0\n' },
    }),
    makeDeb({ name: 'gz', files: { 'usr/share/gz': 'gz' }, compression: 'gzip' }),
    makeDeb({ name: 'zst', files: { 'usr/share/zst': 'zst' }, compression: 'zstd' }),
    makeDeb({ name: 'flat', files: { 'usr/share/flat': 'flat' }, compression: 'none' }),
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
  archive.interfere = () => undefined;
  await archive.publish({ debs, keys: [keys.automatic] });
  clock = new Date(Date.now() + 2000); // signatures count whole seconds
});

const PACKAGES = [['tool', '1:2.0-1+b1', 'amd64'], ['gz', '1', 'all'], ['zst', '1', 'all'], ['flat', '1', 'all']] as const; // prettier-ignore

function installed(
  packages: readonly (readonly [string, string, string])[] = PACKAGES,
  osRelease: Record<string, string> = { ID: 'debian', VERSION_CODENAME: 'bookworm' },
) {
  const list = packages.map(([name, version, architecture]): InstalledPackage => ({
    name,
    version,
    architecture,
    source: name,
    sourceVersion: version,
    state: 'installed',
  }));
  return { packages: list, osRelease, architecture: 'amd64' };
}

const blobsOf = (run = count) => makeFileBlobs(join(folder, `blobs-${run}`));

function gather(request = installed(), options: { keyrings?: string; addresses?: string[] } = {}): Promise<DebianEvidence> {
  const { address } = archive;
  const debian = makeDebian({
    fetch,
    blobs: blobsOf(),
    scanLayer: makeScanLayer(),
    sources: { archive: options.addresses ?? [address], security: [`${address}-security`] },
    cacheDir: join(folder, `cache-${count}`),
    keyrings: options.keyrings ?? join(folder, 'keyrings'),
    now: () => clock,
  });
  return debian.gather(request);
}

async function refused(code: ProblemCode, work = gather()): Promise<void> {
  await assert.rejects(work, (error) => error instanceof Problem && error.code === code && error.retryable === code.startsWith('archive-'));
}

async function contentsOf(evidence: DebianEvidence, name: string): Promise<DebContents> {
  const chain = evidence.packages.find((one) => one.name === name)?.chain;
  assert.ok(chain);
  return JSON.parse((await blobsOf().read(chain.contents)).toString()) as DebContents;
}

test('the chain of every package, down to the members of its .deb', async () => {
  const evidence = await gather();
  assert.equal(evidence.applies, true);
  assert.deepEqual(evidence.packages.map(({ status }) => status), ['verified', 'verified', 'verified', 'verified']); // prettier-ignore
  assert.equal(evidence.packages[0]?.purl, 'pkg:deb/debian/tool@1:2.0-1%2Bb1?arch=amd64');
  const chain = evidence.packages[0]?.chain;
  assert.equal(chain?.deb, digestOf(debs[0]!.bytes));
  assert.equal(chain?.archive, 'debian bookworm');
  assert.equal(evidence.archives[0]?.inRelease, digestOf(archive.files.get('/debian/dists/bookworm/InRelease')!));
  assert.ok(await blobsOf().has(chain.deb));

  const contents = await contentsOf(evidence, 'tool');
  const byPath = new Map(contents.entries.map((entry) => [entry.path, entry]));
  assert.deepEqual(
    [...byPath.keys()],
    ['/', '/etc', '/etc/tool.conf', '/usr', '/usr/bin', '/usr/bin/again', '/usr/bin/alias', '/usr/bin/tool'],
  );
  const tool = byPath.get('/usr/bin/tool');
  assert.deepEqual([tool?.digest, tool?.size, tool?.mode, tool?.uid, tool?.gid], [digestOf('run me'), 6, 0o4755, 0, 0]);
  assert.equal(tool?.linkGroup, '/usr/bin/again');
  assert.equal(byPath.get('/usr/bin/again')?.digest, tool?.digest);
  assert.equal(byPath.get('/usr/bin/alias')?.target, 'tool');
  assert.deepEqual(contents.conffiles, ['/etc/tool.conf']);
  assert.equal(contents.controlFiles['postinst']?.digest, digestOf('#!/bin/sh\nexit 0\n'));
  assert.equal(contents.controlFiles['control'], undefined);
  assert.equal(contents.scripts['postinst'], '#!/bin/sh\nexit 0\n');
  assert.equal(contents.control['multi-arch'], 'same');
  for (const name of ['gz', 'zst', 'flat'])
    assert.equal((await contentsOf(evidence, name)).entries.find(({ kind }) => kind === 'file')?.digest, digestOf(name));
});

test('a version that the archive does not have is unverified, and nothing else is', async () => {
  const evidence = await gather(installed([['tool', '1:2.0-1', 'amd64'], ['tool', '1:2.0-1+b1', 'amd64'], ['tool', '1:2.0-1+b1', 'arm64'], ['x', '1', 'all']])); // prettier-ignore
  assert.deepEqual(
    evidence.packages.map(({ status, chain }) => [status, chain === undefined]),
    [['unverified-version', true], ['verified', false], ['unverified-version', true], ['unverified-version', true]], // prettier-ignore
  );
});

test('what the suites have that is newer is told, the security suite first, and sid or backports are no upgrade', async () => {
  const tool = (version: string, architecture: string) =>
    makeDeb({ name: 'tool', version, architecture, files: { 'usr/bin/tool': version } });
  const [fixed, updated, moved, unstable] = await Promise.all([tool('1:2.0-1+deb12u1', 'amd64'), tool('1:2.0-1+deb12u2', 'amd64'), tool('1:2.0-3', 'all'), tool('1:3', 'amd64')]); // prettier-ignore
  await archive.publish({ debs: [...debs, moved], keys: [keys.automatic] });
  await archive.publish({ suite: 'bookworm-updates', debs: [updated], keys: [keys.automatic] });
  await archive.publish({ suite: 'bookworm-backports', debs: [unstable], keys: [keys.automatic], origin: 'Debian Backports' });
  await archive.publish({ suite: 'bookworm-security', debs: [fixed], keys: [keys.security], components: 'updates/main' });
  for (const [path, bytes] of new Map(archive.files))
    if (path.includes('bookworm-security')) archive.files.set(path.replace('/debian/', '/debian-security/'), bytes);
  clock = new Date(Date.now() + 2000); // after the signatures that were just made
  const old = await gather(installed([['tool', '1:1.9', 'amd64'], ['gz', '1', 'all'], ['flat', '0~bpo12+1', 'all'], ['zst', '-', 'all'], ['tool', '1:1.9', 'arm64']])); // prettier-ignore
  assert.equal(old.release, 'bookworm');
  assert.deepEqual(
    old.packages.map(({ newer }) => newer),
    [
      [
        { version: '1:2.0-1+deb12u1', archive: 'debian-security bookworm-security', security: true },
        { version: '1:2.0-3', archive: 'debian bookworm' },
        { version: '1:2.0-1+deb12u2', archive: 'debian bookworm-updates' },
      ],
      undefined,
      [{ version: '1', archive: 'debian bookworm' }],
      undefined,
      [{ version: '1:2.0-3', archive: 'debian bookworm' }], // what becomes `all` takes the place of every architecture's
    ],
  );
  // dpkg: +b1 comes before +deb12u1, and 2.0-3 after both.
  const current = await gather(installed([['tool', '1:2.0-1+b1', 'amd64'], ['tool', '1:2.0-3', 'all'], ['tool', '1:2.0-1+deb12u2', 'amd64']])); // prettier-ignore
  assert.deepEqual(
    current.packages.map(({ newer }) => newer?.map(({ version }) => version)),
    [['1:2.0-1+deb12u1', '1:2.0-3', '1:2.0-1+deb12u2'], undefined, ['1:2.0-3']],
  );
});

test('what was fetched is not fetched again; InRelease is, after a while', async () => {
  const first = await gather();
  const debRequests = archive.requests.filter((path) => path.endsWith('.deb'));
  assert.equal(debRequests.length, 4);
  archive.requests.length = 0;
  assert.deepEqual(await gather(), first);
  assert.deepEqual(archive.requests.filter((path) => !path.startsWith('/debian-security') && !path.includes('-updates')), []); // prettier-ignore
  clock = new Date(clock.getTime() + 11 * MINUTE);
  await gather();
  assert.deepEqual(archive.requests.filter((path) => path.startsWith('/debian/dists/bookworm/')), ['/debian/dists/bookworm/InRelease']); // prettier-ignore
});

test('a mirror that says that nothing changed is believed for what was verified before', async () => {
  let conditional = 0;
  archive.interfere = (path, request) => {
    if (path !== '/debian/dists/bookworm/InRelease') return undefined;
    if (request.headers['if-none-match'] === '"one"') {
      conditional++;
      return { status: 304 };
    }
    return { status: 200, body: archive.files.get(path)!, headers: { etag: '"one"' } };
  };
  await gather();
  clock = new Date(clock.getTime() + 11 * MINUTE);
  assert.equal((await gather()).packages[0]?.status, 'verified');
  assert.equal(conditional, 1);
});

const IN_RELEASE = '/debian/dists/bookworm/InRelease';

test('an archive that is not the one Debian signed', async (t) => {
  const change = (path: string, edit: (bytes: Buffer) => Buffer): void => void archive.files.set(path, edit(archive.files.get(path)!));
  const pathOf = (match: (path: string) => boolean): string => [...archive.files.keys()].find(match)!;
  const flip = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    copy[copy.length >> 1]! ^= 1;
    return copy;
  };
  const byHash = (): string => pathOf((path) => path.includes('/by-hash/'));
  const deb = (): string => pathOf((path) => path.includes('/tool_'));
  const past = new Date(Date.now() - 60 * MINUTE);
  const attacks: Record<string, () => void | Promise<void>> = {
    'a changed Release file': () =>
      change(IN_RELEASE, (bytes) => Buffer.from(bytes.toString().replace(/ [0-9a-f]{64} /, ` ${'0'.repeat(64)} `))),
    'a key of another suite': () => archive.publish({ debs, keys: [keys.security] }),
    'an unsigned Release file': () => change(IN_RELEASE, (bytes) => Buffer.from(bytes.toString().split('\n').slice(3, 20).join('\n'))),
    'Valid-Until in the past': () => archive.publish({ debs, keys: [keys.automatic], validUntil: past }),
    'another suite under this one’s name': async () => {
      await archive.publish({ debs, keys: [keys.automatic], suite: 'bookworm-updates' });
      change(IN_RELEASE, () => archive.files.get('/debian/dists/bookworm-updates/InRelease')!);
    },
    'junk before the signed block': () => change(IN_RELEASE, (bytes) => Buffer.concat([Buffer.from('Codename: bookworm\n\n'), bytes])),
    'junk after it': () => change(IN_RELEASE, (bytes) => Buffer.concat([bytes, Buffer.from('SHA256:\n')])),
    'a changed Packages index': () => change(byHash(), flip),
    'a longer Packages index': () => change(byHash(), (bytes) => Buffer.concat([bytes, Buffer.alloc(10)])),
    'a shorter Packages index': () => change(byHash(), (bytes) => bytes.subarray(0, -4)),
    'a changed .deb': () => change(deb(), flip),
    'a longer .deb': () => change(deb(), (bytes) => Buffer.concat([bytes, Buffer.from('x')])),
    'a shorter .deb': () => change(deb(), (bytes) => bytes.subarray(0, -1)),
    'another package’s .deb': () => change(deb(), () => debs[1]!.bytes),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await t.test(name, async () => {
      count++;
      archive.files.clear();
      await archive.publish({ debs, keys: [keys.automatic] });
      await attack();
      await refused('archive-untrusted');
      assert.equal(await blobsOf().resolve(`deb-contents/v1/${digestOf(debs[0]!.bytes)}`), undefined);
    });
  }
});

test('a Release file older than one seen before is refused, also once that one is past its time', async () => {
  const old = archive.files.get(IN_RELEASE)!;
  const newer = new Date(clock.getTime() + 5 * MINUTE);
  await archive.publish({ debs, keys: [keys.automatic], date: newer, validUntil: new Date(clock.getTime() + 30 * MINUTE) });
  await gather();
  archive.files.set(IN_RELEASE, old);
  clock = new Date(clock.getTime() + 20 * MINUTE);
  await refused('archive-untrusted');
  clock = new Date(clock.getTime() + 60 * MINUTE);
  await refused('archive-untrusted');
  await archive.publish({ debs, keys: [keys.automatic], date: clock });
  clock = new Date(clock.getTime() + 11 * MINUTE);
  assert.equal((await gather()).packages[0]?.status, 'verified');
});

test('signed, and no archive all the same', async () => {
  const reply = async (text: string): Promise<void> => void archive.files.set(IN_RELEASE, await clearSign(text, [keys.automatic]));
  await reply('hello\n');
  await refused('archive-untrusted');
  await reply('Origin: Debian\nOrigin: Debian\n');
  await refused('archive-untrusted');
});

test('an archive that is away is our trouble, not the image’s', async () => {
  archive.interfere = () => ({ status: 503 });
  await refused('archive-unavailable');
  archive.interfere = () => ({ status: 403 });
  await refused('archive-unavailable');
  archive.interfere = () => undefined;
  for (const path of archive.files.keys()) if (path.endsWith('.deb')) archive.files.delete(path);
  await refused('archive-unavailable');
  for (const path of archive.files.keys()) if (path.includes('Packages') || path.includes('by-hash')) archive.files.delete(path);
  count++;
  await refused('archive-unavailable');
  archive.files.clear();
  count++;
  await refused('archive-unavailable'); // bookworm is current: a mirror without it is misconfigured
  await refused('archive-unavailable', gather(installed(), { addresses: ['http://127.0.0.1:1/debian'] }));
  await refused('invalid-configuration', gather(installed(), { addresses: [] }));
});

test('a passing disturbance is sat out', async () => {
  const failed = new Set<string>();
  archive.interfere = (path) => {
    if (failed.has(path) || path.startsWith('/debian-security')) return undefined;
    failed.add(path);
    if (!path.endsWith('.deb')) return { status: 502 };
    // Announces more than it sends: the connection breaks in the middle.
    return { status: 200, body: archive.files.get(path)!.subarray(0, 100), headers: { 'content-length': '100000', connection: 'close' } };
  };
  const evidence = await gather(installed(PACKAGES.slice(0, 1)));
  assert.equal(evidence.packages[0]?.status, 'verified');
});

test('a mirror without by-hash, and a second mirror where the first has nothing', async () => {
  for (const path of archive.files.keys()) if (path.includes('by-hash')) archive.files.delete(path);
  assert.equal((await gather()).packages[0]?.status, 'verified');
  count++;
  const evidence = await gather(installed(), { addresses: [`${archive.address}/none`, archive.address] });
  assert.equal(evidence.packages[0]?.status, 'verified');
});

test('a package of the security archive, by the key of that archive', async () => {
  const secure = await makeDeb({ name: 'tool', version: '2', files: { 'usr/bin/tool': 'mended' } });
  await archive.publish({ suite: 'bookworm-security', debs: [secure], keys: [keys.security], components: 'updates/main' });
  for (const [path, bytes] of new Map(archive.files))
    if (path.includes('bookworm-security') || path.includes(hexOf(digestOf(secure.bytes)).slice(0, 8)))
      archive.files.set(path.replace('/debian/', '/debian-security/'), bytes);
  const evidence = await gather(installed([['tool', '2', 'all']]));
  assert.deepEqual(
    [evidence.packages[0]?.chain?.archive, evidence.packages[0]?.chain?.component],
    ['debian-security bookworm-security', 'main'],
  );
  count++;
  await archive.publish({ suite: 'bookworm-security', debs: [secure], keys: [keys.automatic] });
  archive.files.set('/debian-security/dists/bookworm-security/InRelease', archive.files.get('/debian/dists/bookworm-security/InRelease')!);
  await refused('archive-untrusted', gather(installed([['tool', '2', 'all']])));
});

test('images that Debian’s archive has nothing to say about', async () => {
  const ubuntu = await gather(installed(PACKAGES, { ID: 'ubuntu', VERSION_CODENAME: 'bookworm' }));
  assert.equal(ubuntu.applies, false);
  assert.ok(ubuntu.packages.every(({ status, purl }) => status === 'unverified-version' && purl.startsWith('pkg:deb/ubuntu/')));
  assert.equal((await gather(installed([]))).applies, false);
  const old = await gather(installed(PACKAGES, { ID: 'debian', VERSION_CODENAME: 'hamm' }));
  assert.ok(old.applies && old.packages.every(({ status }) => status === 'unverified-version'));
  assert.deepEqual(archive.requests, []);
});

test('without Debian’s keys nothing can be said', async () => {
  await mkdir(join(folder, 'empty'), { recursive: true });
  await refused('environment-missing', gather(installed(), { keyrings: join(folder, 'empty') }));
});

test('two gathers at once fetch each .deb once', async () => {
  const debian = makeDebian({
    fetch,
    blobs: blobsOf(),
    scanLayer: makeScanLayer(),
    sources: { archive: [archive.address], security: [] },
    cacheDir: join(folder, `cache-${count}`),
    keyrings: join(folder, 'keyrings'),
  });
  const [one, two] = await Promise.all([debian.gather(installed()), debian.gather(installed())]);
  assert.deepEqual(one.packages, two.packages);
  assert.equal(archive.requests.filter((path) => path.endsWith('.deb')).length, 4);
});
