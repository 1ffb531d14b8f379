import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createMessage, sign } from 'openpgp';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import { makeFetch } from '../../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import type { AptRepository, DebContents, DebianEvidence } from '../../../src/model/debian.ts';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import { type ArchiveKey, clearSign, type Deb, LocalArchive, makeDeb, makeKey, releaseText } from '../../support/debian-archive.ts';

const SOURCE = '/etc/apt/sources.list.d/agent.list';
const KEY_PATH = '/usr/share/keyrings/agent.gpg';
let folder: string;
let debian: LocalArchive;
let theirs: LocalArchive;
let debianKey: ArchiveKey;
let key: ArchiveKey;
let other: ArchiveKey;
let tool: Deb;
let agent: Deb;
/** Named like Debian's, in a higher version. */
let newer: Deb;
let count = 0;
let clock: Date;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-third-'));
  [debianKey, key, other] = await Promise.all([makeKey('debian'), makeKey('theirs'), makeKey('another')]);
  await mkdir(join(folder, 'keyrings'));
  await writeFile(join(folder, 'keyrings/debian-archive-bookworm-automatic.gpg'), debianKey.keyring);
  [debian, theirs] = await Promise.all([LocalArchive.start(), LocalArchive.start()]);
  [tool, agent, newer] = await Promise.all([
    makeDeb({ name: 'tool', version: '1', files: { 'usr/bin/tool': 'debian' } }),
    makeDeb({ name: 'agent', version: '9', architecture: 'amd64', files: { 'usr/bin/agent': 'agent' } }),
    makeDeb({ name: 'tool', version: '2~them', files: { 'usr/bin/tool': 'theirs' } }),
  ]);
});

after(async () => {
  await Promise.all([debian.stop(), theirs.stop()]);
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  count++;
  for (const archive of [debian, theirs]) {
    archive.files.clear();
    archive.requests.length = 0;
    archive.interfere = () => undefined;
  }
  await debian.publish({ debs: [tool], keys: [debianKey] });
  await theirs.publish({ base: '/apt', suite: 'stable', origin: 'Them', debs: [agent, newer], keys: [key] });
  clock = new Date(Date.now() + 2000); // signatures count whole seconds
});

const base64 = ({ keyring }: ArchiveKey): string => Buffer.from(keyring).toString('base64');
const repository = (changes: Partial<AptRepository> = {}): AptRepository => ({
  address: `${theirs.origin}/apt`,
  suite: 'stable',
  components: ['main'],
  source: SOURCE,
  keys: [{ path: KEY_PATH, base64: base64(key) }],
  fingerprints: [],
  ...changes,
});
const AGENT = ['agent', '9', 'amd64'] as const;
const TOOL = ['tool', '1', 'all'] as const;
const NEWER = ['tool', '2~them', 'all'] as const;
const blobs = () => makeFileBlobs(join(folder, `blobs-${count}`));

function gather(
  packages: readonly (readonly [string, string, string])[],
  repositories = [repository()],
  allow: string[] = ['127.0.0.0/8'],
): Promise<DebianEvidence> {
  const list = packages.map(([name, version, architecture]) => ({ name, version, architecture, source: name, sourceVersion: version, state: 'installed' })); // prettier-ignore
  return makeDebian({
    fetch,
    foreignFetch: makeFetch(makeGuard({ allow, hosts: [] })),
    blobs: blobs(),
    scanLayer: makeScanLayer(),
    sources: { archive: [debian.address], security: [] },
    cacheDir: join(folder, `cache-${count}`),
    keyrings: join(folder, 'keyrings'),
    now: () => clock,
  }).gather({ packages: list, osRelease: { ID: 'debian', VERSION_CODENAME: 'bookworm' }, architecture: 'amd64', repositories });
}

const said = ({ packages }: DebianEvidence): string[] => packages.map(({ name, status, unverified }) => `${name} ${unverified ?? status}`);

test('a package that Debian does not have, by the repository that the image names', async () => {
  const evidence = await gather([AGENT, TOOL]);
  assert.deepEqual(said(evidence), ['agent third-party', 'tool verified']);
  const [one] = evidence.packages;
  assert.equal(one?.chain?.deb, digestOf(agent.bytes));
  assert.equal(one.alsoInDebian, undefined);
  assert.equal(one?.chain?.archive, `${theirs.origin}/apt stable`);
  assert.match(one?.purl ?? '', /^pkg:deb\/debian\/agent@9\?arch=amd64&repository_url=http:%2F%2F127\.0\.0\.1:\d+%2Fapt$/);
  const suite = evidence.archives.find(({ id }) => id === one?.chain?.archive);
  assert.deepEqual(suite?.thirdParty, { url: `${theirs.origin}/apt`, source: SOURCE });
  assert.deepEqual(suite?.signers, [key.privateKey.getFingerprint().toUpperCase()]);
  const contents = JSON.parse((await blobs().read(one.chain.contents)).toString()) as DebContents;
  assert.ok(contents.entries.some(({ path }) => path === '/usr/bin/agent'));
  assert.equal(evidence.repositories, undefined);
});

test('what Debian has in that version is looked up at Debian alone', async () => {
  await theirs.publish({ base: '/apt', suite: 'stable', debs: [{ ...newer, stanza: newer.stanza.replace('2~them', '1') }], keys: [key] });
  const evidence = await gather([TOOL]);
  assert.deepEqual(said(evidence), ['tool verified']);
  assert.equal(evidence.packages[0]?.chain?.deb, digestOf(tool.bytes));
  assert.equal(theirs.requests.length, 0);
  // In another version it is theirs, and never Debian's.
  count++;
  await theirs.publish({ base: '/apt', suite: 'stable', debs: [newer], keys: [key] });
  const instead = await gather([NEWER]);
  assert.deepEqual(said(instead), ['tool third-party']);
  assert.equal(instead.packages[0]?.alsoInDebian, true);
});

test('keys: armored, several in one file, by fingerprint', async () => {
  const armored = other.privateKey.toPublic().armor() + key.privateKey.toPublic().armor();
  const file = { path: KEY_PATH, base64: Buffer.from(armored).toString('base64') };
  assert.deepEqual(said(await gather([AGENT], [repository({ keys: [file] })])), ['agent third-party']);
  const print = (one: ArchiveKey): string => one.privateKey.getFingerprint().toUpperCase();
  assert.deepEqual(said(await gather([AGENT], [repository({ keys: [file], fingerprints: [print(key)] })])), ['agent third-party']);
  assert.deepEqual(said(await gather([AGENT], [repository({ keys: [file], fingerprints: [print(other)] })])), ['agent repository-untrusted']); // prettier-ignore
});

test('a repository without the usual structure, signed beside its Release file', async () => {
  const packages = Buffer.from(
    `${agent.stanza}\nFilename: ./agent.deb\nSize: ${agent.bytes.length}\nSHA256: ${hexOf(digestOf(agent.bytes))}\n`,
  );
  const packed = spawnSync('gzip', ['-c'], { input: packages }).stdout;
  const text = releaseText({ suite: 'whatever', byHash: false }, [{ path: 'Packages.gz', digest: digestOf(packed), size: packed.length }]);
  const message = await createMessage({ binary: Buffer.from(text) });
  const files = {
    '/flat/deb/Packages.gz': packed,
    '/flat/deb/Release': Buffer.from(text),
    '/flat/deb/Release.gpg': Buffer.from(await sign({ message, signingKeys: key.privateKey, detached: true })),
    '/flat/agent.deb': agent.bytes,
  };
  for (const [path, bytes] of Object.entries(files)) theirs.files.set(path, bytes);
  const flat = repository({ address: `${theirs.origin}/flat`, suite: './deb/', components: [] });
  assert.deepEqual(said(await gather([AGENT], [flat])), ['agent third-party']);
  const binary = await sign({ message, signingKeys: key.privateKey, detached: true, format: 'binary' });
  theirs.files.set('/flat/deb/Release.gpg', Buffer.from(binary as Uint8Array));
  count++;
  assert.deepEqual(said(await gather([AGENT], [flat])), ['agent third-party']);
  theirs.files.set('/flat/deb/Release', Buffer.from(`${text}X: y\n`));
  assert.deepEqual(said(await gather([AGENT], [flat])), ['agent repository-untrusted']);
  theirs.files.delete('/flat/deb/Release.gpg');
  assert.deepEqual(said(await gather([AGENT], [flat])), ['agent repository-untrusted']);
});

test('a repository that nobody should believe', async (t) => {
  const inRelease = '/apt/dists/stable/InRelease';
  const set = (path: string, bytes: Buffer): void => void theirs.files.set(path, bytes);
  const pathOf = (match: (path: string) => boolean): string => [...theirs.files.keys()].find(match)!;
  const publish = (options: object): Promise<void> =>
    theirs.publish({ base: '/apt', suite: 'stable', origin: 'Them', debs: [agent], keys: [key], ...options });
  const attacks: Record<string, () => void | Promise<void | Partial<AptRepository>> | Partial<AptRepository>> = {
    'another key': () => publish({ keys: [other] }),
    'an unsigned Release file': () => set(inRelease, Buffer.from(releaseText({ suite: 'stable' }, []))),
    'no key named': () => ({ keys: [] }),
    'a key that is none': () => ({
      keys: [
        {
          path: KEY_PATH,
          base64: Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----').toString('base64'),
        },
      ],
    }),
    'past its time': () => publish({ validUntil: new Date(Date.now() - 60_000) }),
    'signed, and no Release file': async () => set(inRelease, await clearSign('hello', [key])),
    'a changed index': () =>
      set(
        pathOf((path) => path.includes('by-hash')),
        Buffer.from('x'),
      ),
    'a changed .deb': () =>
      set(
        pathOf((path) => path.includes('/agent_')),
        tool.bytes,
      ),
    'no .deb that can be read': () => publish({ debs: [{ ...agent, bytes: Buffer.from('!<arch>\nno more') }] }),
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await t.test(name, async () => {
      count++;
      theirs.files.clear();
      await publish({});
      const changes = await attack();
      const evidence = await gather([AGENT, TOOL], [repository(changes ?? {})]);
      assert.deepEqual(said(evidence), ['agent repository-untrusted', 'tool verified']);
    });
  }
});

test('out of reach, refused, without that suite: told, and nothing else is worse for it', async () => {
  const away = repository({ address: 'http://127.0.0.1:1/apt' });
  const evidence = await gather([AGENT, TOOL], [away]);
  assert.deepEqual(said(evidence), ['agent repository-unreachable', 'tool verified']);
  assert.deepEqual(evidence.repositories?.map(({ url, problem, source }) => [url, problem, source]), [['http://127.0.0.1:1/apt', 'repository-unreachable', SOURCE]]); // prettier-ignore
  // A private address is not asked, whatever the image says.
  theirs.requests.length = 0;
  assert.deepEqual(said(await gather([AGENT], [repository()], [])), ['agent repository-unreachable']);
  assert.equal(theirs.requests.length, 0);
  assert.deepEqual(said(await gather([AGENT], [repository({ suite: 'none' })])), ['agent repository-unreachable']);
  theirs.interfere = () => ({ status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data' } });
  assert.deepEqual(said(await gather([AGENT], [repository()])), ['agent repository-unreachable']);
  theirs.interfere = () => undefined;
  assert.deepEqual(said(await gather([AGENT], [away, repository()])), ['agent third-party']);
});

test('names of a stranger’s file are printable, paths stay below its address', async () => {
  await theirs.publish({ base: '/apt', suite: 'stable', origin: '\u001b[31mThem\u202e', debs: [agent], keys: [key] });
  const evidence = await gather([AGENT]);
  assert.equal(evidence.archives.find(({ thirdParty }) => thirdParty !== undefined)?.origin, '\\x1b[31mThem\\xe2\\x80\\xae');
  count++;
  const stanza = (path: string): string =>
    `${agent.stanza}\nFilename: ${path}\nSize: ${agent.bytes.length}\nSHA256: ${hexOf(digestOf(agent.bytes))}\n`;
  for (const path of ['../agent.deb', '/agent.deb', 'a/../../agent.deb', 'http://127.0.0.1/agent.deb\\@x', '//evil.example/agent.deb']) {
    const packed = spawnSync('xz', ['-c'], { input: stanza(path) }).stdout;
    const index = 'main/binary-amd64/Packages.xz';
    theirs.files.set(`/apt/dists/stable/${index}`, packed);
    theirs.files.set('/apt/dists/stable/InRelease', await clearSign(releaseText({ suite: 'stable', byHash: false }, [{ path: index, digest: digestOf(packed), size: packed.length }]), [key])); // prettier-ignore
    assert.deepEqual(said(await gather([AGENT])), ['agent snapshot-off'], path);
  }
});

test('who names a .deb of Debian’s as theirs does not hold up or fail Debian’s', async () => {
  // The bytes of Debian's tool under another name, which their server never finishes.
  await theirs.publish({ base: '/apt', suite: 'stable', debs: [{ ...tool, stanza: tool.stanza.replace('Package: tool', 'Package: agent').replace('Version: 1', 'Version: 9') }], keys: [key] }); // prettier-ignore
  theirs.interfere = (path) => (path.endsWith('.deb') ? { status: 404 } : undefined);
  const evidence = await gather([['agent', '9', 'all'], TOOL]);
  assert.equal(evidence.packages[1]?.status, 'verified');
});
