import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { type OpenRecords, openPostgres } from '../../src/adapters/database/open.ts';
import { makeFetch } from '../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../src/adapters/network/guard.ts';
import { readSecret } from '../../src/adapters/openpgp/secret-file.ts';
import { makeConsume } from '../../src/adapters/queue/consume.ts';
import { makeQueue } from '../../src/adapters/queue/queue.ts';
import type { Forge } from '../../src/model/forge.ts';
import type { Delivery } from '../../src/ports.ts';
import { runDeliver } from '../../workers/deliver.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { eventually, someJob } from '../support/verification.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NEXT = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const onError = (): void => undefined;

describe('webhooks', () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let database: OpenRecords;
  let queue: ReturnType<typeof makeQueue>;
  let server: Server;
  let forges: Forge[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'conforme-deliver-'));
  let running: { close(): Promise<void> } | undefined;
  let got: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  /** What the receiver answers, in turn; the last goes on. */
  let answers: { status: number; headers?: Record<string, string>; body?: string }[] = [];

  before(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    database = await openPostgres(postgres.url, onError);
    queue = makeQueue(redis.address, onError);
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        got.push({ path: request.url ?? '', headers: request.headers, body });
        const {
          status,
          headers,
          body: said = 'x'.repeat(100_000),
        } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 204 };
        response.writeHead(status, headers).end(status === 204 ? undefined : said);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    await running?.close();
    got = [];
    answers = [];
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
    await Promise.all([queue.close(), database.close()]);
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
  });

  const here = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;

  async function deliver(
    id: string,
    url: string,
    allow = ['127.0.0.0/8'],
    event: Delivery['event'] = 'verdict.created',
  ): Promise<Delivery> {
    const job = someJob(`v-${id}`);
    await database.records.accept(job, job.id);
    const body = '{"type":"verdict.created","data":{"é":1}}';
    await database.records.addDelivery({ id, verification: job.id, url, event, body, status: 'pending', attempts: [] });
    const fetch = makeFetch(makeGuard({ allow, hosts: [] }));
    const consume = makeConsume(redis.address, onError, { pause: () => 20 });
    const attach = () => Promise.reject(new Error('nothing is attached here'));
    const ports = {
      records: database.records,
      fetch,
      secrets: [NEXT, SECRET],
      forges,
      readSecret,
      attach,
      publicUrl: 'https://conforme.test',
    };
    running = runDeliver({ ...ports, now: () => new Date() }, consume);
    await queue.deliver({ id });
    return ended(id);
  }

  const ended = (id: string): Promise<Delivery> =>
    eventually(async () => {
      const delivery = await database.records.delivery(id);
      return delivery !== undefined && delivery.status !== 'pending' && delivery;
    });

  it('are signed so that the receiver can check them', async () => {
    const delivery = await deliver('signed', here('/hook?a=b'));
    assert.equal(delivery.status, 'delivered');
    assert.deepEqual(
      delivery.attempts.map(({ status }) => status),
      [204],
    );
    const [request] = got;
    assert.ok(request !== undefined);
    assert.equal(request.path, '/hook?a=b');
    assert.equal(request.body, delivery.body);
    assert.equal(request.headers['content-type'], 'application/json');
    assert.equal(request.headers['webhook-id'], 'signed');
    const headers = request.headers as Record<string, string>;
    assert.deepEqual(new Webhook(SECRET).verify(request.body, headers), JSON.parse(delivery.body));
    assert.deepEqual(new Webhook(NEXT).verify(request.body, headers), JSON.parse(delivery.body), 'by either secret while it is replaced');
    assert.throws(() => new Webhook(SECRET).verify(request.body.replace('1', '2'), headers), 'another body');
    assert.throws(() => new Webhook(`whsec_${Buffer.alloc(32, 8).toString('base64')}`).verify(request.body, headers), 'another secret');
  });

  it('are tried again until they are taken, and every attempt is recorded', async () => {
    answers = [{ status: 500 }, { status: 503, headers: { 'retry-after': '1' } }, { status: 200 }];
    const delivery = await deliver('again', here('/'));
    assert.equal(delivery.status, 'delivered');
    assert.deepEqual(
      delivery.attempts.map(({ status }) => status),
      [500, 503, 200],
    );
    assert.equal(new Set(got.map(({ headers }) => headers['webhook-id'])).size, 1, 'one id, by which a receiver knows it');
  });

  it('end after eight attempts, or where the receiver is gone', async () => {
    answers = [{ status: 500 }];
    const delivery = await deliver('never', here('/'));
    assert.equal(delivery.status, 'failed');
    assert.equal(delivery.attempts.length, 8);
    await running?.close();
    answers = [{ status: 410 }];
    const gone = await deliver('gone', here('/'));
    assert.deepEqual([gone.status, gone.attempts.length], ['failed', 1]);
  });

  it('keep how an answer begins, and nothing in it that could act on a terminal', async () => {
    answers = [
      { status: 400, body: `no\u001b[31m such hook ${'x'.repeat(100_000)}` },
      { status: 200, body: 'taken' },
    ];
    const { attempts } = await deliver('answered', here('/'));
    assert.match(attempts[0]?.answer ?? '', /^no\\x1b\[31m such hook x+$/);
    assert.ok((attempts[0]?.answer ?? '').length < 1_010);
    assert.equal(attempts[1]?.answer, 'taken');
  });

  it('are sent again when somebody asks, with the same id and body', async () => {
    answers = [{ status: 410 }];
    assert.equal((await deliver('resent', here('/'))).status, 'failed');
    answers = [{ status: 200 }];
    for (const count of [2, 3]) {
      assert.equal((await database.records.redeliver('resent'))?.status, 'pending');
      await queue.deliverAgain({ id: 'resent' });
      assert.deepEqual([(await ended('resent')).status, got.length], ['delivered', count]);
    }
    assert.equal(new Set(got.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size, 1);
    assert.equal(await database.records.redeliver('nothing'), undefined);
  });

  it('of a forge carry its token, out of a file that is read each time, and no signature', async () => {
    const tokenFile = join(folder, 'token');
    for (const [kind, header, value] of [
      ['github', 'authorization', 'Bearer one'],
      ['gitlab', 'private-token', 'two'],
    ] as const) {
      forges = [{ kind, host: 'forge.test', api: here('/api'), tokenFile }];
      writeFileSync(tokenFile, `${value.replace('Bearer ', '')}\n`);
      got = [];
      await deliver(`status-${kind}`, here('/api/statuses/1'), ['127.0.0.0/8'], 'commit.status');
      await running?.close();
      assert.deepEqual([got.length, got[0]?.headers[header], got[0]?.headers['webhook-id']], [1, value, undefined]);
    }
  });

  it('of a forge go nowhere else with its token, whatever the address, and nowhere without one', async () => {
    const tokenFile = join(folder, 'secret');
    writeFileSync(tokenFile, 'secret');
    forges = [{ kind: 'github', host: 'forge.test', api: here('/api'), tokenFile }];
    for (const [id, path] of [
      ['elsewhere', '/other/statuses/1'],
      ['beside', '/apiary/statuses/1'],
    ] as const) {
      const { status, attempts } = await deliver(`status-${id}`, here(path), ['127.0.0.0/8'], 'commit.status');
      assert.deepEqual([status, attempts.length, got.length], ['failed', 1, 0]);
      await running?.close();
    }
    forges = [{ kind: 'github', host: 'forge.test', api: here('/api'), tokenFile: join(folder, 'none') }];
    assert.equal((await deliver('status-none', here('/api/statuses/1'), ['127.0.0.0/8'], 'commit.status')).status, 'failed');
    assert.equal(got.length, 0);
  });

  it('do not follow a redirect', async () => {
    answers = [{ status: 307, headers: { location: here('/elsewhere') } }];
    const delivery = await deliver('redirected', here('/first'));
    assert.equal(delivery.status, 'failed');
    assert.ok(got.every(({ path }) => path === '/first'));
    assert.equal(delivery.attempts[0]?.status, 307);
  });

  for (const [name, address] of [
    ['loopback', (port: number) => `http://127.0.0.1:${port}/secret-path`],
    ['a name of it', (port: number) => `http://localhost:${port}/secret-path`],
    ['IPv6 in IPv4', (port: number) => `http://[::ffff:127.0.0.1]:${port}/secret-path`],
    ['metadata', () => 'http://169.254.169.254/secret-path'],
  ] as const) {
    it(`do not go to ${name}, and are not tried again`, async () => {
      const delivery = await deliver(`refused-${name}`, address((server.address() as AddressInfo).port), []);
      assert.equal(delivery.status, 'failed');
      assert.equal(delivery.attempts.length, 1);
      assert.equal(got.length, 0);
      assert.doesNotMatch(delivery.attempts[0]?.error ?? '', /secret-path/);
    });
  }

  it('that nobody receives tell why, without their address', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((settle) => closed.close(settle));
    const delivery = await deliver('nobody', `http://127.0.0.1:${port}/secret-path`);
    assert.equal(delivery.attempts.length, 8);
    assert.equal(delivery.attempts[0]?.error, 'no connection (ECONNREFUSED)');
  });
});
