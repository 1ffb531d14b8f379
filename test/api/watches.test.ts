import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { assertMatches } from '../support/matches.ts';
import { startService, type TestService } from '../support/service.ts';

const TOKEN = 'a-token-of-the-test-1234';
let service: TestService;
before(async () => {
  service = await startService({ token: TOKEN });
});
after(() => service.stop());

const webhook = { url: 'https://hooks.example.org/secret/path' };
const post = (body: object, token = TOKEN) => request(service.url).post('/v1/watches').set('authorization', `Bearer ${token}`).send(body);
const get = (path: string, token?: string) => {
  const asked = request(service.url).get(path);
  return token === undefined ? asked : asked.set('authorization', `Bearer ${token}`);
};

describe('watches', () => {
  it('are made with the token, shown without their address, and ended', async () => {
    const made = await post({ package: 'openssl', olderThan: '3.0.17-1', webhook });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assertMatches('Watch', made.body);
    assert.equal(made.headers['location'], `https://conforme.example.org/v1/watches/${made.body.id}`);
    assert.deepEqual([made.body.package, made.body.olderThan, made.body.webhook], ['openssl', '3.0.17-1', webhook]);
    const again = await post({ olderThan: '3.0.17-1', package: 'openssl', webhook });
    assert.deepEqual([again.status, again.body.id], [200, made.body.id]);
    const image = await post({ image: ' nginx ', webhook });
    assert.equal(image.body.image, 'docker.io/library/nginx:latest');
    const events = ['image.affected', 'verdict.changed'];
    assert.equal((await post({ image: 'nginx', events, webhook })).body.id, image.body.id, 'what is told by default');
    const each = await post({ image: 'nginx', events: ['verdict.changed', 'verdict.created'], webhook });
    assertMatches('Watch', each.body);
    assert.deepEqual([each.status, each.body.events], [201, ['verdict.created', 'verdict.changed']]);
    await request(service.url).delete(`/v1/watches/${each.body.id}`).set('authorization', `Bearer ${TOKEN}`);
    const cve = await post({ cve: 'CVE-2024-5535', webhook });
    assert.equal(cve.status, 201);

    const open = await get('/v1/watches?limit=2');
    assertMatches('WatchesPage', open.body);
    assert.equal(open.body.items.length, 2);
    assert.ok(!open.text.includes('secret'));
    const rest = await get(`/v1/watches?cursor=${open.body.next}`, TOKEN);
    assert.deepEqual([rest.body.items.length, rest.body.items[0].webhook, rest.body.next], [1, webhook, undefined]);
    assert.equal((await get(`/v1/watches/${made.body.id}`)).body.webhook.url, 'https://hooks.example.org/…');

    const remove = (token: string) => request(service.url).delete(`/v1/watches/${made.body.id}`).set('authorization', `Bearer ${token}`);
    assert.equal((await remove('wrong')).status, 401);
    assert.equal((await remove(TOKEN)).status, 204);
    for (const answer of [await remove(TOKEN), await get(`/v1/watches/${made.body.id}`)])
      assert.deepEqual([answer.status, answer.body.code], [404, 'not-found']);
  });

  it('that mean nothing are refused', async () => {
    for (const [body, status, code] of [
      [{ package: 'openssl', olderThan: '1', webhook }, 401, 'unauthorized'],
      [{ webhook }, 400, 'invalid-request'],
      [{ package: 'openssl', webhook }, 400, 'invalid-request'],
      [{ olderThan: '1', webhook }, 400, 'invalid-request'],
      [{ package: 'openssl', olderThan: '-', webhook }, 400, 'invalid-request'],
      [{ package: 'openssl', olderThan: '1', cve: 'CVE-2024-5535', webhook }, 400, 'invalid-request'],
      [{ cve: 'cve-2024', webhook }, 400, 'invalid-request'],
      [{ cve: 'CVE-2024-5535', olderThan: '1', webhook }, 400, 'invalid-request'],
      [{ cve: 'CVE-2024-5535', events: ['image.affected'], webhook }, 400, 'invalid-request'],
      [{ image: 'nginx', events: [], webhook }, 400, 'invalid-request'],
      [{ image: 'nginx', events: ['verdict.deleted'], webhook }, 400, 'invalid-request'],
      [{ image: 'UP', webhook }, 400, 'invalid-reference'],
      [{ image: `nginx@sha256:${'a'.repeat(64)}`, webhook }, 400, 'invalid-reference'],
      [{ cve: 'CVE-2024-5535' }, 400, 'invalid-request'],
      [{ cve: 'CVE-2024-5535', webhook: { url: 'ftp://x/' } }, 400, 'invalid-request'],
      [{ cve: 'CVE-2024-5535', webhook: { url: 'https://user:pass@x/' } }, 400, 'invalid-request'],
      [{ cve: 'CVE-2024-5535', webhook, more: 1 }, 400, 'invalid-request'],
    ] as const) {
      const answer = await post(body, status === 401 ? 'wrong' : TOKEN);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(body));
    }
    assert.equal((await get('/v1/watches?cursor=abc')).status, 400);
  });
});

describe('images that a CVE affects', () => {
  it('are unknown before there is data, which is not "none"', async () => {
    const { status, body } = await get('/v1/images?cve=CVE-2024-5535');
    assert.deepEqual([status, body.code], [404, 'not-found']);
  });
});
