import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makeProxy, type ProxyOptions, type RecordingProxy } from '../../../src/adapters/network/proxy.ts';

const ARCHIVE = gzipSync(randomBytes(5000));
const CHUNK = Buffer.alloc(65_536, 'x');
const LARGE_CHUNKS = 4096; // 256 MiB

const seen: IncomingMessage[] = [];
const server = createServer((from, to) => {
  seen.push(from);
  if (from.url === '/large') {
    return Readable.from(Array(LARGE_CHUNKS).fill(CHUNK)).pipe(to);
  }
  if (from.url?.startsWith('/archive') === true) return to.end(ARCHIVE);
  if (from.url === '/cut-archive') {
    to.writeHead(200, { 'content-length': '100000' }).write(ARCHIVE);
    return setTimeout(() => to.destroy(), 50);
  }
  if (from.url === '/cut') {
    to.writeHead(200, { 'content-length': '100' }).write('half');
    return setTimeout(() => to.destroy(), 50);
  }
  if (from.method === 'POST') return from.pipe(to);
  return to
    .writeHead(from.url === '/gone' ? 404 : 200, {
      'content-type': 'text/plain',
      'keep-alive': 'timeout=9',
      connection: 'x-hop',
      'x-hop': '1',
      'x-end': '2',
    })
    .end('hello');
});

async function opened(more: Partial<ProxyOptions> = {}): Promise<{ proxy: RecordingProxy; address: URL } & AsyncDisposable> {
  const proxy = makeProxy({ guard: makeGuard({ allow: ['127.0.0.1/32'], hosts: [] }), ...more });
  const address = new URL((await proxy.listen({ host: '127.0.0.1', port: 0 })) ?? '');
  return { proxy, address, [Symbol.asyncDispose]: proxy.close };
}

async function ask(address: URL, options: RequestOptions, body?: string) {
  const outgoing = request({ host: address.hostname, port: address.port, ...options });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { status: answer.statusCode, headers: answer.headers, size, sha256: hash.digest('hex') };
}

describe('the recording proxy', () => {
  let port = 0;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('passes a request on and writes it down', async () => {
    await using open = await opened();
    const answer = await ask(open.address, {
      path: `http://user:pass@127.0.0.1:${port}/a%7eb?q=1`,
      headers: { 'proxy-connection': 'keep-alive', connection: 'x-mine', 'x-mine': '1', 'x-end': '1', host: 'another.example' },
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-end'], '2');
    assert.equal(answer.headers['x-hop'], undefined);
    const got = seen.at(-1);
    assert.equal(got?.url, '/a%7eb?q=1');
    assert.equal(got?.headers.host, `127.0.0.1:${port}`);
    assert.deepEqual([got?.headers['x-mine'], got?.headers['proxy-connection'], got?.headers['x-end']], [undefined, undefined, '1']);
    assert.deepEqual(open.proxy.dependencies(), [
      {
        uri: `http://127.0.0.1:${port}/a%7eb?q=1`,
        digest: { sha256: createHash('sha256').update('hello').digest('hex') },
        annotations: { method: 'GET', status: 200, size: 5, mediaType: 'text/plain' },
      },
    ]);
  });

  it('streams a large body with little memory, and both sides have the same digest', async () => {
    await using open = await opened();
    const before = process.memoryUsage().rss;
    const answer = await ask(open.address, { path: `http://127.0.0.1:${port}/large` });
    assert.equal(answer.size, LARGE_CHUNKS * CHUNK.length);
    assert.equal(open.proxy.requests()[0]?.sha256, `sha256:${answer.sha256}`);
    assert.ok(process.memoryUsage().rss - before < 128 * 1024 ** 2);
  });

  it('passes a body up, and keeps connections open for the next request', async () => {
    await using open = await opened();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const body of ['one', 'two', 'three']) {
      const answer = await ask(open.address, { method: 'POST', path: `http://127.0.0.1:${port}/`, agent }, body);
      assert.equal(answer.size, body.length);
    }
    agent.destroy();
    assert.equal(new Set(seen.slice(-3).map(({ socket }) => socket.remotePort)).size, 1);
  });

  it('answers pipelined requests in their order, as apt sends them', async () => {
    await using open = await opened();
    const socket = connect(Number(open.address.port), '127.0.0.1');
    for (const path of ['/large', '/gone', '/last']) {
      socket.write(`GET http://127.0.0.1:${port}${path} HTTP/1.1\r\nHost: x\r\n${path === '/last' ? 'Connection: close\r\n' : ''}\r\n`);
    }
    let text = '';
    for await (const chunk of socket)
      text += String(chunk)
        .replace(/x+/g, '')
        .replace(/^[0-9a-f]*\r$/gm, '');
    assert.deepEqual(text.match(/(?<=^HTTP\/1\.1 )\d+/gm), ['200', '404', '200']);
  });

  it('gives no digest to a body that was cut off', async () => {
    await using open = await opened();
    await assert.rejects(ask(open.address, { path: `http://127.0.0.1:${port}/cut` }));
    await sleep(50); // the client may see the end before the proxy has written it down
    assert.equal(open.proxy.requests()[0]?.sha256, undefined);
    assert.notEqual(open.proxy.requests()[0]?.error, undefined);
  });

  it('refuses private addresses, also behind names, and says so', async () => {
    await using open = await opened({ guard: makeGuard({ allow: [], hosts: [] }) });
    const before = seen.length;
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '169.254.169.254']) {
      assert.equal((await ask(open.address, { path: `http://${host}:${port}/` })).status, 403, host);
      const outgoing = request({ host: '127.0.0.1', port: open.address.port, method: 'CONNECT', path: `${host}:${port}` }).end();
      const [answer] = (await once(outgoing, 'connect')) as [IncomingMessage];
      assert.equal(answer.statusCode, 403, host);
    }
    assert.equal(seen.length, before);
    assert.ok(open.proxy.requests().every(({ refused }) => refused === 'address'));
    assert.deepEqual(open.proxy.dependencies(), []);
  });

  it('refuses what is no request for a proxy, and mail', async () => {
    await using open = await opened();
    for (const path of ['/', 'https://127.0.0.1/', 'ftp://127.0.0.1/', 'http://127.0.0.1:25/']) {
      assert.equal((await ask(open.address, { path })).status, 400, path);
    }
  });

  it('opens a tunnel and counts its bytes', async (t) => {
    await using open = await opened();
    const echo = createTcpServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    t.after(() => echo.close());
    await once(echo, 'listening');
    const target = `127.0.0.1:${(echo.address() as { port: number }).port}`;
    const outgoing = request({ host: '127.0.0.1', port: open.address.port, method: 'CONNECT', path: target }).end();
    const [, socket] = (await once(outgoing, 'connect')) as [IncomingMessage, import('node:net').Socket];
    socket.end('through the tunnel');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.equal(text, 'through the tunnel');
    const [record] = open.proxy.requests();
    assert.deepEqual([record?.url, record?.status, record?.sent, record?.received], [`https://${target}`, 200, 18, 18]);
    const times = { startedAt: record?.startedAt, endedAt: record?.endedAt };
    assert.ok(times.startedAt !== undefined && times.endedAt !== undefined && times.startedAt <= times.endedAt);
    assert.deepEqual(open.proxy.dependencies(), [
      { uri: `https://${target}`, annotations: { method: 'CONNECT', status: 200, size: 18, ...times } },
    ]);
  });

  it('keeps what may be an archive, whole, and hands over what it saw of the rest', async (t) => {
    const keep = join(mkdtempSync(join(tmpdir(), 'conforme-proxy-')), 'fetched');
    t.after(() => rmSync(dirname(keep), { recursive: true }));
    await using open = await opened({ keep });
    for (const path of ['/archive', '/archive', '/last', '/large', '/gone'])
      await ask(open.address, { path: `http://127.0.0.1:${port}${path}` });
    await assert.rejects(ask(open.address, { path: `http://127.0.0.1:${port}/cut-archive` }));
    const apt = { 'user-agent': 'Debian APT-HTTP/1.3 (2.6.1)' };
    await ask(open.address, { path: `http://127.0.0.1:${port}/archive?apt`, headers: apt });
    const fetched = await open.proxy.fetched();
    assert.deepEqual(
      fetched.map(({ url, file }) => [new URL(url).pathname + new URL(url).search, file !== undefined]),
      [['/archive', true], ['/last', false], ['/large', false]], // prettier-ignore
    );
    const [archive] = fetched;
    assert.deepEqual(readFileSync(archive?.file ?? ''), ARCHIVE);
    assert.equal(archive?.sha512, createHash('sha512').update(ARCHIVE).digest('hex'));
    // What was cut off or fetched a second time is not handed over; of the former nothing stays.
    await sleep(50);
    assert.equal(readdirSync(keep).length, 2);
  });

  it('stops at its limits', async () => {
    await using open = await opened({ bytesMax: 1_000_000 });
    await assert.rejects(ask(open.address, { path: `http://127.0.0.1:${port}/large` }));
    assert.equal(open.proxy.requests()[0]?.refused, 'limit');
    assert.equal((await ask(open.address, { path: `http://127.0.0.1:${port}/` })).status, 403);
    await using few = await opened({ requestsMax: 2 });
    const statuses: (number | undefined)[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await ask(few.address, { path: `http://127.0.0.1:${port}/` })).status);
    assert.deepEqual(statuses, [200, 200, 403]);
  });

  it('asks for its secret where it has one', async () => {
    await using open = await opened({ secret: 's3cret' });
    const path = `http://127.0.0.1:${port}/`;
    assert.equal((await ask(open.address, { path })).status, 407);
    const basic = (text: string) => ({ 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` });
    assert.equal((await ask(open.address, { path, headers: basic('conforme:wrong') })).status, 407);
    assert.equal((await ask(open.address, { path, headers: basic('conforme:s3cret') })).status, 200);
    assert.equal(seen.at(-1)?.headers['proxy-authorization'], undefined);
    assert.match(open.address.href, /^http:\/\/conforme:s3cret@127/);
  });

  it('listens on a Unix socket as well', async () => {
    const proxy = makeProxy({ guard: makeGuard({ allow: ['127.0.0.1/32'], hosts: [] }) });
    const path = join(tmpdir(), `conforme-${process.pid}.sock`);
    assert.equal(await proxy.listen({ path }), undefined);
    const outgoing = request({ socketPath: path, path: `http://127.0.0.1:${port}/` }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    await proxy.close();
  });
});
