import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { makeIdentify } from '../../src/adapters/oidc/oidc.ts';
import { digestOf } from '../../src/model/digest.ts';
import { parseIssuers } from '../../src/model/identity.ts';
import { startIssuer, type TestIssuer } from '../support/issuer.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';

const TOKEN = 'a.token.of-the-test-1234';
const AUDIENCE = 'https://conforme.example.org';
let issuer: TestIssuer;
let registry: TestRegistry;
let service: TestService;
let image: string;

before(async () => {
  [issuer, registry] = await Promise.all([startIssuer(), startRegistry()]);
  const issuers = parseIssuers(JSON.stringify([{ issuer: issuer.issuer, claims: { repository: 'example/*' } }]));
  const identify = makeIdentify({ issuers, audience: AUDIENCE, fetch });
  service = await startService({ token: TOKEN, insecure: [registry.host], more: { identify } });
  await pushImage(registry.host, 'shop', [], { tag: '1' });
  image = `${registry.host}/shop:1`;
});
after(async () => {
  await service.stop();
  await registry.stop();
  await issuer.stop();
});

const own = () => issuer.token({ aud: AUDIENCE, repository: 'example/shop' });
const ask = (token: string) => request(service.url).post('/v1/verifications').set('authorization', `Bearer ${token}`).send({ image });

describe('an identity token', () => {
  it('may ask for a verdict and send a build context, beside the API token', async () => {
    const answer = await ask(await own());
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    assert.ok(
      service.logged.some(
        ({ subject, msg }) => subject === 'repo:example/shop:ref:refs/heads/main' && msg === 'signed in by an identity token',
      ),
    );
    assert.equal((await ask(TOKEN)).status, 202, 'a token of our own may have dots');
    const context = gzipSync(tar(member({ name: 'Dockerfile' }, Buffer.from('FROM scratch\n'))));
    const sent = await request(service.url)
      .put(`/v1/contexts/${digestOf(context)}`)
      .set('authorization', `Bearer ${await own()}`)
      .set('content-type', 'application/gzip')
      .send(context);
    assert.equal(sent.status, 201, JSON.stringify(sent.body));
  });

  it('may do nothing else', async () => {
    const authorization = `Bearer ${await own()}`;
    for (const [method, path] of [
      ['post', '/v1/watches'],
      ['delete', '/v1/watches/x'],
    ] as const) {
      const { status, body } = await request(service.url)[method](path).set('authorization', authorization).send({});
      assert.deepEqual([status, body.code], [401, 'unauthorized'], path);
    }
  });

  it('that is refused says why, and nothing of itself', async () => {
    const token = await issuer.token({ aud: AUDIENCE, repository: 'evil/shop' });
    const { status, body, headers } = await ask(token);
    assert.deepEqual([status, body.code], [401, 'unauthorized']);
    assert.match(body.detail, /identity token is refused: its claims are none/);
    assert.match(headers['www-authenticate'] ?? '', /^Bearer/);
    for (const text of [JSON.stringify(body), JSON.stringify(service.logged)]) assert.ok(!text.includes('evil') && !text.includes(token));
    for (const wrong of ['x.y', 'x.y.z', 'wrong-token-of-the-test']) assert.equal((await ask(wrong)).status, 401);
  });

  it('whose issuer is away is to be sent again', async () => {
    const away = await startIssuer();
    const issuers = parseIssuers(JSON.stringify([{ issuer: away.issuer, claims: { repository: 'example/*' } }]));
    const other = await startService({ token: TOKEN, more: { identify: makeIdentify({ issuers, audience: AUDIENCE, fetch }) } });
    try {
      const token = await away.token({ aud: AUDIENCE, repository: 'example/shop' });
      await away.stop();
      const { status, body, headers } = await request(other.url)
        .post('/v1/verifications')
        .set('authorization', `Bearer ${token}`)
        .send({ image });
      assert.deepEqual([status, body.code, headers['retry-after']], [503, 'identity-unavailable', '5']);
    } finally {
      await other.stop();
    }
  });
});
