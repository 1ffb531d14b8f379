/** What one address may ask for in a minute. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startService, type TestService } from '../support/service.ts';

const PER_MINUTE = 20;

describe('rate limits', () => {
  let service: TestService;
  before(async () => {
    service = await startService({ more: { requestsPerMinute: PER_MINUTE, trustedProxies: ['192.0.2.0/24'] } });
  });
  after(() => service.stop());

  const ask = (remoteAddress: string, more: { method?: 'GET' | 'POST'; url?: string; forwarded?: string } = {}) =>
    service.app.inject({
      method: more.method ?? 'GET',
      url: more.url ?? '/v1/verifications',
      remoteAddress,
      ...(more.method === 'POST' ? { payload: {} } : {}),
      ...(more.forwarded === undefined ? {} : { headers: { 'x-forwarded-for': more.forwarded } }),
    });
  const answers = async (times: number, ...order: Parameters<typeof ask>): Promise<number[]> => {
    const statuses: number[] = [];
    for (let time = 0; time < times; time++) statuses.push((await ask(...order)).statusCode);
    return statuses;
  };

  it('tells in each answer what is left, and refuses beyond with the time to wait', async () => {
    const first = await ask('203.0.113.1');
    assert.equal(first.headers['ratelimit-limit'], String(PER_MINUTE));
    assert.equal(first.headers['ratelimit-remaining'], String(PER_MINUTE - 1));
    assert.ok(Number(first.headers['ratelimit-reset']) <= 60);
    assert.deepEqual(new Set(await answers(PER_MINUTE - 1, '203.0.113.1')), new Set([200]));
    const refused = await ask('203.0.113.1');
    assert.equal(refused.statusCode, 429);
    assert.equal(refused.json<{ code: string }>().code, 'too-many-requests');
    assert.match(String(refused.headers['content-type']), /^application\/problem\+json/);
    assert.ok(Number(refused.headers['retry-after']) >= 1 && Number(refused.headers['retry-after']) <= 60);
    assert.equal((await ask('203.0.113.2')).statusCode, 200, 'another address is not concerned');
  });

  it('counts what asks for work by itself, before the body is read', async () => {
    const order = ['203.0.113.3', { method: 'POST' }] as const;
    assert.deepEqual(await answers(PER_MINUTE / 10 + 1, ...order), [400, 400, 429]);
    assert.equal((await ask('203.0.113.3')).statusCode, 200);
  });

  it('counts addresses that do not exist, and a subscriber of IPv6 as one', async () => {
    const statuses = [];
    for (let host = 1; host <= PER_MINUTE + 1; host++) statuses.push((await ask(`2001:db8::${host}`, { url: '/nothing' })).statusCode);
    assert.deepEqual([statuses[0], statuses.at(-1)], [404, 429]);
    assert.equal((await ask('2001:db8:0:1::1')).statusCode, 200);
  });

  it('believes X-Forwarded-For of the proxies that are named, and of nobody else', async () => {
    await answers(PER_MINUTE, '192.0.2.1', { forwarded: '198.51.100.1' });
    assert.equal((await ask('192.0.2.1', { forwarded: '198.51.100.1' })).statusCode, 429);
    assert.equal((await ask('192.0.2.1', { forwarded: '198.51.100.2' })).statusCode, 200);
    await answers(PER_MINUTE, '203.0.113.4', { forwarded: '198.51.100.3' });
    assert.equal((await ask('203.0.113.4', { forwarded: '198.51.100.4' })).statusCode, 429);
    assert.equal((await ask('203.0.113.5', { forwarded: '127.0.0.1' })).headers['ratelimit-remaining'], String(PER_MINUTE - 1));
  });

  it('does not count this machine, badges and supervisors', async () => {
    for (const [address, url] of [
      ['127.0.0.1', '/'],
      ['203.0.113.6', '/badge/example.org/app:1.svg'],
      ['203.0.113.6', '/healthz'],
    ] as const)
      // prettier-ignore
      assert.deepEqual(new Set(await answers(PER_MINUTE + 1, address, { url })), new Set([200]), `${address} ${url}`);
  });
});
