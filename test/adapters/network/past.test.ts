import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { makeFetch } from '../../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makePast } from '../../../src/adapters/network/past.ts';
import { makeProxy, type RecordingProxy } from '../../../src/adapters/network/proxy.ts';
import { snapshotAddress } from '../../../src/adapters/debian/snapshot-address.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { type ArchiveKey, type Deb, LocalArchive, makeDeb, makeKey, type SuiteOptions } from '../../support/debian-archive.ts';
import { freePort } from '../../support/ports.ts';
import { SnapshotArchive } from '../../support/snapshot-archive.ts';

const HOUR = 3600_000;
const THEN = Date.parse('2024-03-01T12:00:00Z');
const at = (hours: number): Date => new Date(THEN + hours * HOUR);
const stamp = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');

let key: ArchiveKey;
let mirror: LocalArchive;
let snapshot: SnapshotArchive;
let debs: Record<'one' | 'two' | 'three', Deb>;

before(async () => {
  key = await makeKey('archive', { date: new Date('2019-01-01T00:00:00Z') });
  [mirror, snapshot] = await Promise.all([LocalArchive.start('127.0.0.2'), SnapshotArchive.start()]);
  const [one, two, three] = await Promise.all(
    ['1', '2', '3'].map((version) => makeDeb({ name: 'tool', version, files: { 'usr/bin/tool': version } })),
  );
  debs = { one: one!, two: two!, three: three! };
});
after(async () => {
  await mirror?.stop();
  await snapshot?.stop();
});
beforeEach(() => {
  mirror.files.clear();
  mirror.interfere = () => undefined;
  snapshot.reset();
});

type Open = { proxy: RecordingProxy; address: URL } & AsyncDisposable;

async function opened(url = snapshot.url): Promise<Open> {
  const guard = makeGuard({ allow: ['127.0.0.0/8'], hosts: [] });
  const fetch = makeFetch(guard);
  const past = makePast({ fetch, archiveAt: (archive, time) => snapshotAddress(url, archive, time), time: stamp(at(0)) });
  const proxy = makeProxy({ guard, past });
  const address = new URL((await proxy.listen({ host: '127.0.0.1', port: 0 })) ?? '');
  return { proxy, address, [Symbol.asyncDispose]: proxy.close };
}

async function ask({ address }: Open, path: string): Promise<{ status: number | undefined; body: string }> {
  const outgoing = request({ host: address.hostname, port: address.port, path, agent: false }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: answer.statusCode, body: Buffer.concat(chunks).toString('latin1') };
}

const publish = (date: Date, deb: Deb, more: Partial<SuiteOptions> = {}): Promise<void> =>
  mirror.publish({ suite: 'trixie', date, keys: [key], debs: [deb], ...more });
const snap = (date: Date, of: Date, deb: Deb, more: Partial<SuiteOptions> = {}, archive?: 'debian-security'): Promise<void> =>
  snapshot.publish(stamp(date), { suite: 'trixie', date: of, keys: [key], debs: [deb], ...more }, archive);
const dated = (date: Date): RegExp => new RegExp(`^Date: ${date.toUTCString().replace('GMT', 'UTC')}$`, 'm');
const inRelease = (base = mirror.address, suite = 'trixie'): string => `${base}/dists/${suite}/InRelease`;

test('a suite that moved on is answered as it was: the newest that was published then, also where its snapshot came later', async () => {
  await publish(at(900), debs.three);
  await snap(at(-20), at(-24), debs.one);
  await snap(at(4), at(-2), debs.two);
  await snap(at(12), at(10), debs.three);
  await using open = await opened();
  const { status, body } = await ask(open, inRelease());
  assert.equal(status, 200);
  assert.match(body, dated(at(-2)));
  const index = await ask(open, `${mirror.address}/dists/trixie/main/binary-amd64/Packages.xz`);
  assert.equal(index.status, 200);
  const address = snapshotAddress(snapshot.url, 'debian', stamp(at(4)));
  assert.deepEqual(
    open.proxy.dependencies().map(({ uri, annotations }) => [uri, annotations?.original]),
    ['InRelease', 'main/binary-amd64/Packages.xz'].map((file) => [
      `${address}/dists/trixie/${file}`,
      `${mirror.address}/dists/trixie/${file}`,
    ]),
  );
  assert.equal((await ask(open, `${mirror.address}/dists/trixie/main/no-such-file`)).status, 404);
});

test('of two snapshots, the later one is not taken where its Release file is of a later time', async () => {
  await publish(at(900), debs.three);
  await snap(at(-3), at(-8), debs.one);
  await snap(at(5), at(1), debs.two);
  await using open = await opened();
  assert.match((await ask(open, inRelease())).body, dated(at(-8)));
});

test('what lies in the pool comes from the mirror while it is there, then from the snapshot', async () => {
  await publish(at(900), debs.three);
  await snap(at(-3), at(-8), debs.one);
  const place = [...snapshot.archive.files.keys()].find((path) => path.endsWith('.deb')) ?? '';
  const pool = `${mirror.origin}${place.replace(/^\/archive\/debian\/[^/]+/, '/debian')}`;
  await using open = await opened();
  // Nothing is known of the mirror before it was asked for a suite.
  assert.equal((await ask(open, pool)).status, 404);
  await ask(open, inRelease());
  assert.equal((await ask(open, pool)).body, debs.one.bytes.toString('latin1'));
  const [before, , after] = open.proxy.dependencies();
  assert.deepEqual([before?.uri, before?.annotations?.status], [pool, 404]);
  assert.deepEqual([after?.uri, after?.annotations?.original, after?.annotations?.status], [snapshot.url + place, pool, 200]);
  assert.equal(after?.digest?.sha256, digestOf(debs.one.bytes).slice('sha256:'.length));
  mirror.files.set(new URL(pool).pathname, debs.one.bytes);
  await ask(open, pool);
  assert.equal(open.proxy.dependencies().at(-1)?.uri, pool);
  assert.equal(open.proxy.dependencies().at(-1)?.annotations?.original, undefined);
});

test('each of the archives comes from its own, by what the mirror says that it is', async () => {
  await publish(at(900), debs.three, { base: '/mirrors/sec', suite: 'trixie-security', label: 'Debian-Security' });
  await snap(at(-3), at(-8), debs.one, { suite: 'trixie-security', label: 'Debian-Security' }, 'debian-security');
  await using open = await opened();
  await ask(open, inRelease(`${mirror.origin}/mirrors/sec`, 'trixie-security'));
  assert.match(open.proxy.dependencies()[0]?.uri ?? '', /\/archive\/debian-security\//);
});

test('a suite that the mirror has no longer is told by its path', async () => {
  await snap(at(-3), at(-8), debs.one, { suite: 'jessie' });
  await using open = await opened();
  assert.match((await ask(open, inRelease(mirror.address, 'jessie'))).body, dated(at(-8)));
  assert.equal((await ask(open, inRelease(`${mirror.origin}/other`, 'jessie'))).status, 404);
});

test('a suite that did not change since is left to the mirror, and the snapshot archive is not even asked', async () => {
  await publish(at(-48), debs.one);
  await snap(at(-3), at(-48), debs.one);
  await using open = await opened();
  assert.match((await ask(open, inRelease())).body, dated(at(-48)));
  assert.deepEqual(snapshot.requests, []);
  assert.equal(open.proxy.dependencies()[0]?.uri, inRelease());
});

test('what is no mirror of Debian keeps its own answers, wherever it lies', async () => {
  await snap(at(-3), at(-8), debs.one, { suite: 'stable' });
  await publish(at(900), debs.three, { suite: 'stable', origin: 'Somebody' });
  await using open = await opened();
  assert.match((await ask(open, inRelease(mirror.address, 'stable'))).body, /^Origin: Somebody$/m);
  // Signed in two files, as some repositories still are.
  const text = mirror.files.get('/debian/dists/stable/InRelease')!;
  mirror.files.clear();
  mirror.files.set('/debian/dists/stable/Release', text);
  await using another = await opened();
  assert.equal((await ask(another, inRelease(mirror.address, 'stable'))).status, 404);
  assert.match((await ask(another, `${mirror.address}/dists/stable/Release`)).body, /^Origin: Somebody$/m);
  // A host that fails is not taken for Debian's.
  mirror.interfere = () => ({ status: 503 });
  await using third = await opened();
  assert.equal((await ask(third, inRelease(mirror.address, 'stable'))).status, 503);
  assert.deepEqual(snapshot.requests, []);
});

test('without the archive of snapshots the whole build is one of today, and says so', async () => {
  await publish(at(900), debs.three);
  await using open = await opened(`http://127.0.0.1:${await freePort()}`);
  assert.equal(open.proxy.archiveFault(), undefined);
  assert.match((await ask(open, inRelease())).body, dated(at(900)));
  assert.match(open.proxy.archiveFault() ?? '', /^127\.0\.0\.1:\d+: /);
});

test('an archive of snapshots that is too busy is asked again, and one that fails midway fails the request', async () => {
  await publish(at(900), debs.three);
  await snap(at(-3), at(-8), debs.one);
  let refusals = 1;
  snapshot.archive.interfere = (path) => (refusals-- > 0 ? { status: 429, headers: { 'retry-after': '0' } } : snapshot.redirect(path));
  await using open = await opened();
  assert.match((await ask(open, inRelease())).body, dated(at(-8)));
  assert.equal(open.proxy.archiveFault(), undefined);
  snapshot.archive.interfere = () => ({ status: 503, headers: { 'retry-after': '0' } });
  assert.equal((await ask(open, `${mirror.address}/dists/trixie/main/binary-amd64/Packages.xz`)).status, 502);
  assert.match(open.proxy.archiveFault() ?? '', /status 503/);
});

test('the guard holds for the mirror and for every hop of the snapshot archive', async () => {
  await publish(at(900), debs.three);
  await snap(at(-3), at(-8), debs.one);
  const guard = makeGuard({ allow: ['127.0.0.1/32'], hosts: [] });
  const past = makePast({
    fetch: makeFetch(guard),
    archiveAt: (archive, time) => snapshotAddress(snapshot.url, archive, time),
    time: stamp(at(0)),
  });
  const proxy = makeProxy({ guard, past });
  const address = new URL((await proxy.listen({ host: '127.0.0.1', port: 0 })) ?? '');
  const guarded = { proxy, address, [Symbol.asyncDispose]: proxy.close };
  assert.equal((await ask(guarded, inRelease())).status, 403);
  assert.deepEqual(snapshot.requests, []);
  await proxy.close();
});
