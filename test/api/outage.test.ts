import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { pushImage } from '../support/push.ts';
import { startService, type TestService } from '../support/service.ts';
import { eventually } from '../support/verification.ts';

let registry: TestRegistry;
let service: TestService;
let image: string;

before(async () => {
  registry = await startRegistry();
  service = await startService({ insecure: [registry.host], more: { patience: 1_000 } });
  await pushImage(registry.host, 'shop', [], { tag: '1' });
  image = `${registry.host}/shop:1`;
});
after(async () => {
  await service.stop();
  await registry.stop();
});

const post = (body: object) => request(service.url).post('/v1/verifications').send(body);
const get = (path: string) => request(service.url).get(path);

describe('while something is away', () => {
  it('Redis: nothing is accepted, everything can be read, and what was accepted is not lost', async () => {
    const judged = await service.judged('honest');
    const first = await post({ image });
    assert.equal(first.status, 202);
    await service.redis.stop();
    const refused = await post({ image, dockerfile: 'other' });
    assert.deepEqual([refused.status, refused.body.code], [503, 'queue-unavailable']);
    assert.match(refused.headers['retry-after'] ?? '', /^\d+$/);
    const ready = await get('/readyz');
    assert.deepEqual([ready.status, ready.body.code], [503, 'queue-unavailable']);
    for (const path of [
      '/healthz',
      `/v1/verifications/${judged.id}`,
      `/verifications/${judged.id}`,
      `/v1/verifications/${first.body.id}`,
      '/',
      '/metrics',
    ])
      assert.equal((await get(path)).status, 200, path);
    await service.redis.start();
    const again = await eventually(async () => {
      const answer = await post({ image });
      return answer.status === 202 && answer;
    });
    assert.equal(again.body.id, first.body.id);
    assert.equal((await get('/readyz')).status, 200);
  });

  it('a stored document: the page shows the rest, and an error of our own tells nothing of its inside', async () => {
    const judged = await service.judged('backdoored');
    const blobs = new URL(service.blobsUrl);
    for (const name of await readdir(blobs)) await rm(new URL(`${blobs.href}/${name}`), { recursive: true });
    const page = await get(`/verifications/${judged.id}`).set('accept', 'text/html');
    assert.equal(page.status, 200);
    assert.match(page.text, /packaged-file-replaced/);
    const files = await get(`/v1/verifications/${judged.id}/files`);
    assert.deepEqual([files.status, files.body.code], [500, 'blob-missing']);
    assert.doesNotMatch(JSON.stringify(files.body), /sha256:|\/tmp|ENOENT|at .*\.ts/);
    const id = String(files.body.instance).replace('urn:uuid:', '');
    assert.equal(files.headers['x-request-id'], id);
    assert.ok(service.logged.some((line) => line['request'] === id && line['code'] === 'blob-missing'));
  });

  it('the database: 503 with Retry-After, and a badge that nobody keeps', async () => {
    await service.database.close();
    for (const path of ['/v1/verifications/x', '/v1/images?package=openssl', '/', `/v1/verdicts/sha256:${'0'.repeat(64)}`, '/readyz']) {
      const { status, body, headers } = await get(path);
      assert.deepEqual([status, body.code, headers['cache-control']], [503, 'database-unavailable', 'no-store'], path);
      assert.match(headers['retry-after'] ?? '', /^\d+$/);
    }
    const refused = await post({ image, dockerfile: 'third' });
    assert.deepEqual([refused.status, refused.body.code], [503, 'database-unavailable']);
    const badge = await get('/badge/shop.json');
    assert.deepEqual([badge.status, badge.body.message, badge.headers['cache-control']], [503, 'unavailable', 'no-store']);
    assert.match((await get('/badge/shop.svg')).headers['content-type'] ?? '', /^image\/svg\+xml/);
    assert.match((await get('/metrics')).text, /^conforme_database_up 0$/m);
    assert.equal((await get('/healthz')).status, 200);
  });
});
