import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { openBlobs } from '../../../src/adapters/blobs/open.ts';
import { makeS3Blobs, parseS3Url } from '../../../src/adapters/blobs/s3.ts';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import type { Blobs } from '../../../src/ports.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';

const fails = (code: ProblemCode) => (error: unknown) => error instanceof Problem && error.code === code;
async function* pieces(bytes: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

let folder: string;
let s3: TestS3;
const stores = new Map<string, Blobs>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-blobs-'));
  s3 = await startS3();
  stores.set('a folder', openBlobs(pathToFileURL(join(folder, 'store')).href));
  stores.set('a bucket', makeS3Blobs(parseS3Url(s3.url), join(folder, 'spool')));
});
after(async () => {
  await s3.stop();
  await rm(folder, { recursive: true });
});

for (const kind of ['a folder', 'a bucket']) {
  const store = () => stores.get(kind) as Blobs;

  describe(`blobs in ${kind}`, () => {
    for (const size of [0, 1, 300_000]) {
      it(`gives back ${size} bytes`, async () => {
        const bytes = randomBytes(size);
        assert.equal(await store().has(digestOf(bytes)), size === 0 ? await store().has(digestOf('')) : false);
        assert.deepEqual(await store().put(pieces(bytes)), { digest: digestOf(bytes), size });
        assert.deepEqual(await store().put([bytes]), { digest: digestOf(bytes), size });
        assert.equal(await store().has(digestOf(bytes)), true);
        assert.deepEqual(await store().read(digestOf(bytes)), bytes);
        const parts: Buffer[] = [];
        for await (const part of await store().open(digestOf(bytes))) parts.push(part as Buffer);
        assert.deepEqual(Buffer.concat(parts), bytes);
      });
    }

    it('refuses bytes of another digest, and too many, and keeps neither', async () => {
      const bytes = randomBytes(50_000);
      await assert.rejects(store().put(pieces(bytes), { expected: digestOf('other') }), fails('digest-mismatch'));
      await assert.rejects(store().put(pieces(bytes), { max: 49_999 }), fails('too-large'));
      assert.equal(await store().has(digestOf(bytes)), false);
      await store().put(pieces(bytes), { expected: digestOf(bytes), max: 50_000 });
      await assert.rejects(store().read(digestOf(bytes), 49_999), fails('too-large'));
    });

    it('lets an error of the source through, and keeps nothing', async () => {
      async function* breaking() {
        yield* pieces(Buffer.from('begun'));
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET', syscall: 'read' });
      }
      await assert.rejects(store().put(breaking()), { code: 'ECONNRESET' });
      assert.deepEqual(await readdir(join(folder, kind === 'a folder' ? 'store/tmp' : 'spool')), []);
    });

    it('says what is missing', async () => {
      const missing = digestOf(randomBytes(8));
      await assert.rejects(store().open(missing), fails('blob-missing'));
      await assert.rejects(store().read(missing), fails('blob-missing'));
      assert.equal(await store().resolve('no such name'), undefined);
    });

    it('links names that no file system would take, and the first link stays', async () => {
      const { digest } = await store().put([Buffer.from('first')]);
      const { digest: second } = await store().put([Buffer.from('second')]);
      for (const name of ['layer-scan/v1/sha256:abc', '../../../etc/passwd', 'a\0b\nc', 'x'.repeat(5000), '', '.', 'ä']) {
        assert.equal(await store().resolve(name), undefined);
        await store().link(name, digest);
        await store().link(name, second);
        assert.equal(await store().resolve(name), digest);
      }
    });

    it('does not resolve a name whose blob is gone, and takes a new link for it', async () => {
      const { digest } = await store().put([Buffer.from('stays')]);
      await store().link('dangling', digestOf(randomBytes(8)));
      assert.equal(await store().resolve('dangling'), undefined);
      await store().link('dangling', digest);
      assert.equal(await store().resolve('dangling'), digest);
    });

    it('takes the same bytes and names from many at once', async () => {
      const bytes = randomBytes(200_000);
      const put = await Promise.all(Array.from({ length: 8 }, () => store().put(pieces(bytes))));
      await Promise.all(put.map(({ digest }) => store().link('many', digest)));
      assert.deepEqual(new Set(put.map(({ digest }) => digest)), new Set([digestOf(bytes)]));
      assert.deepEqual(await store().read((await store().resolve('many')) as typeof put[0]['digest']), bytes); // prettier-ignore
    });
  });
}

describe('a folder', () => {
  it('notices what was changed behind its back', async () => {
    const blobs = makeFileBlobs(join(folder, 'damaged'));
    const { digest } = await blobs.put([Buffer.from('whole')]);
    const file = join(folder, 'damaged/sha256', hexOf(digest).slice(0, 2), hexOf(digest));
    assert.equal((await stat(file)).mode & 0o077, 0);
    await chmod(file, 0o600);
    await truncate(file, 3);
    await assert.rejects(blobs.read(digest), fails('blobs-unavailable'));
    await writeFile(file, 'WHOLE');
    await assert.rejects(blobs.read(digest), fails('blobs-unavailable'));
  });

  it('says so where it cannot be written', async () => {
    await writeFile(join(folder, 'a-file'), '');
    const blobs = makeFileBlobs(join(folder, 'a-file'));
    await assert.rejects(blobs.put([Buffer.from('x')]), fails('blobs-unavailable'));
    await assert.rejects(blobs.link('x', digestOf('x')), fails('blobs-unavailable'));
  });
});

describe('a bucket', () => {
  it('takes blobs of many parts', async () => {
    const blobs = stores.get('a bucket') as Blobs;
    const bytes = randomBytes(33 * 1024 * 1024);
    const { digest } = await blobs.put(pieces(bytes, 1 << 20));
    assert.equal(digestOf(await blobs.read(digest)), digest);
  });

  it('keeps to its prefix', async () => {
    const names = await readdir(join(s3.folder, 'blobs'));
    assert.deepEqual(names.filter((name) => !name.startsWith('._S3rver')), ['some']); // prettier-ignore
  });

  it('says so where it is away', async () => {
    const away = makeS3Blobs(parseS3Url('s3://blobs?endpoint=http://127.0.0.1:1'), join(folder, 'spool'));
    await assert.rejects(away.has(digestOf('x')), fails('blobs-unavailable'));
    await assert.rejects(away.put([Buffer.from('x')]), fails('blobs-unavailable'));
    const wrong = makeS3Blobs(parseS3Url(s3.url.replace('//blobs', '//other')), join(folder, 'spool'));
    await assert.rejects(wrong.put([Buffer.from('x')]), fails('blobs-unavailable'));
  });

  it('is found at its address', () => {
    assert.deepEqual(parseS3Url('s3://bucket/a/b/?endpoint=http://127.0.0.1:9000&region=eu-west-1'), {
      bucket: 'bucket',
      prefix: 'a/b/',
      endpoint: 'http://127.0.0.1:9000',
      region: 'eu-west-1',
      pathStyle: true,
    });
    assert.deepEqual([parseS3Url('s3://bucket').prefix, parseS3Url('s3://bucket').pathStyle], ['', false]);
    for (const url of ['s3:bucket', 's3://', 'http://bucket', 'text']) assert.throws(() => parseS3Url(url), fails('invalid-configuration'));
    for (const url of ['http://x', 'text', 'file://host/x']) assert.throws(() => openBlobs(url), fails('invalid-configuration'));
  });
});

it('a name tells what it is for', async () => {
  const blobs = makeFileBlobs(join(folder, 'named'));
  const { digest } = await blobs.put([Buffer.from('x')]);
  await blobs.link('layer-scan/v1', digest);
  const [first = ''] = await readdir(join(folder, 'named/names'));
  const [second = ''] = await readdir(join(folder, 'named/names', first));
  assert.equal(await readFile(join(folder, 'named/names', first, second), 'utf8'), `${digest}\nlayer-scan/v1\n`);
});
