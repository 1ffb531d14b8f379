import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type PublicKey, readKeys } from 'openpgp';
import { loadKeyring } from '../../../src/adapters/debian/keyring.ts';
import { verifyRelease } from '../../../src/adapters/debian/release.ts';
import type { SuiteRequest } from '../../../src/adapters/debian/releases.ts';
import { Problem } from '../../../src/problem.ts';
import { type ArchiveKey, clearSign, makeKey, releaseText } from '../../support/debian-archive.ts';

const REQUEST: SuiteRequest = {
  id: 'debian bookworm',
  role: 'archive',
  suite: 'bookworm',
  codename: 'bookworm',
  origin: 'Debian',
  keyrings: [],
  optional: false,
};
const FILE = { path: 'main/binary-amd64/Packages.xz', digest: `sha256:${'a'.repeat(64)}`, size: 7 } as const;
const NOW = new Date(Date.now() + 2000); // signatures count whole seconds
const hours = (count: number): Date => new Date(NOW.getTime() + count * 3_600_000);

let automatic: ArchiveKey;
let other: ArchiveKey;
let pinned: PublicKey[];

before(async () => {
  automatic = await makeKey('automatic');
  other = await makeKey('of another suite');
  pinned = await publicKeys(automatic);
});

async function publicKeys(...keys: ArchiveKey[]): Promise<PublicKey[]> {
  return (await Promise.all(keys.map(({ keyring }) => readKeys({ binaryKeys: keyring })))).flat() as PublicKey[];
}

async function untrusted(bytes: Uint8Array, keys = pinned, now = NOW): Promise<void> {
  await assert.rejects(verifyRelease(bytes, REQUEST, keys, now), (error) => error instanceof Problem && error.code === 'archive-untrusted');
}

test('a Release file that a pinned key signed', async () => {
  const bytes = await clearSign(
    releaseText({ date: hours(-1), validUntil: hours(1), components: 'updates/main updates/contrib' }, [FILE]),
    [automatic],
  );
  const release = await verifyRelease(bytes, REQUEST, pinned, NOW);
  assert.equal(release.archive.codename, 'bookworm');
  assert.deepEqual(release.archive.signers, [pinned[0]!.getKeys()[0]!.getFingerprint().toUpperCase()]);
  assert.deepEqual(release.components, ['main', 'contrib']);
  assert.deepEqual([...release.files], [[FILE.path, { digest: FILE.digest, size: 7 }]]);
  assert.equal(release.byHash, true);
});

test('one good signature is enough, and signatures by other keys are no signers', async () => {
  const bytes = await clearSign(releaseText({}, [FILE]), [other, automatic]);
  assert.equal((await verifyRelease(bytes, REQUEST, pinned, NOW)).archive.signers.length, 1);
});

test('signatures that do not count', async () => {
  const good = (await clearSign(releaseText({}, [FILE]), [automatic])).toString();
  await untrusted(await clearSign(releaseText({}, [FILE]), [other])); // a key that is Debian's, but not this suite's
  await untrusted(Buffer.from(good.replace(/ 7 main/, ' 8 main'))); // changed after signing
  await untrusted(Buffer.from(releaseText({}, [FILE]))); // not signed at all
  await untrusted(Buffer.from(good), []); // no key pinned
  const expired = await makeKey('expired', { date: hours(-48), keyExpirationTime: 24 * 3600 });
  await untrusted(await clearSign(releaseText({}, [FILE]), [expired], hours(-36)), await publicKeys(expired));
});

test('nothing beside the signed block is read', async () => {
  const good = (await clearSign(releaseText({}, [FILE]), [automatic])).toString();
  const forged = releaseText({}, [{ ...FILE, digest: `sha256:${'b'.repeat(64)}` }]);
  await untrusted(Buffer.from(`${forged}\n${good}`));
  await untrusted(Buffer.from(`${good}\n${forged}`));
  await untrusted(Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${forged}\n${good}`));
  await untrusted(Buffer.from(`${good}${good}`));
  const inside = good.replace('-----BEGIN PGP SIGNATURE-----', `-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n${forged}\n-----BEGIN PGP SIGNATURE-----`); // prettier-ignore
  await untrusted(Buffer.from(inside));
  await untrusted(Buffer.from(good.replace(/\nHash: .*\n/, '\nOrigin: Debian\n')));
});

test('signed, but not what was asked for', async () => {
  const cases: Parameters<typeof releaseText>[0][] = [
    { codename: 'trixie' },
    { suite: 'bookworm', codename: 'bookworm-updates' },
    { origin: 'Ubuntu' },
    { validUntil: hours(-1) },
    { date: hours(48) },
  ];
  for (const options of cases) await untrusted(await clearSign(releaseText(options, [FILE]), [automatic]));
  await untrusted(await clearSign(releaseText({}, [FILE]).replace(/^Date: .*\n/m, ''), [automatic]));
  await untrusted(await clearSign(releaseText({}, [FILE]).replace(/^Date: .*$/m, 'Date: tomorrow'), [automatic]));
  await untrusted(
    await clearSign(releaseText({ validUntil: NOW }, [FILE]).replace(/^Valid-Until: .*$/m, 'Valid-Until: never'), [automatic]),
  );
  await untrusted(await clearSign(releaseText({}, [FILE]).replace('Suite:', 'Codename: bookworm\nSuite:'), [automatic]));
});

test('Debian’s own keys parse, and sign nothing of ours', async () => {
  const keys = await (await loadKeyring()).keys('debian-archive-keyring');
  assert.ok(keys.length >= 6);
  await untrusted(await clearSign(releaseText({}, [FILE]), [automatic]), keys);
});
