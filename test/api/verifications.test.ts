import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import { digestOf } from '../../src/model/digest.ts';
import { assertMatches } from '../support/matches.ts';
import { pushImage, pushIndex } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { TestRepository } from '../support/repository.ts';
import { startService, type TestService } from '../support/service.ts';
import { member, tar } from '../support/tar.ts';

const TOKEN = 'a-token-of-the-test-1234';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
let registry: TestRegistry;
let service: TestService;
let image: string;

before(async () => {
  registry = await startRegistry();
  service = await startService({ token: TOKEN, insecure: [registry.host] });
  await pushImage(registry.host, 'shop', [tar(member({ name: 'etc/motd' }, Buffer.from('hello')))], { tag: '1' });
  image = `${registry.host}/shop:1`;
});
after(async () => {
  await service.stop();
  await registry.stop();
});

const post = (body: object, headers: Record<string, string> = {}) =>
  request(service.url)
    .post('/v1/verifications')
    .set({ ...AUTHORIZED, ...headers })
    .send(body);

describe('asking for a verdict', () => {
  it('pins the tag at once and answers 202 with a Location', async () => {
    const { body, status, headers } = await post({ image, source: { git: 'https://git.example.org/shop.git' } });
    assert.equal(status, 202);
    assertMatches('Accepted', body);
    assert.equal(body.status, 'queued');
    assert.equal(body.image.reference, image);
    assert.match(body.image.digest, /^sha256:/);
    assert.equal(headers['location'], `https://conforme.example.org/v1/verifications/${body.id}`);
    // The tag moves on; what was asked about does not.
    await pushImage(registry.host, 'shop', [tar(member({ name: 'etc/motd' }, Buffer.from('moved')))], { tag: '1' });
    const got = await request(service.url).get(`/v1/verifications/${body.id}`);
    assertMatches('Verification', got.body);
    assert.equal(got.body.image.digest, body.image.digest);
    const again = await post({ image, source: { git: 'https://git.example.org/shop.git' } });
    assert.notEqual(again.body.image.digest, body.image.digest);
    assert.notEqual(again.body.id, body.id);
  });

  it('answers with the verdict where the caller would wait for it, and with what there is when the time is over', async () => {
    const tag = `${registry.host}/waited:1`;
    await pushImage(registry.host, 'waited', [tar(member({ name: 'etc/motd' }, Buffer.from('waited')))], { tag: '1' });
    const early = await post({ image: tag }, { prefer: 'respond-async, wait=1' });
    assert.deepEqual([early.status, early.headers['preference-applied'], early.body.status], [202, 'wait=1', 'queued']);
    const waiting = post({ image: tag }, { prefer: 'wait=30' });
    const got = waiting.then((answer) => answer);
    await service.conclude(early.body.id, 'honest');
    const { status, body, headers } = await got;
    assert.deepEqual([status, body.id, headers['location']], [200, early.body.id, early.headers['location']]);
    assertMatches('Verification', body);
    assert.equal(body.verdict.auditable, 'yes');
    const read = await request(service.url).get(`/v1/verifications/${body.id}`).set('prefer', 'wait=30');
    assert.deepEqual([read.status, read.body.status], [200, 'done']);
    const same = await request(service.url)
      .get(`/v1/verifications/${body.id}`)
      .set('if-none-match', read.headers['etag'] ?? '');
    assert.equal(same.status, 304);
    assert.equal((await post({ image: tag }, { prefer: 'wait=soon' })).status, 202, 'what cannot be read is ignored');
  });

  it('lets no more than so many wait at once, and answers the others as they stand', async () => {
    await pushImage(registry.host, 'crowded', [tar(member({ name: 'etc/motd' }, Buffer.from('crowded')))], { tag: '1' });
    const { body } = await post({ image: `${registry.host}/crowded:1` });
    const crowd = Array.from({ length: 101 }, () => request(service.url).get(`/v1/verifications/${body.id}`).set('prefer', 'wait=2'));
    const applied = (await Promise.all(crowd)).map(({ headers }) => headers['preference-applied']);
    assert.deepEqual([applied.filter((one) => one === 'wait=2').length, applied.filter((one) => one === undefined).length], [100, 1]);
  });

  it('takes a branch that moved on for another source', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'conforme-branch-'));
    const repository = new TestRepository(join(folder, 'shop'));
    const git = await startGitServer(folder);
    try {
      const source = { git: `${git.address}/shop/.git`, ref: 'main' };
      const first = repository.commit('first', { Dockerfile: 'FROM scratch\n' });
      const before = await post({ image, source });
      assert.equal((await post({ image, source })).body.id, before.body.id);
      assert.equal((await service.deps.records.get(before.body.id))?.commit, first);
      repository.commit('second', { Dockerfile: 'FROM scratch\nUSER 1\n' });
      assert.notEqual((await post({ image, source })).body.id, before.body.id);
    } finally {
      await git.stop();
      rmSync(folder, { recursive: true });
    }
  });

  it('gives one verification for the same image, source and build, and another one for another', async () => {
    const source = { git: 'https://git.example.org/shop.git', ref: 'v2' };
    const first = await post({ image, source });
    const same: object[] = [
      { image, source },
      { image, source: { ...source, subdir: './' }, dockerfile: './' },
      { image, source, buildArgs: {}, target: '' },
    ];
    for (const body of same) assert.equal((await post(body)).body.id, first.body.id, JSON.stringify(body));
    const others: object[] = [
      { image },
      { image, source: { ...source, ref: 'v3' } },
      { image, source, dockerfile: 'other/Dockerfile' },
      { image, source, dockerfile: './Dockerfile' }, // its provenance may name another one
      { image, source, target: 'final' },
      { image, source, buildArgs: { A: '1' } },
    ];
    for (const body of others) assert.notEqual((await post(body)).body.id, first.body.id, JSON.stringify(body));
  });

  it('honours an Idempotency-Key, and refuses it for another request', async () => {
    const key = { 'idempotency-key': 'k-1' };
    const first = await post({ image, dockerfile: 'a' }, key);
    assert.equal((await post({ image, dockerfile: 'a' }, key)).body.id, first.body.id);
    const other = await post({ image, dockerfile: 'b' }, key);
    assert.deepEqual([other.status, other.body.code], [422, 'idempotency-key-reused']);
  });

  it('chooses the platform that is asked for', async () => {
    const amd64 = await pushImage(registry.host, 'many', [], { platform: { os: 'linux', architecture: 'amd64' } });
    const arm64 = await pushImage(registry.host, 'many', [], { platform: { os: 'linux', architecture: 'arm64' } });
    await pushIndex(registry.host, 'many', [amd64.descriptor, arm64.descriptor], '1');
    const { body } = await post({ image: `${registry.host}/many:1`, platform: 'linux/arm64' });
    const got = await request(service.url).get(`/v1/verifications/${body.id}`);
    assert.equal(got.body.image.manifestDigest, arm64.digest);
    const none = await post({ image: `${registry.host}/many:1`, platform: 'linux/s390x' });
    assert.deepEqual([none.status, none.body.code], [404, 'platform-not-found']);
  });

  it('needs the token, whatever else is wrong', async () => {
    for (const authorization of [
      undefined,
      'Bearer wrong-token-of-the-test',
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
    ]) {
      const sent = request(service.url).post('/v1/verifications').send({ nonsense: true });
      const { status, body, headers } = await (authorization === undefined ? sent : sent.set({ authorization }));
      assert.deepEqual([status, body.code], [401, 'unauthorized'], authorization);
      assert.match(headers['www-authenticate'] ?? '', /^Bearer/);
    }
    const put = await request(service.url)
      .put(`/v1/contexts/${digestOf('x')}`)
      .send('x');
    assert.equal(put.status, 401);
  });

  const REFUSED: [what: string, body: unknown, status: number, code: string, pointer?: string][] = [
    ['no image', {}, 400, 'invalid-request', '/image'],
    ['an unknown name', { image: 'x', imgae: 'y' }, 400, 'invalid-request', '/imgae'],
    [
      'an unknown name in the source',
      { image: 'x', source: { git: 'https://a.example/b', reff: 'v1' } },
      400,
      'invalid-request',
      '/source/reff',
    ],
    ['a source of no kind', { image: 'x', source: {} }, 400, 'invalid-request'],
    ['a digest that is none', { image: 'x', source: { context: 'sha256:1' } }, 400, 'invalid-request', '/source/context'],
    ['a number as image', { image: 5 }, 400, 'invalid-request', '/image'],
    ['a build argument with a bad name', { image: 'x', buildArgs: { 'a-b': '1' } }, 400, 'invalid-request', '/buildArgs/a-b'],
    ['a platform that is none', { image: 'x', platform: 'Linux' }, 400, 'invalid-request', '/platform'],
    ['a list', [], 400, 'invalid-request'],
    ['a reference that does not parse', { image: 'shop:not a tag' }, 400, 'invalid-reference'],
    ['an empty reference', { image: '  ' }, 400, 'invalid-reference'],
    ['git over ssh', { image: 'x', source: { git: 'ssh://git@a.example/b' } }, 400, 'invalid-source'],
    ['a local repository', { image: 'x', source: { git: 'file:///etc' } }, 400, 'invalid-source'],
    ['credentials in an address', { image: 'x', source: { git: 'https://user:secret@a.example/b' } }, 400, 'invalid-source'],
    ['an option as ref', { image: 'x', source: { git: 'https://a.example/b', ref: '--upload-pack=x' } }, 400, 'invalid-source'],
    ['a folder that leaves', { image: 'x', source: { git: 'https://a.example/b', subdir: 'a/../../b' } }, 400, 'invalid-source'],
    ['a Dockerfile that leaves', { image: 'x', dockerfile: '../Dockerfile' }, 400, 'invalid-request'],
    ['an absolute Dockerfile', { image: 'x', dockerfile: '/etc/passwd' }, 400, 'invalid-request'],
    ['a webhook over ftp', { image: 'x', webhook: { url: 'ftp://a.example' } }, 400, 'invalid-request'],
    ['a webhook with credentials', { image: 'x', webhook: { url: 'https://u:p@a.example' } }, 400, 'invalid-request'],
    ['a context that nobody sent', { image: 'x', source: { context: digestOf('nothing') } }, 404, 'context-missing'],
  ];
  for (const [what, body, status, code, pointer] of REFUSED) {
    it(`refuses ${what}`, async () => {
      const answer = await post(body as object);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
      assert.equal(answer.body.type, `/docs/problems#${code}`);
      assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
      if (pointer !== undefined) {
        assert.ok(
          answer.body.errors.some((error: { pointer: string }) => error.pointer === pointer),
          JSON.stringify(answer.body.errors),
        );
        assert.ok(answer.body.detail.includes(pointer));
      }
    });
  }

  it('tells what the registry says', async () => {
    const missing = await post({ image: `${registry.host}/nothing:1` });
    assert.deepEqual([missing.status, missing.body.code], [404, 'image-not-found']);
    const away = await post({ image: 'https-only.invalid/x:1' });
    assert.deepEqual([away.status, away.body.code], [502, 'registry-unavailable']);
  });

  it('refuses what is too large, of another type, or broken', async () => {
    const large = await post({ image, buildArgs: { A: 'x'.repeat(600_000) } });
    assert.deepEqual([large.status, large.body.code], [413, 'too-large']);
    const form = await post({}, { 'content-type': 'application/x-www-form-urlencoded' });
    assert.deepEqual([form.status, form.body.code], [415, 'unsupported-media-type']);
    for (const text of ['{', '{"image": "x", "__proto__": {"image": "y"}}', '']) {
      const broken = await request(service.url).post('/v1/verifications').set(AUTHORIZED).type('json').send(text);
      assert.deepEqual([broken.status, broken.body.code], [400, 'invalid-request'], text);
    }
  });

  it('tells a webhook that comes after the verdict, once', async () => {
    const body = { image, dockerfile: 'late' };
    const { id } = (await post(body)).body;
    await service.conclude(id, 'honest');
    const webhook = { url: 'https://hooks.example.org/late' };
    for (let times = 0; times < 2; times += 1) {
      const again = await post({ ...body, webhook });
      assert.deepEqual([again.status, again.body.id, again.body.status], [202, id, 'done']);
    }
    const told = await service.deps.records.deliveriesOf(id);
    assert.deepEqual(
      told.map(({ url, event, status }) => [url, event, status]),
      [[webhook.url, 'verdict.created', 'pending']],
    );
  });

  it('knows nothing of what nobody asked for', async () => {
    for (const path of ['/v1/verifications/nothing', '/v1/verifications/nothing/files', '/v1/verifications/nothing/events']) {
      const { status, body } = await request(service.url).get(path);
      assert.deepEqual([status, body.code], [404, 'not-found'], path);
    }
  });
});
