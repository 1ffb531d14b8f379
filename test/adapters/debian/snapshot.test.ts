import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { DebianEvidence, InstallationDate } from '../../../src/model/debian.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { Debian } from '../../../src/ports.ts';
import { Problem } from '../../../src/problem.ts';
import { type ArchiveKey, type Deb, LocalArchive, makeDeb, makeKey } from '../../support/debian-archive.ts';
import { SnapshotArchive } from '../../support/snapshot-archive.ts';

const NOW = new Date();
const DAY = 24 * 3600_000;
const EARLY = new Date('2023-02-27T03:00:00Z');
const LATE = new Date('2023-06-10T15:00:00Z');
const EARLY_SNAPSHOT = '20230227T045500Z';
const LATE_SNAPSHOT = '20230610T162000Z';
const keys = {} as Record<'automatic' | 'before' | 'security' | 'other', ArchiveKey>;
let folder: string;
let mirror: LocalArchive;
let snapshot: SnapshotArchive;
let old: Deb;
let older: Deb;
let fix: Deb;
let current: Deb;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-snapshot-'));
  const then = { date: new Date('2019-01-01T00:00:00Z') };
  // The key of the release before has run out since.
  const expired = { ...then, keyExpirationTime: 5 * 365 * 24 * 3600 };
  [keys.automatic, keys.before, keys.security, keys.other] = await Promise.all([
    makeKey('automatic', then),
    makeKey('of the release before', expired),
    makeKey('security', then),
    makeKey('of another suite', then),
  ]);
  await mkdir(join(folder, 'keyrings'));
  const files = {
    'bookworm-automatic': keys.automatic,
    'bullseye-automatic': keys.before,
    'bookworm-stable': keys.automatic,
    'bookworm-security-automatic': keys.security,
    'trixie-automatic': keys.other,
  };
  for (const [name, { keyring }] of Object.entries(files)) await writeFile(join(folder, `keyrings/debian-archive-${name}.gpg`), keyring);
  [mirror, snapshot] = await Promise.all([LocalArchive.start(), SnapshotArchive.start()]);
  [current, old, older, fix] = await Promise.all([
    makeDeb({ name: 'tool', version: '3', files: { 'usr/bin/tool': 'three' } }),
    makeDeb({ name: 'tool', version: '2+b1', files: { 'usr/bin/tool': 'two' } }),
    makeDeb({ name: 'aid', version: '1:1.0~rc1', files: { 'usr/bin/aid': 'one' } }),
    makeDeb({ name: 'fix', version: '1+deb12u1', files: { 'usr/bin/fix': 'mended' } }),
  ]);
});

after(async () => {
  await Promise.all([mirror.stop(), snapshot.stop()]);
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  count++;
  mirror.files.clear();
  mirror.requests.length = 0;
  snapshot.reset();
  await mirror.publish({ debs: [current], keys: [keys.automatic], signedAt: NOW });
  await snapshot.publish(EARLY_SNAPSHOT, { debs: [older], keys: [keys.before], date: EARLY, signedAt: EARLY });
  await snapshot.publish(LATE_SNAPSHOT, {
    debs: [old],
    keys: [keys.automatic],
    date: LATE,
    signedAt: LATE,
    validUntil: new Date(LATE.getTime() + DAY),
  });
});

const OLD = ['tool', '2+b1', 'all'] as const;
const OLDER = ['aid', '1:1.0~rc1', 'all'] as const;
const CURRENT = ['tool', '3', 'all'] as const;
const FIX = ['fix', '1+deb12u1', 'all'] as const;
const at = (time: string, from: InstallationDate['from'] = 'apt-sources'): InstallationDate => ({ time, from });

function open(url: string | undefined = snapshot.url): Debian {
  return makeDebian({
    fetch,
    blobs: makeFileBlobs(join(folder, `blobs-${count}`)),
    scanLayer: makeScanLayer(),
    sources: { archive: [mirror.address], security: [`${mirror.address}-security`] },
    cacheDir: join(folder, `cache-${count}`),
    keyrings: join(folder, 'keyrings'),
    now: () => new Date(NOW.getTime() + 2000),
    ...(url === 'none' ? {} : { snapshot: url }),
  });
}

function gather(
  packages: readonly (readonly [string, string, string])[],
  dates: InstallationDate[] = [],
  { lastTry = true, debian = open() } = {},
): Promise<DebianEvidence> {
  const list = packages.map(([name, version, architecture]) => ({ name, version, architecture, source: name, sourceVersion: version, state: 'installed' })); // prettier-ignore
  const installed = { packages: list, osRelease: { ID: 'debian', VERSION_CODENAME: 'bookworm' }, architecture: 'amd64', dates };
  return debian.gather(installed, { lastTry });
}

const said = ({ packages }: DebianEvidence): string[] => packages.map(({ name, status, unverified }) => `${name} ${unverified ?? status}`);
const archiveOf = ({ packages }: DebianEvidence): string | undefined => packages[0]?.chain?.archive;
const retryable = (error: unknown): boolean => error instanceof Problem && error.retryable && error.code.startsWith('archive-');

test('what the mirror has no longer is found as of a time, by the signature of then', async () => {
  const evidence = await gather([OLD], [at('20230611T000000Z')]);
  assert.deepEqual(said(evidence), ['tool verified']);
  assert.equal(evidence.packages[0]?.chain?.deb, digestOf(old.bytes));
  assert.equal(archiveOf(evidence), `debian bookworm ${LATE_SNAPSHOT}`);
  const suite = evidence.archives.find(({ id }) => id === archiveOf(evidence));
  assert.deepEqual(suite?.snapshot, { url: snapshot.url, time: LATE_SNAPSHOT }); // the time that it led to
  assert.equal(suite?.date, LATE.toISOString());
  assert.equal(suite?.expiredSigners, undefined);
  assert.ok(Date.parse(suite?.validUntil ?? '') < NOW.getTime());
});

test('a key that has expired since is told', async () => {
  const evidence = await gather([OLDER], [at(EARLY_SNAPSHOT)]);
  assert.deepEqual(said(evidence), ['aid verified']);
  const suite = evidence.archives.find(({ id }) => id === archiveOf(evidence));
  assert.deepEqual(suite?.expiredSigners, suite?.signers);
  assert.equal(suite?.signers.length, 1);
});

test('several times, best first, and nothing is asked that is known already', async () => {
  assert.deepEqual(said(await gather([CURRENT], [at(LATE_SNAPSHOT)])), ['tool verified']);
  assert.equal(snapshot.requests.length, 0);
  const first = await gather([OLD, OLDER], [at(LATE_SNAPSHOT), at(EARLY_SNAPSHOT)]);
  assert.deepEqual(said(first), ['tool verified', 'aid verified']);
  assert.deepEqual(snapshot.requests.filter((path) => path.startsWith('/mr/')), ['/mr/binary/dpkg/']); // prettier-ignore
  assert.equal(snapshot.requests.filter((path) => path.endsWith('.deb')).length, 2);
  snapshot.requests.length = 0;
  assert.deepEqual(await gather([OLD, OLDER], [at(LATE_SNAPSHOT), at(EARLY_SNAPSHOT)]), first);
  assert.equal(snapshot.requests.length, 0);
});

test('a list of apt was published after its date, so a later snapshot is the right one', async () => {
  const list = '20230610T150000Z'; // its Date; the snapshot came an hour later
  assert.deepEqual(said(await gather([OLD], [at(list, 'apt-lists')])), ['tool verified']);
  count++;
  assert.deepEqual(said(await gather([OLD], [at(list, 'dpkg-log')])), ['tool not-found']);
});

test('the first time of a version finds what no date of the image leads to', async () => {
  snapshot.sawFirst(old, '2+b1', 'all', LATE_SNAPSHOT);
  snapshot.sawFirst(older, '1:1.0~rc1', 'all', EARLY_SNAPSHOT);
  assert.deepEqual(said(await gather([OLD, OLDER])), ['tool verified', 'aid verified']);
  assert.ok(snapshot.requests.includes('/mr/binary/aid/1:1.0~rc1/binfiles?fileinfo=1'));
  snapshot.requests.length = 0;
  await gather([OLD, OLDER]);
  assert.ok(!snapshot.requests.some((path) => path.startsWith('/mr/')));
});

test('what it never had costs a question, and no look at any time', async () => {
  snapshot.sawFirst(old, '2+b1', 'all', LATE_SNAPSHOT);
  assert.deepEqual(said(await gather([FIX], [at(LATE_SNAPSHOT)])), ['fix not-found']);
  assert.deepEqual([...snapshot.requests], ['/mr/binary/dpkg/', '/mr/binary/fix/1+deb12u1/binfiles?fileinfo=1']);
  snapshot.requests.length = 0;
  await gather([FIX], [at(LATE_SNAPSHOT)]);
  assert.equal(snapshot.requests.length, 0); // not again today
  // A time before a version was there is not looked into for it.
  assert.deepEqual(said(await gather([OLD, FIX], [at(EARLY_SNAPSHOT), at(LATE_SNAPSHOT)])), ['tool verified', 'fix not-found']);
  assert.ok(!snapshot.requests.some((path) => path.includes(EARLY_SNAPSHOT)));
});

test('where many are missing, a time is looked into before anything is asked', async () => {
  snapshot.sawFirst(old, '2+b1', 'all', LATE_SNAPSHOT);
  const strange = Array.from({ length: 30 }, (_, number) => [`strange-${number}`, '1', 'all'] as const);
  const evidence = await gather([OLD, ...strange], [at(LATE_SNAPSHOT)]);
  assert.deepEqual(evidence.packages.filter(({ status }) => status === 'verified').map(({ name }) => name), ['tool']); // prettier-ignore
  const first = snapshot.requests.findIndex((path) => path.startsWith('/mr/'));
  assert.ok(first > snapshot.requests.findIndex((path) => path.includes('by-hash')));
});

test('a version that was in unstable alone when it was first seen', async () => {
  await snapshot.publish('20230301T000000Z', { suite: 'sid', debs: [fix], keys: [keys.before], date: EARLY, signedAt: EARLY });
  snapshot.sawFirst(fix, '1+deb12u1', 'all', '20230301T000000Z');
  const evidence = await gather([FIX]);
  assert.equal(archiveOf(evidence), 'debian sid 20230301T000000Z');
});

test('the security archive, by its own key', async () => {
  const time = '20230620T120000Z';
  const security = { suite: 'bookworm-security', debs: [fix], date: LATE, signedAt: LATE };
  await snapshot.publish(time, { ...security, keys: [keys.security] }, 'debian-security');
  const evidence = await gather([FIX], [at('20230621T000000Z')]);
  assert.deepEqual(said(evidence), ['fix verified']);
  assert.equal(archiveOf(evidence), `debian-security bookworm-security ${time}`);
  count++;
  await snapshot.publish(time, { ...security, keys: [keys.automatic] }, 'debian-security');
  assert.deepEqual(said(await gather([FIX], [at('20230621T000000Z')])), ['fix snapshot-untrusted']);
});

test('what the mirror still has in its pool is taken from there', async () => {
  const path = [...snapshot.archive.files.keys()].find((one) => one.endsWith('.deb') && one.includes(LATE_SNAPSHOT))!;
  mirror.files.set(path.replace(/^\/archive\/debian\/[^/]+/, '/debian'), old.bytes);
  assert.deepEqual(said(await gather([OLD], [at(LATE_SNAPSHOT)])), ['tool verified']);
  assert.ok(!snapshot.requests.some((one) => one.endsWith('.deb')));
});

test('an archive of snapshots that nobody should believe', async (t) => {
  const { files } = snapshot.archive;
  const inRelease = `/archive/debian/${LATE_SNAPSHOT}/dists/bookworm/InRelease`;
  const pathOf = (match: (path: string) => boolean): string =>
    [...files.keys()].find((path) => path.includes(LATE_SNAPSHOT) && match(path))!;
  const sign = (options: object): Promise<void> =>
    snapshot.publish(LATE_SNAPSHOT, { debs: [old], keys: [keys.automatic], date: LATE, signedAt: LATE, ...options });
  const flipped = (path: string): void => {
    const bytes = Buffer.from(files.get(path)!);
    bytes[bytes.length >> 1]! ^= 1;
    files.set(path, bytes);
  };
  const attacks: Record<string, () => void | Promise<void>> = {
    'an unsigned Release file': () => void files.set(inRelease, Buffer.from('Origin: Debian\nCodename: bookworm\n')),
    'a key of another suite': () => sign({ keys: [keys.other] }),
    'a key of the release before, after it had expired': () => sign({ keys: [keys.before], date: NOW }),
    'another suite of the same key under this one’s name': async () => {
      await sign({ suite: 'bookworm-updates' });
      files.set(inRelease, files.get(inRelease.replace('bookworm', 'bookworm-updates'))!);
      files.delete(inRelease.replace('bookworm', 'bookworm-updates'));
    },
    'another archive of the same key': () => sign({ origin: 'Debian Backports' }),
    'a Release file of the future': () => sign({ date: new Date(NOW.getTime() + 3 * DAY) }),
    'a changed index': () => flipped(pathOf((path) => path.includes('by-hash'))),
    'a changed .deb': () => flipped(pathOf((path) => path.endsWith('.deb'))),
    'another version’s .deb': () => void files.set(pathOf((path) => path.endsWith('.deb')), current.bytes), // prettier-ignore
  };
  for (const [name, attack] of Object.entries(attacks)) {
    await t.test(name, async () => {
      count++;
      await sign({});
      await attack();
      assert.deepEqual(said(await gather([OLD], [at(LATE_SNAPSHOT)])), ['tool snapshot-untrusted']);
    });
  }
});

test('an image that lies about its dates costs a look, and proves nothing', async () => {
  const lies = [at('19991231T000000Z'), at('99990101T000000Z'), at('20050301T000000Z'), at('20230227T050000Z')];
  assert.deepEqual(said(await gather([OLD], lies)), ['tool not-found']);
  const asked = snapshot.requests.filter((path) => path.includes('/dists/bookworm/InRelease'));
  assert.deepEqual([...new Set(asked.map((path) => path.split('/')[3]))], ['20050301T000000Z', '20230227T050000Z', EARLY_SNAPSHOT]);
});

test('an answer of the API that has no such form says nothing', async () => {
  const path = '/mr/binary/tool/2+b1/binfiles?fileinfo=1';
  for (const answer of [
    '',
    'null',
    '{"result":[{"hash":"__proto__","architecture":"all"}],"fileinfo":{}}',
    '{"result":[{"hash":"a","architecture":"all"}],"fileinfo":{"a":[{"archive_name":"debian","first_seen":"../../etc"}]}}',
  ]) {
    count++;
    snapshot.sawFirst(old, '2+b1', 'all', LATE_SNAPSHOT);
    snapshot.archive.files.set(path, Buffer.from(answer));
    assert.deepEqual(said(await gather([OLD])), ['tool not-found'], answer);
  }
});

test('limits that it sets are kept', async () => {
  let refused = 0;
  snapshot.archive.interfere = (path) => {
    if (path.endsWith('.deb') && refused++ === 0) return { status: 429, headers: { 'retry-after': '1' } };
    return snapshot.redirect(path);
  };
  const started = Date.now();
  assert.deepEqual(said(await gather([OLD], [at(LATE_SNAPSHOT)])), ['tool verified']);
  assert.ok(Date.now() - started >= 1000);
  count++;
  snapshot.requests.length = 0;
  snapshot.archive.interfere = () => ({ status: 429, headers: { 'retry-after': '36000' } });
  await assert.rejects(gather([OLD], [at(LATE_SNAPSHOT)], { lastTry: false }), (error) => retryable(error) && (error as Problem).retryAfter === 300); // prettier-ignore
  assert.ok(snapshot.requests.length <= 3); // a suite each, and none a second time
});

test('out of reach: thrown while the job comes again, then told; and others need not wait', async () => {
  const debian = open('http://127.0.0.1:1');
  await assert.rejects(gather([OLD, CURRENT], [at(LATE_SNAPSHOT)], { lastTry: false, debian }), retryable);
  assert.deepEqual(said(await gather([OLD, CURRENT], [at(LATE_SNAPSHOT)], { debian })), ['tool snapshot-unreachable', 'tool verified']);
  assert.deepEqual(said(await gather([OLD], [at(LATE_SNAPSHOT)], { debian, lastTry: false })), ['tool snapshot-unreachable']);
});

test('what was found before it failed stays found', async () => {
  snapshot.archive.interfere = (path) => (path.includes(EARLY_SNAPSHOT) ? { status: 503 } : snapshot.redirect(path));
  const dates = [at(LATE_SNAPSHOT), at(EARLY_SNAPSHOT)];
  await assert.rejects(gather([OLD, OLDER], dates, { lastTry: false }), retryable);
  assert.deepEqual(said(await gather([OLD, OLDER], dates)), ['tool verified', 'aid snapshot-unreachable']);
});

test('without an archive of snapshots', async () => {
  assert.deepEqual(said(await gather([OLD, CURRENT], [at(LATE_SNAPSHOT)], { debian: open('none') })), [
    'tool snapshot-off',
    'tool verified',
  ]);
});
