import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { checkedTar } from '../../api/tar-check.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import { assertMatches } from '../support/matches.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { startService, type TestService } from '../support/service.ts';
import { inPieces, long, member, pax, tar } from '../support/tar.ts';

let registry: TestRegistry;
let service: TestService;

before(async () => {
  registry = await startRegistry();
  service = await startService({ insecure: [registry.host] });
});
after(async () => {
  await service.stop();
  await registry.stop();
});

/** With fetch, because superagent writes a form of its own out of bytes that are called a form. */
async function put(bytes: Buffer, digest: Digest = digestOf(bytes), type = 'application/x-tar') {
  const url = `${service.url}/v1/contexts/${digest}`;
  const answer = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body: new Uint8Array(bytes) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
const file = member({ name: 'Dockerfile' }, Buffer.from('FROM scratch\n'));

describe('uploading a build context', () => {
  it('takes a tar, plain or gzipped, of any name and of any length of its pieces', async () => {
    const plain = tar(file, member({ name: 'big' }, randomBytes(300_000)));
    for (const [bytes, type] of [
      [plain, 'application/x-tar'],
      [gzipSync(plain), 'application/gzip'],
      [gzipSync(plain, { level: 1 }), 'application/octet-stream'],
      [tar(file), 'application/x-www-form-urlencoded'],
    ] as const) {
      const { status, body } = await put(bytes, digestOf(bytes), type);
      assert.equal(status, 201, JSON.stringify(body));
      assertMatches('StoredContext', body);
      assert.deepEqual(body, { digest: digestOf(bytes), size: bytes.length });
      assert.deepEqual(await service.deps.blobs.read(digestOf(bytes)), bytes);
      // Twice does no harm.
      assert.equal((await put(bytes)).status, 201);
    }
  });

  const REFUSED: [what: string, bytes: Buffer, code: string, status: number][] = [
    ['nothing', Buffer.alloc(0), 'invalid-context', 400],
    ['one byte', Buffer.from('x'), 'invalid-context', 400],
    ['what is no tar', randomBytes(4096), 'invalid-context', 400],
    ['a gzip of what is no tar', gzipSync(randomBytes(4096)), 'invalid-context', 400],
    ['an empty tar', tar(), 'invalid-context', 400],
    ['a tar that is cut off', tar(file, member({ name: 'big' }, randomBytes(9000))).subarray(0, 3000), 'invalid-context', 400],
    ['a gzip that is cut off', gzipSync(tar(file, member({ name: 'b' }, randomBytes(9000)))).subarray(0, 3000), 'invalid-context', 400],
    ['a member that leaves', tar(file, member({ name: '../etc/passwd' }, Buffer.from('x'))), 'invalid-context', 400],
    ['two members of which readers see different ones', tar(pax([['path', 'a']]), long('L', 'b'), file), 'invalid-context', 400],
    ['more than is accepted', tar(member({ name: 'big' }, randomBytes(1_100_000))), 'too-large', 413],
  ];
  for (const [what, bytes, code, status] of REFUSED) {
    it(`refuses ${what} and keeps nothing`, async () => {
      const answer = await put(bytes);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
      assert.equal(await service.deps.blobs.has(digestOf(bytes)), false);
    });
  }

  it('refuses more than is accepted where no length is announced', async () => {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      const bytes = tar(member({ name: 'big' }, randomBytes(1_100_000)));
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
    }
    const url = `${service.url}/v1/contexts/${digestOf('big')}`;
    const answer = await fetch(url, { method: 'PUT', body: ReadableStream.from(pieces()), duplex: 'half' });
    assert.equal(answer.status, 413);
  });

  it('refuses what unpacks to more than it may, before it is all unpacked', async () => {
    const bomb = gzipSync(tar(member({ name: 'zeros' }, Buffer.alloc(50_000_000))));
    const passOn = async (limit: number): Promise<number> => {
      let passed = 0;
      for await (const chunk of checkedTar(inPieces(bomb, 1000), limit)) passed += chunk.length;
      return passed;
    };
    assert.equal(await passOn(51_000_000), bomb.length);
    await assert.rejects(passOn(1_000_000), { code: 'invalid-context' });
  });

  it('refuses bytes that do not have their digest', async () => {
    const bytes = tar(file);
    const other = digestOf('other');
    const answer = await put(bytes, other);
    assert.deepEqual([answer.status, answer.body.code], [400, 'digest-mismatch']);
    assert.equal(await service.deps.blobs.has(other), false);
    assert.equal((await request(service.url).put('/v1/contexts/sha256:xyz').send(bytes)).status, 400);
  });

  it('lets nothing be built from but what was uploaded as a context', async () => {
    await pushImage(registry.host, 'shop', [], { tag: '1' });
    const post = (context: Digest) =>
      request(service.url)
        .post('/v1/verifications')
        .send({ image: `${registry.host}/shop:1`, source: { context } });
    const bytes = tar(file, member({ name: 'x' }, Buffer.from('y')));
    const { digest } = await service.deps.blobs.put([bytes]);
    const stored = await post(digest);
    assert.deepEqual([stored.status, stored.body.code], [404, 'context-missing']);
    await put(bytes);
    assert.equal((await post(digest)).status, 202);
  });
});
