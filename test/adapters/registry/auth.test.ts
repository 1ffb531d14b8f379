import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseChallenge } from '../../../src/adapters/registry/auth.ts';
import { parseDockerConfig } from '../../../src/adapters/registry/credentials.ts';
import { makePusher, openAccess } from '../../../src/adapters/registry/push.ts';
import { makeRegistry } from '../../../src/adapters/registry/registry.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { forward, startServer, type TestServer } from '../../support/http.ts';
import { pushImage } from '../../support/push.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { member, tar } from '../../support/tar.ts';

const basic = (user: string, password: string) => Buffer.from(`${user}:${password}`).toString('base64');
const fails = (code: ProblemCode) => (error: unknown) => error instanceof Problem && error.code === code;

let registry: TestRegistry;
let folder: string;
const servers: TestServer[] = [];
const start = async (...args: Parameters<typeof startServer>) => {
  const server = await startServer(...args);
  servers.push(server);
  return server;
};

before(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'conforme-docker-'));
  await pushImage(registry.host, 'team/app', [tar(member({ name: 'a' }, 'a'))], { tag: 'latest' });
});
after(async () => {
  await registry.stop();
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true });
});

async function makeClient(auths: object, ...insecure: string[]) {
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
  return makeRegistry({ fetch, insecure, dockerConfig: folder, backoff: 5 });
}

/** A token service, and a gate before the registry that wants its tokens. */
async function tokenGate(grants: (request: IncomingMessage, query: URLSearchParams) => string | undefined, expires = 300) {
  const service = await start((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const query = request.method === 'POST' ? new URLSearchParams(body) : new URL(`http://x${request.url}`).searchParams;
      const token = grants(request, query);
      if (token === undefined) return void response.writeHead(401).end();
      response.end(JSON.stringify({ token, expires_in: expires }));
    });
  });
  const gate = await start((request, response) => {
    if (request.headers.authorization === 'Bearer good') return forward(registry.host, request, response);
    const challenge = `Bearer realm="http://${service.host}/token",service="the, service",scope="repository:team/app:pull,push"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  return { service, gate };
}

describe('token authentication', () => {
  it('gets a token without credentials, once, for pulling alone', async () => {
    const asked: string[] = [];
    const { service, gate } = await tokenGate((request, query) => {
      asked.push(`${query.get('service')} ${query.get('scope')} ${request.headers.authorization}`);
      return 'good';
    });
    const client = await makeClient({}, gate.host, service.host);
    const image = await client.resolve(`${gate.host}/team/app`);
    await client.resolve(`${gate.host}/team/app@${image.digest}`);
    assert.deepEqual(asked, ['the, service repository:team/app:pull undefined']);
  });

  it('asks for the right to push where something is attached, and sends no token to another host', async () => {
    const asked: (string | null)[] = [];
    const { service, gate } = await tokenGate((_request, query) => {
      asked.push(query.get('scope'));
      return 'good';
    });
    // Where the registry has uploads go on.
    const storage = await start((request, response) => forward(registry.host, request, response));
    const front = await start((request, response) => {
      const { writeHead } = response;
      response.writeHead = ((status: number, headers: Record<string, string>) => {
        const location = headers['location']?.replace(registry.host, storage.host);
        return writeHead.call(response, status, { ...headers, ...(location === undefined ? {} : { location }) });
      }) as typeof writeHead;
      forward(gate.host, request, response);
    });
    const access = openAccess({ fetch, insecure: [front.host, gate.host, service.host, storage.host], backoff: 5 });
    const { digest } = await makePusher(access, `${front.host}/team/app`).blob(Buffer.from('attached'), 'text/plain');
    assert.equal(await (await fetch(`http://${registry.host}/v2/team/app/blobs/${digest}`)).text(), 'attached');
    assert.deepEqual(asked, ['repository:team/app:pull,push']);
    assert.deepEqual(
      storage.seen.map(({ method, headers }) => [method, headers.authorization]),
      [['PUT', undefined]],
    );
  });

  it('sends name and password to the token service', async () => {
    const { service, gate } = await tokenGate(({ headers }) =>
      headers.authorization === `Basic ${basic('me', 'secret')}` ? 'good' : undefined,
    );
    const hosts = [gate.host, service.host];
    await (await makeClient({ [gate.host]: { auth: basic('me', 'secret') } }, ...hosts)).resolve(`${gate.host}/team/app`);
    const wrong = await makeClient({ [gate.host]: { auth: basic('me', 'wrong') } }, ...hosts);
    await assert.rejects(wrong.resolve(`${gate.host}/team/app`), fails('registry-denied'));
    await assert.rejects((await makeClient({}, ...hosts)).resolve(`${gate.host}/team/app`), fails('registry-denied'));
  });

  it('exchanges an identity token', async () => {
    const { service, gate } = await tokenGate((request, query) =>
      request.method === 'POST' && query.get('grant_type') === 'refresh_token' && query.get('refresh_token') === 'identity'
        ? 'good'
        : undefined,
    );
    const client = await makeClient({ [gate.host]: { identitytoken: 'identity' } }, gate.host, service.host);
    await client.resolve(`${gate.host}/team/app`);
  });

  it('gets another token where one has expired', async () => {
    const { service, gate } = await tokenGate(() => 'good', 1);
    const client = await makeClient({}, gate.host, service.host);
    const { digest } = await client.resolve(`${gate.host}/team/app`);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await client.resolve(`${gate.host}/team/app@${digest}`);
    assert.equal(service.seen.length, 2);
  });

  it('is denied where the token is not good enough', async () => {
    const { service, gate } = await tokenGate(() => 'bad');
    await assert.rejects((await makeClient({}, gate.host, service.host)).resolve(`${gate.host}/team/app`), fails('registry-denied'));
    assert.equal(gate.seen.length, 2);
  });
});

describe('basic authentication', () => {
  it('is used where the registry asks for it', async () => {
    const gate = await start((request, response) => {
      if (request.headers.authorization === `Basic ${basic('me', 'secret')}`) return forward(registry.host, request, response);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    });
    await (await makeClient({ [gate.host]: { username: 'me', password: 'secret' } }, gate.host)).resolve(`${gate.host}/team/app`);
    await assert.rejects((await makeClient({}, gate.host)).resolve(`${gate.host}/team/app`), fails('registry-denied'));
  });
});

describe('credentials', () => {
  it('stay with their host: not after a redirect, not to a mirror, not to another registry', async () => {
    const seen: (string | undefined)[] = [];
    const storage = await start((request, response) => {
      seen.push(request.headers.authorization);
      forward(registry.host, request, response);
    });
    const gate = await start((request, response) => {
      if (request.headers.authorization === undefined)
        return void response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
      if (request.url?.includes('/blobs/')) return void response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end();
      forward(registry.host, request, response);
    });
    const client = await makeClient({ [gate.host]: { auth: basic('me', 'secret') } }, gate.host, storage.host);
    await client.resolve(`${gate.host}/team/app`);
    await client.resolve(`${storage.host}/team/app`);
    const mirrored = makeRegistry({
      fetch,
      insecure: [gate.host, storage.host],
      dockerConfig: folder,
      mirrors: new Map([[gate.host, storage.host]]),
    });
    await mirrored.resolve(`${gate.host}/team/app`);
    assert.ok(seen.length >= 5);
    assert.deepEqual(new Set(seen), new Set([undefined]));
  });

  it('do not follow a redirect of the token service', async () => {
    const thief = await start((_request, response) => response.end('{"token":"good"}'));
    const service = await start((_request, response) => response.writeHead(307, { location: `http://${thief.host}/` }).end());
    const gate = await start((_request, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${service.host}/"` }).end(),
    );
    const hosts = [thief.host, service.host, gate.host];
    const withPassword = await makeClient({ [gate.host]: { auth: basic('me', 'secret') } }, ...hosts);
    await assert.rejects(withPassword.resolve(`${gate.host}/team/app`), fails('registry-denied'));
    const withIdentity = await makeClient({ [gate.host]: { identitytoken: 'identity' } }, ...hosts);
    await assert.rejects(withIdentity.resolve(`${gate.host}/team/app`), fails('registry-unavailable'));
    assert.deepEqual(thief.seen.map(({ headers }) => headers.authorization), [undefined]); // prettier-ignore
  });

  it("come out of Docker's config.json", () => {
    const text = JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': { auth: basic('hub', 'a:b') },
        'ghcr.io': { username: 'me', password: 'secret' },
        'https://quay.io': { identitytoken: 'identity', auth: basic('<token>', '') },
        'registry.example.org:5000': { registrytoken: 'token' },
        'helped.example.org': {},
      },
      credHelpers: { 'gcr.io': 'gcloud' },
      credsStore: 'desktop',
    });
    const { byRegistry, notes } = parseDockerConfig(text);
    assert.deepEqual(Object.fromEntries(byRegistry), {
      'docker.io': { username: 'hub', password: 'a:b' },
      'ghcr.io': { username: 'me', password: 'secret' },
      'quay.io': { identityToken: 'identity' },
      'registry.example.org:5000': { registryToken: 'token' },
    });
    assert.equal(notes.length, 3);
    assert.ok(!notes.join().includes('secret'));
    for (const wrong of ['', 'text', '[]', 'null']) assert.throws(() => parseDockerConfig(wrong), fails('invalid-configuration'));
  });

  const challenges: [string, string | undefined, [string, string][]][] = [
    ['Bearer realm="https://a/b",service="c"', 'bearer', [['realm', 'https://a/b'], ['service', 'c']]],
    ['bearer REALM=https://a/b', 'bearer', [['realm', 'https://a/b']]],
    ['Basic realm="a, \\"b\\""', 'basic', [['realm', 'a, "b"']]],
    ['Negotiate, Basic realm="a"', 'basic', [['realm', 'a']]],
    ['Bearer realm="first",realm="second"', 'bearer', [['realm', 'first']]],
    ['Basic', 'basic', []],
    ['Digest realm="a"', undefined, []],
    ['', undefined, []],
  ]; // prettier-ignore
  for (const [field, scheme, parameters] of challenges) {
    it(`are asked for with ${field || 'nothing'}`, () => {
      const challenge = parseChallenge(field);
      assert.equal(challenge?.scheme, scheme);
      assert.deepEqual([...(challenge?.parameters ?? [])], parameters);
    });
  }
});
