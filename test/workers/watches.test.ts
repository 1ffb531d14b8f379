import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import request from 'supertest';
import { makeFetch } from '../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../src/adapters/network/guard.ts';
import { makeConsume } from '../../src/adapters/queue/consume.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import { makeSecurityTracker } from '../../src/adapters/tracker/tracker.ts';
import { digestOf } from '../../src/model/digest.ts';
import { runDeliver } from '../../workers/deliver.ts';
import { announceEnd, type EndPorts, recordsWithDelivery } from '../../workers/end.ts';
import { updateSecurityData } from '../../workers/security-data.ts';
import { reconcile } from '../../workers/upkeep.ts';
import { startServer, type TestServer } from '../support/http.ts';
import { sampleJob, sampleRecord } from '../support/sample.ts';
import { startService, type TestService } from '../support/service.ts';
import { startTracker, type TestTracker, TRACKER_DOCUMENT } from '../support/tracker.ts';
import { eventually } from '../support/verification.ts';
import { readSecret } from '../../src/adapters/openpgp/secret-file.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
type Event = { type: string; data: { image: { reference: string }; cause: string; hits?: { cve?: string; fixed?: string }[] } };

describe('from the security tracker to the webhook', () => {
  let folder: string;
  let service: TestService;
  let tracker: TestTracker;
  let hook: TestServer;
  let queue: ReturnType<typeof makeQueue>;
  let running: { close(): Promise<void> };
  let ports: EndPorts & { queue: ReturnType<typeof makeQueue> };
  let clock = new Date('2026-01-02T09:10:00Z');
  const got: Event[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-watches-'));
    [service, tracker] = await Promise.all([startService(), startTracker({ nginx: TRACKER_DOCUMENT['nginx'] ?? {} })]);
    hook = await startServer((incoming, response) => {
      void text(incoming).then((body) => {
        got.push(new Webhook(SECRET).verify(body, incoming.headers as Record<string, string>) as Event);
        response.writeHead(204).end();
      });
    });
    const onError = (): void => undefined;
    queue = makeQueue(service.redis.address, onError);
    const { records } = service.deps;
    ports = {
      records,
      queue,
      tellEnd: service.progress.end,
      publicUrl: service.deps.publicUrl,
      forges: [],
      attachTo: [],
      now: () => clock,
    };
    const deliverPorts = {
      records,
      fetch: makeFetch(makeGuard({ allow: ['127.0.0.0/8'], hosts: [] })),
      secrets: [SECRET],
      forges: [],
      readSecret,
      attach: () => Promise.reject(new Error('nothing is attached here')),
      publicUrl: service.deps.publicUrl,
      now: () => new Date(),
    };
    running = runDeliver(deliverPorts, makeConsume(service.redis.address, onError, { pause: () => 20 }));
  });
  after(async () => {
    await running.close();
    await queue.close();
    await Promise.all([service.stop(), tracker.stop(), hook.stop()]);
    await rm(folder, { recursive: true });
  });

  async function judged(reference: string, kind: 'honest' | 'backdoored' = 'honest'): Promise<void> {
    const job = sampleJob(digestOf(`${reference} ${kind}`).slice(7, 27), reference);
    await service.deps.records.accept(job, job.id);
    const record = await sampleRecord(service.deps.blobs, service.signers, job, kind);
    const contents = {
      release: 'bookworm',
      layers: [{ digest: digestOf('a') }, { digest: digestOf('b'), line: 2 }],
      packages: new Map(),
      files: [],
    };
    assert.ok(await recordsWithDelivery(ports, job).conclude({ ...record, digest: digestOf(job.id), contents }));
    await announceEnd(ports, job);
  }
  const security = () => {
    const { blobs, records } = service.deps;
    return makeSecurityTracker({ fetch, blobs, url: tracker.url, stateFile: join(folder, 'state.json'), now: () => clock }).refresh().then(() => // prettier-ignore
      updateSecurityData({ ...ports, records, blobs, tracker: makeSecurityTracker({ fetch, blobs, url: tracker.url, stateFile: join(folder, 'state.json'), now: () => clock }) })); // prettier-ignore
  };
  const watch = (body: object) =>
    request(service.url)
      .post('/v1/watches')
      .send({ ...body, webhook: { url: `http://${hook.host}/hook` } });

  it('a verdict, and then new data, are told; each once, also where the process died before the queue knew', async () => {
    await judged('registry.example.org/old:1');
    await security();
    assert.equal((await watch({ cve: 'CVE-2024-0002' })).status, 201);
    assert.equal((await watch({ package: 'nginx', olderThan: '1.22.1-9+deb12u5' })).status, 201);
    assert.equal((await watch({ image: 'registry.example.org/new:1' })).status, 201);
    await judged('registry.example.org/new:1');
    await eventually(() => got.length === 1);
    assert.deepEqual([got[0]?.type, got[0]?.data.image.reference, got[0]?.data.cause], ['image.affected', 'registry.example.org/new:1', 'nginx older than 1.22.1-9+deb12u5']); // prettier-ignore

    tracker.answer.text = JSON.stringify({
      ...TRACKER_DOCUMENT,
      openssl: { ...TRACKER_DOCUMENT['openssl'], 'CVE-2024-0002': { releases: { bookworm: { status: 'resolved', fixed_version: '3.0.17-1~deb12u1', urgency: 'high' } } } }, // prettier-ignore
    });
    clock = new Date('2026-01-02T10:10:00Z');
    await security();
    assert.ok((await service.deps.records.pendingDeliveries()).length >= 3, 'stored, and nobody has told the queue');
    await Promise.all([reconcile(ports), security().then(() => reconcile(ports))]);
    await eventually(() => got.length === 4);
    await eventually(async () => (await service.deps.records.pendingDeliveries()).length === 0);
    assert.deepEqual(
      got.slice(1).map(({ type, data }) => [type, data.image.reference, data.cause, data.hits?.[0]?.fixed]).sort(), // prettier-ignore
      [
        ['image.affected', 'registry.example.org/new:1', 'CVE-2024-0002', '3.0.17-1~deb12u1'],
        ['image.affected', 'registry.example.org/new:1', 'fix openssl 3.0.17-1~deb12u1', '3.0.17-1~deb12u1'],
        ['image.affected', 'registry.example.org/old:1', 'CVE-2024-0002', '3.0.17-1~deb12u1'],
      ],
    );

    await judged('registry.example.org/new:1', 'backdoored');
    await eventually(() => got.some(({ type }) => type === 'verdict.changed'));
    assert.equal(got.length, 5, 'the same image digest again: what it is affected by was told');
  });

  it('and the question which images it affects is answered, with the data that the answer rests on', async () => {
    const { body, status } = await request(service.url).get('/v1/images?cve=CVE-2024-0002&limit=1');
    assert.equal(status, 200, JSON.stringify(body));
    const [item] = body.items;
    assert.deepEqual(
      [item.package, item.version, item.cve, item.fixed, item.urgency, item.layer, item.layerDigest],
      ['openssl', '3.0.16-1~deb12u1', 'CVE-2024-0002', '3.0.17-1~deb12u1', 'high', 0, digestOf('a')],
    );
    assert.deepEqual(body.tracker, { url: tracker.url, digest: digestOf(tracker.answer.text), fetchedAt: '2026-01-02T10:10:00.000Z' });
    assert.equal((await request(service.url).get(`/v1/images?cve=CVE-2024-0002&limit=9&cursor=${body.next}`)).body.items.length, 2);
    assert.deepEqual((await request(service.url).get('/v1/images?cve=CVE-2024-0003')).body.items, [], 'never affected');
  });
});
