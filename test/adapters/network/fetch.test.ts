import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { makeFetch } from '../../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';

describe('fetch', () => {
  let port = 0;
  let hits = 0;
  const server = createServer((request, response) => {
    hits += 1;
    const to = new URL(request.url ?? '/', 'http://x').searchParams.get('to');
    if (to === null) response.end('body');
    else response.writeHead(302, { location: to }).end();
  });
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('refuses a private address before a byte is sent', async () => {
    const fetch = makeFetch(makeGuard({ allow: [], hosts: [] }));
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433']) {
      await assert.rejects(fetch(`http://${host}:${port}/`), { code: 'address-refused' }, host);
    }
    assert.equal(hits, 0);
  });

  it('refuses it after a redirect as well', async () => {
    const fetch = makeFetch(makeGuard({ allow: [], hosts: ['localhost'] }));
    assert.equal(await (await fetch(`http://localhost:${port}/`)).text(), 'body');
    await assert.rejects(fetch(`http://localhost:${port}/?to=http://127.0.0.1:${port}/`), { code: 'address-refused' });
    await assert.rejects(fetch(`http://localhost:${port}/?to=http://169.254.169.254/`), { code: 'address-refused' });
  });

  it('reaches what the operator allows', async () => {
    const fetch = makeFetch(makeGuard({ allow: ['127.0.0.1/32'], hosts: [] }));
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/?to=/again`)).text(), 'body');
  });
});
