import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { createMessage, sign } from 'openpgp';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import { APT_LISTS, type VerifiedList } from '../../../src/model/apt-lists.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { aptLists } from '../../../src/steps/apt-lists.ts';
import { aptRepositories } from '../../../src/steps/apt-repositories.ts';
import { type ArchiveKey, clearSign, type Deb, LocalArchive, makeDeb, makeKey, releaseText } from '../../support/debian-archive.ts';
import { imageOf } from '../../support/packaged-image.ts';

const THEN = new Date('2022-03-01T12:00:00Z');
const DAYS = 24 * 3600;
const PACKAGES = { path: 'main/binary-amd64/Packages', digest: digestOf('Package: a\n'), size: 11 } as const;
let folder: string;
let tool: Deb;
const keys = {} as Record<'debian' | 'stable' | 'security' | 'vendor' | 'derivative' | 'evil', ArchiveKey>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-lists-'));
  await mkdir(join(folder, 'keyrings'));
  const date = new Date('2021-01-01T00:00:00Z');
  // As Debian's are: valid for some years, and past that today.
  for (const name of ['debian', 'stable', 'security', 'vendor', 'derivative', 'evil'] as const)
    keys[name] = await makeKey(name, { date, keyExpirationTime: 2 * 365 * DAYS });
  const pin = (name: string, { keyring }: ArchiveKey) => writeFile(join(folder, 'keyrings', name), keyring);
  await pin('debian-archive-bookworm-automatic.gpg', keys.debian);
  await pin('debian-archive-bookworm-stable.gpg', keys.stable);
  await pin('debian-archive-bookworm-security-automatic.gpg', keys.security);
  await pin('derivative.gpg', keys.derivative);
  tool = await makeDeb({ name: 'tool', files: { 'usr/bin/tool': 'tool' } });
});

after(() => rm(folder, { recursive: true }));

type Files = Record<string, string | Uint8Array>;
const VENDOR = {
  '/etc/apt/sources.list.d/vendor.list': 'deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/a_pt stable main\n',
};

function debianOf(derivative = false) {
  return makeDebian({
    fetch,
    blobs: makeFileBlobs(join(folder, 'blobs')),
    scanLayer: makeScanLayer(),
    sources: { archive: [], security: [] },
    cacheDir: join(folder, 'cache'),
    keyrings: join(folder, 'keyrings'),
    derivatives: derivative ? [{ id: 'other', addresses: [], keyring: join(folder, 'keyrings/derivative.gpg'), suffixes: [] }] : [],
  });
}

/** What of an image's lists is verified. */
function verified(lists: Files, { files = {}, id = 'debian' }: { files?: Files; id?: string } = {}): Promise<VerifiedList[]> {
  const all = { ...files, ...Object.fromEntries(Object.entries(lists).map(([name, bytes]) => [`${APT_LISTS}${name}`, bytes])) };
  const { inventory, contents } = imageOf(
    Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path, { bytes: Buffer.from(bytes) }])),
  );
  const repositories = aptRepositories(inventory, contents, 'amd64');
  return debianOf(true).verifyLists(aptLists(inventory, contents, repositories), { ID: id });
}

const inRelease = (options: Parameters<typeof releaseText>[0] = {}, key = keys.debian, at = THEN): Promise<Buffer> =>
  clearSign(releaseText({ date: THEN, ...options }, [PACKAGES]), [key], at);

async function detached(text: string, key: ArchiveKey, format: 'armored' | 'binary' = 'armored'): Promise<Buffer> {
  const message = await createMessage({ binary: Buffer.from(text) });
  const options = { message, signingKeys: key.privateKey, detached: true, date: THEN } as const;
  return format === 'armored' ? Buffer.from(await sign({ ...options, format })) : Buffer.from(await sign({ ...options, format }));
}

const paths = (lists: VerifiedList[]): string[] => lists.map(({ path }) => path.slice(APT_LISTS.length));
const DEBIAN = 'mirror.example_debian_dists_bookworm_InRelease';

test('what apt itself leaves in an image, packed and not, of Debian and of a vendor', async () => {
  const [mirror, vendor] = await Promise.all([LocalArchive.start(), LocalArchive.start('127.0.0.2')]);
  try {
    const [debian, theirs] = [await makeKey('debian'), await makeKey('theirs')];
    const root = join(folder, 'apt');
    const keyrings = join(folder, 'keyrings-today');
    await mkdir(keyrings);
    await writeFile(join(keyrings, 'debian-archive-bookworm-automatic.gpg'), debian.keyring);
    for (const name of ['lists/partial', 'cache/archives/partial', 'etc']) await mkdir(join(root, name), { recursive: true });
    await writeFile(join(root, 'etc/debian.gpg'), debian.keyring);
    await writeFile(join(root, 'etc/vendor.gpg'), theirs.keyring);
    await mirror.publish({ debs: [tool], keys: [debian], codename: 'bookworm', suite: 'bookworm' });
    await vendor.publish({ base: '/a_pt', suite: 'stable', debs: [tool], keys: [theirs] });
    const source = `deb [signed-by=${root}/etc/vendor.gpg] ${vendor.origin}/a_pt stable main\n`;
    await writeFile(join(root, 'sources.list'), `deb [signed-by=${root}/etc/debian.gpg] ${mirror.address} bookworm main\n${source}`);
    for (const packed of [true, false]) {
      const options = [`Dir::Etc::SourceList=${root}/sources.list`, 'Dir::Etc::SourceParts=/dev/null', `Dir::State::Lists=${root}/lists`, `Dir::Cache=${root}/cache`, 'APT::Sandbox::User=root', `Acquire::GzipIndexes=${packed}`, 'APT::Architecture=amd64', 'Acquire::Languages=none', 'DPkg::Lock::Timeout=60', 'APT::Update::Post-Invoke::=true']; // prettier-ignore
      await rm(join(root, 'lists'), { recursive: true });
      await mkdir(join(root, 'lists/partial'), { recursive: true });
      await promisify(execFile)('apt-get', ['update', ...options.flatMap((one) => ['-o', one])]);
      const names = (await readdir(join(root, 'lists'))).filter((name) => name.includes('_dists_'));
      assert.equal(names.filter((name) => name.endsWith(packed ? '_Packages.lz4' : '_Packages')).length, 2, names.join(' '));
      const lists = await Promise.all(names.map(async (name) => [`${APT_LISTS}${name}`, { bytes: await readFile(join(root, 'lists', name)) }] as const)); // prettier-ignore
      const { inventory, contents } = imageOf({
        ...Object.fromEntries(lists),
        '/etc/apt/sources.list.d/vendor.list': source.replace(`${root}/etc`, '/usr/share/keyrings'),
        '/usr/share/keyrings/vendor.gpg': { bytes: Buffer.from(theirs.keyring) },
      });
      const asked = aptLists(inventory, contents, aptRepositories(inventory, contents, 'amd64'));
      const found = await makeDebian({
        fetch,
        blobs: makeFileBlobs(join(folder, 'blobs')),
        scanLayer: makeScanLayer(),
        sources: { archive: [], security: [] },
        cacheDir: join(folder, 'cache'),
        keyrings,
        now: () => new Date(Date.now() + 2000),
      }).verifyLists(asked, {});
      assert.deepEqual(
        found.map(({ codename, thirdParty, indexes }) => [codename, thirdParty?.url, indexes.map(({ path }) => path)]),
        [
          ['bookworm', undefined, ['main/binary-amd64/Packages']],
          ['stable', `${vendor.origin}/a_pt`, ['main/binary-amd64/Packages']],
        ],
      );
    }
  } finally {
    await Promise.all([mirror.stop(), vendor.stop()]);
  }
});

test('an honest Release file counts as of its date: expired keys, past Valid-Until, any mirror, suite or codename', async () => {
  const old = await inRelease({ suite: 'stable', codename: 'bookworm', validUntil: new Date(THEN.getTime() + 7 * DAYS * 1000) });
  const security = await inRelease({ suite: 'stable-security', codename: 'bookworm-security' }, keys.security);
  const [one, ...others] = await verified({
    'a.example_debian_dists_bookworm_InRelease': old,
    'a.example_debian_dists_bookworm_main_binary-amd64_Packages': 'whatever',
    'a.example_debian_dists_bookworm_contrib_binary-amd64_Packages': 'whatever',
    'b.example_d_dists_stable_InRelease': old,
    'c.example_dists_bookworm-security_InRelease': security,
  });
  assert.deepEqual(one, {
    path: `${APT_LISTS}a.example_debian_dists_bookworm_InRelease`,
    digest: digestOf(old),
    origin: 'Debian',
    suite: 'stable',
    codename: 'bookworm',
    date: THEN.toISOString(),
    signers: [keys.debian.privateKey.getFingerprint().toUpperCase()],
    indexes: [{ path: PACKAGES.path, digest: PACKAGES.digest }],
  });
  assert.deepEqual(paths(others), ['b.example_d_dists_stable_InRelease', 'c.example_dists_bookworm-security_InRelease']);
  assert.deepEqual(others[0]?.indexes, []);
});

test('Release with Release.gpg, armored or not, alone or beside an InRelease', async () => {
  const text = releaseText({ date: THEN, suite: 'stable' }, [PACKAGES]);
  const stem = 'vendor.example_a%5fpt_dists_stable_';
  const files = { ...VENDOR, '/usr/share/keyrings/vendor.gpg': keys.vendor.keyring };
  const message = await clearSign(text, [keys.vendor], THEN);
  for (const format of ['armored', 'binary'] as const) {
    const signature = await detached(text, keys.vendor, format);
    const lists = { [`${stem}Release`]: text, [`${stem}Release.gpg`]: signature, [`${stem}InRelease`]: message };
    const found = await verified(lists, { files });
    assert.deepEqual(paths(found), [`${stem}InRelease`, `${stem}Release`]);
    assert.deepEqual([found[0]?.signature, found[1]?.signature], [undefined, digestOf(signature)]);
    assert.deepEqual(found[1]?.thirdParty, { url: 'https://vendor.example/a_pt', source: '/etc/apt/sources.list.d/vendor.list' });
    const attacks: [string, Files][] = [
      ['nothing', {}],
      ['any bytes', { [`${stem}Release.gpg`]: 'evil' }],
      ['bytes behind', { [`${stem}Release.gpg`]: Buffer.concat([signature, Buffer.from('evil\n')]) }],
      ['bytes before', { [`${stem}Release.gpg`]: Buffer.concat([Buffer.from('evil\n'), signature]) }],
      ['a signature by another key', { [`${stem}Release.gpg`]: await detached(text, keys.evil, format) }],
      ['of another text', { [`${stem}Release`]: `${text} `, [`${stem}Release.gpg`]: signature }],
    ];
    for (const [name, change] of attacks)
      assert.deepEqual(paths(await verified({ [`${stem}Release`]: text, ...change }, { files })), [], `${format}: ${name}`);
  }
});

test('a forged Release file, or an honest one with more in it, is not verified', async () => {
  const good = (await inRelease()).toString();
  const [head = '', signature = ''] = good.split(/(?=-----BEGIN PGP SIGNATURE-----)/);
  const evil = ` ${'0'.repeat(64)} 9 main/binary-amd64/Packages\n`;
  const rows: Record<string, string | Uint8Array> = {
    'own key': await inRelease({}, keys.evil),
    'a key of another role': await inRelease({}, keys.security),
    'a key that had expired': await inRelease({ date: new Date('2024-06-01T00:00:00Z') }),
    'another codename': await inRelease({ codename: 'trixie', suite: 'testing' }),
    'text behind': `${good}${evil}`,
    'text before': `${evil}${good}`,
    'text between': `${head}${signature}${evil}${signature}`,
    'text in the signature': `${head}${signature.replace('\n\n', `\n\n${evil}`)}`,
    'a header of the signature': `${head}${signature.replace('\n\n', `\nEvil: ${evil}\n`)}`,
    'a header of the message': good.replace('\n\n', `\nEvil: x\n\n`),
    'changed text': good.replace('Suite: ', 'Suite:  x'),
    'two messages': `${good}${good}`,
    'no signature': releaseText({ date: THEN }, [PACKAGES]),
    empty: '',
    zeros: new Uint8Array(5000),
  };
  for (const [name, bytes] of Object.entries(rows)) assert.deepEqual(await verified({ [DEBIAN]: bytes }), [], name);
  assert.deepEqual(paths(await verified({ [DEBIAN]: good })), [DEBIAN]);
  assert.deepEqual(await verified({ [DEBIAN.replace('bookworm', 'bookworm-updates')]: good }), [], 'under the name of another suite');
  assert.deepEqual(await verified({ 'mirror.example_flat_InRelease': good }), [], 'under a name that says no suite');
});

test('what is behind the signature packets is seen too', async () => {
  const good = (await inRelease()).toString();
  const [head = '', signature = ''] = good.split(/(?=-----BEGIN PGP SIGNATURE-----)/);
  const body = signature.split('\n\n')[1]!.replace(/\n(?:=.{4}\n)?-----END[^]*/, '');
  const with_ = (more: Buffer): string =>
    `${head}-----BEGIN PGP SIGNATURE-----\n\n${Buffer.concat([Buffer.from(body, 'base64'), more]).toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END PGP SIGNATURE-----\n`; // prettier-ignore
  assert.deepEqual(paths(await verified({ [DEBIAN]: with_(Buffer.alloc(0)) })), [DEBIAN]);
  for (const more of ['evil', '\x00', '\xcb\x06evil12', '\xb4\x04evil']) assert.deepEqual(await verified({ [DEBIAN]: with_(Buffer.from(more, 'latin1')) }), [], more); // prettier-ignore
});

test("keys that an image names count for its own repositories, and not for Debian's suites", async () => {
  const evil = await inRelease({}, keys.evil);
  const trusted = { '/etc/apt/trusted.gpg.d/evil.gpg': keys.evil.keyring, '/etc/apt/sources.list': 'deb http://mirror.example/debian bookworm main\n' }; // prettier-ignore
  assert.deepEqual(await verified({ [DEBIAN]: evil }, { files: trusted }), []);
  const files = { ...VENDOR, '/usr/share/keyrings/vendor.gpg': keys.vendor.keyring, '/etc/apt/trusted.gpg.d/evil.gpg': keys.evil.keyring };
  const stem = 'vendor.example_a%5fpt_dists_stable_InRelease';
  assert.deepEqual(paths(await verified({ [stem]: await inRelease({ suite: 'stable' }, keys.vendor) }, { files })), [stem]);
  assert.deepEqual(await verified({ [stem]: evil }, { files }), [], 'a key that is not named for it');
  assert.deepEqual(await verified({ [DEBIAN]: await inRelease({}, keys.vendor) }, { files }), [], 'the list of another repository');
});

test("a derivative's lists, by the keyring that its operator configured and in its own images alone", async () => {
  const list = { 'archive.example_other_dists_noble-updates_InRelease': await inRelease({ origin: 'Other', suite: 'noble-updates', codename: 'noble' }, keys.derivative) }; // prettier-ignore
  assert.equal((await verified(list, { id: 'other' })).length, 1);
  assert.equal((await verified(list)).length, 0);
});

test('a giant number of Release files is looked into no further', async () => {
  const good = await inRelease();
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`m${index}.example_dists_bookworm_InRelease`, good]));
  assert.equal((await verified(many)).length, 64);
});
