/** Rebuilders that lie, break or stall. What the real one says is in rebuilderd.test.ts. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeFetch } from '../../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makeAskRebuilders, type RebuildersPorts } from '../../../src/adapters/rebuilders/rebuilders.ts';
import { type Digest, digestOf } from '../../../src/model/digest.ts';
import type { RebuildOutcome } from '../../../src/model/rebuilders.ts';
import { Problem } from '../../../src/problem.ts';
import { attest, linkOf, makeRebuilderKey } from '../../support/attestation.ts';
import { startServer } from '../../support/http.ts';

const key = makeRebuilderKey();
const TOOL = { name: 'tool', version: '1', architecture: 'amd64', source: 'tool', sourceVersion: '1' };
const deb = digestOf('the .deb that Debian signed');
const good = attest(linkOf('tool_1_amd64.deb', deb), [key]);
let folder: string;

before(async () => void (folder = await mkdtemp(join(tmpdir(), 'conforme-rebuilders-'))));
after(() => rm(folder, { recursive: true }));

const chainOf = (digest: Digest) => ({ archive: '', component: 'main', packages: deb, deb: digest, size: 1, path: '', contents: deb });
const record = (more: object = {}) => ({ ...TOOL, status: 'GOOD', build_id: 1, artifact_id: 1, ...more });

/** A rebuilder with these records and this attestation; `first` may answer in its place. */
const rebuilder =
  (records: unknown, attestation: string | undefined, first: RequestListener = () => {}): RequestListener =>
  (request, response) => {
    first(request, response);
    if (response.writableEnded || response.headersSent) return;
    if (request.url?.startsWith('/api/v1/packages/binary?') === true) response.end(JSON.stringify({ total: 1, records }));
    else if (request.url === '/api/v1/builds/1/artifacts/1/attestation' && attestation !== undefined) response.end(attestation);
    else response.writeHead(404).end();
  };

async function ask(
  listener: RequestListener,
  { debs = [deb], ...more }: Partial<RebuildersPorts> & { debs?: Digest[] } = {},
): Promise<{ outcomes: RebuildOutcome[]; requests: string[] }> {
  const server = await startServer(listener);
  try {
    const asking = makeAskRebuilders({
      fetch,
      blobs: makeFileBlobs(await mkdtemp(join(folder, 'blobs-'))),
      rebuilders: [{ url: `http://${server.host}`, keys: [key.base64] }],
      atLeast: 1,
      ...more,
    })();
    for (const one of debs) asking.about({ ...TOOL, chain: chainOf(one) });
    const { debs: answered } = await asking.answers();
    return {
      outcomes: answered.flatMap(({ answers }) => answers.map(({ outcome }) => outcome)),
      requests: server.seen.map(({ url }) => url ?? ''),
    };
  } finally {
    await server.stop();
  }
}

describe('a rebuilder', () => {
  const other = makeRebuilderKey();
  const cases: [string, RequestListener, RebuildOutcome][] = [
    ['that shows an attestation of this very .deb', rebuilder([record()], good), 'reproduced'],
    ['that says GOOD and has no attestation', rebuilder([record()], undefined), 'unattested'],
    ['that says GOOD and names no build', rebuilder([record({ build_id: null, artifact_id: null })], good), 'unattested'],
    ['whose attestation another key signed', rebuilder([record()], attest(linkOf('tool_1_amd64.deb', deb), [other])), 'attestation-unverified'],
    ['that shows the attestation of another package', rebuilder([record()], attest(linkOf('bash_5_amd64.deb', digestOf('bash')), [key])), 'attestation-of-another'],
    ['whose attestation has this .deb’s name and other bytes', rebuilder([record()], attest(linkOf('tool_1_amd64.deb', digestOf('evil')), [key])), 'attestation-of-another'],
    ['whose attestation is a giant', rebuilder([record()], `${good}${' '.repeat(70_000)}`), 'unavailable'],
    ['whose attestation is a page', rebuilder([record()], '<html></html>'), 'attestation-unverified'],
    ['that says BAD, whatever attestation it keeps', rebuilder([record({ status: 'BAD' })], good), 'not-reproduced'],
    ['that does not know yet', rebuilder([record({ status: 'UNKWN' })], good), 'unbuilt'],
    ['with a status that we do not know', rebuilder([record({ status: 'GOOD ' })], good), 'unbuilt'],
    ['with no status', rebuilder([record({ status: null })], good), 'unbuilt'],
    ['that answers about another version', rebuilder([record({ version: '2' })], good), 'unlisted'],
    ['that answers about another architecture', rebuilder([record({ architecture: 'arm64' })], good), 'unlisted'],
    ['that answers about another package', rebuilder([record({ name: 'tools' })], good), 'unlisted'],
    ['that has it bad in one release and good in the next', rebuilder([record({ status: 'BAD' }), record()], good), 'reproduced'],
    ['whose list is a giant', rebuilder([record({ name: 'x'.repeat(600_000) })], good), 'unavailable'],
    ['whose list has another form', rebuilder([{ ...TOOL, status: 1 }], good), 'unavailable'],
    ['with ids that would lead elsewhere', rebuilder([record({ build_id: '1/../../../../admin' })], good), 'unavailable'],
    ['that answers with no JSON', rebuilder([], good, (_, response) => void response.end('<html>')), 'unavailable'],
    ['that refuses', rebuilder([], good, (_, response) => void response.writeHead(403).end()), 'unavailable'],
    ['that has no such API', (_, response) => void response.writeHead(404).end(), 'unavailable'],
    ['that breaks off', (_, response) => void response.destroy(), 'unavailable'],
    ['that announces more than it sends', (_, response) => void response.writeHead(200, { 'content-length': '10' }).end('{"re', () => response.destroy()), 'unavailable'],
  ]; // prettier-ignore
  for (const [name, listener, outcome] of cases)
    it(`${name}: ${outcome}`, async () => assert.deepEqual((await ask(listener)).outcomes, [outcome]));

  it('that is busy for a moment is asked again', async () => {
    let count = 0;
    const busy = rebuilder([record()], good, (_, response) => void (count++ < 2 && response.writeHead(503).end()));
    assert.deepEqual((await ask(busy)).outcomes, ['reproduced']);
  });

  it('that is away is left alone, and asked again minutes later', async () => {
    let away = true;
    let clock = Date.now();
    const server = await startServer(rebuilder([record()], good, (_, response) => void (away && response.writeHead(500).end())));
    const askRebuilders = makeAskRebuilders({
      fetch,
      blobs: makeFileBlobs(join(folder, 'blobs-away')),
      rebuilders: [{ url: `http://${server.host}`, keys: [key.base64] }],
      atLeast: 1,
      now: () => new Date(clock),
    });
    const all = Array.from({ length: 40 }, (_, index) => digestOf(`deb ${index}`));
    const round = async (): Promise<RebuildOutcome[]> => {
      const asking = askRebuilders();
      for (const one of all) asking.about({ ...TOOL, chain: chainOf(one) });
      return (await asking.answers()).debs.flatMap(({ answers }) => answers.map(({ outcome }) => outcome));
    };
    try {
      assert.ok((await round()).every((outcome) => outcome === 'unavailable'));
      assert.ok(server.seen.length <= 12, `${server.seen.length} requests: three tries in each of four lanes`);
      away = false;
      const before = server.seen.length;
      assert.ok((await round()).every((outcome) => outcome === 'unavailable'));
      assert.equal(server.seen.length, before);
      clock += 6 * 60 * 1000;
      assert.ok((await round()).every((outcome) => outcome === 'attestation-of-another'));
    } finally {
      await server.stop();
    }
  });

  it('that stalls holds up nothing for longer than it is waited for', async () => {
    const { outcomes } = await ask(() => {}, { debs: [deb, digestOf('b'), digestOf('c')], patience: 300 });
    assert.deepEqual(outcomes, ['unavailable', 'unavailable', 'unavailable']);
  });

  it('that redirects is not followed: not to a private address, nor anywhere else', async () => {
    const reached = await startServer((_, response) => void response.end(JSON.stringify({ total: 1, records: [record()] })));
    try {
      for (const first of ['list', 'attestation']) {
        const redirect: RequestListener = (request, response) =>
          void (request.url?.includes(first === 'list' ? '/packages/' : '/attestation') === true && response.writeHead(302, { location: `http://${reached.host}/` }).end()); // prettier-ignore
        assert.deepEqual((await ask(rebuilder([record()], good, redirect))).outcomes, ['unavailable']);
      }
      assert.equal(reached.seen.length, 0);
    } finally {
      await reached.stop();
    }
  });

  it('at a private address is reached only where the operator named it', async () => {
    const guarded = makeFetch(makeGuard({ allow: [], hosts: ['rebuilder.example'] }));
    const { outcomes, requests } = await ask(rebuilder([record()], good), { fetch: guarded });
    assert.deepEqual([outcomes, requests], [['unavailable'], []]);
    const named = makeFetch(makeGuard({ allow: [], hosts: ['127.0.0.1'] }));
    assert.deepEqual((await ask(rebuilder([record()], good), { fetch: named })).outcomes, ['reproduced']);
  });

  it('is asked for a package by its name as it is', async () => {
    const server = await startServer(rebuilder([], undefined));
    const asking = makeAskRebuilders({
      fetch,
      blobs: makeFileBlobs(join(folder, 'blobs-names')),
      rebuilders: [{ url: `http://${server.host}/amd64`, keys: [key.base64] }],
      atLeast: 1,
    })();
    asking.about({ ...TOOL, name: 'libstdc++6', version: '1:12.2.0-14+b1&x=y', chain: chainOf(deb) });
    await asking.answers();
    await server.stop();
    const url = new URL(`http://x${server.seen[0]?.url}`);
    assert.equal(url.pathname, '/amd64/api/v1/packages/binary');
    assert.deepEqual(
      [...url.searchParams],
      [
        ['name', 'libstdc++6'],
        ['version', '1:12.2.0-14+b1&x=y'],
        ['distribution', 'debian'],
      ],
    );
  });

  it('whose kept attestation was swapped in the store is asked again', async () => {
    const blobs = makeFileBlobs(join(folder, 'blobs-swapped'));
    const { digest } = await blobs.put([Buffer.from(attest(linkOf('tool_1_amd64.deb', deb), [makeRebuilderKey()]))]);
    await blobs.link(`rebuild-attestation/v1/${key.keyId}/${deb}`, digest);
    assert.deepEqual((await ask(rebuilder([record({ status: 'BAD' })], good), { blobs })).outcomes, ['not-reproduced']);
  });

  it('is not to blame for our own store', async () => {
    const broken = makeFileBlobs(join(folder, 'blobs-broken'));
    const blobs = { ...broken, put: () => Promise.reject(new Problem('disk-full', 'full')) };
    await assert.rejects(ask(rebuilder([record()], good), { blobs }), (error) => error instanceof Problem && error.code === 'disk-full');
  });
});

describe('two rebuilders', () => {
  it('answer each for itself, in the order they are configured in', async () => {
    const second = makeRebuilderKey();
    const servers = [
      await startServer(rebuilder([record()], good)),
      await startServer(rebuilder([record()], good)),
      await startServer((_, response) => void response.destroy()),
    ];
    const rebuilders = servers.map(({ host }, index) => ({ url: `http://${host}`, keys: [index === 1 ? second.base64 : key.base64] }));
    const asking = makeAskRebuilders({ fetch, blobs: makeFileBlobs(join(folder, 'blobs-two')), rebuilders, atLeast: 2 })();
    asking.about({ ...TOOL, chain: chainOf(deb) });
    const answers = await asking.answers();
    for (const server of servers) await server.stop();
    assert.deepEqual(answers.rebuilders, rebuilders);
    assert.equal(answers.atLeast, 2);
    assert.deepEqual(
      answers.debs[0]?.answers.map(({ rebuilder: url, outcome }) => [url, outcome]),
      [
        [rebuilders[0]?.url, 'reproduced'],
        [rebuilders[1]?.url, 'attestation-unverified'],
        [rebuilders[2]?.url, 'unavailable'],
      ],
    );
  });
});
