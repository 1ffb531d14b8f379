import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Readable } from 'node:stream';
import { makeRegistry } from '../../../src/adapters/registry/registry.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { Descriptor } from '../../../src/model/oci.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { forward, startServer, type TestServer } from '../../support/http.ts';
import { type Pushed, pushBlob, pushImage, pushIndex, pushManifest } from '../../support/push.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { member, tar } from '../../support/tar.ts';

let registry: TestRegistry;
const servers: TestServer[] = [];
const layer = tar(member({ name: 'a' }, randomBytes(400_000)));

const fails = (code: ProblemCode) => (error: unknown) => error instanceof Problem && error.code === code;
const client = (...insecure: string[]) => makeRegistry({ fetch, insecure, backoff: 5 });
const start = async (...args: Parameters<typeof startServer>) => {
  const server = await startServer(...args);
  servers.push(server);
  return server;
};
async function read(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

before(async () => {
  registry = await startRegistry();
});
after(async () => {
  await registry.stop();
  await Promise.all(servers.map((server) => server.stop()));
});

describe('resolving a reference', () => {
  it('reads OCI and Docker manifests, by tag and by digest', async () => {
    for (const docker of [false, true]) {
      const { digest } = await pushImage(registry.host, 'plain/image', [layer], { tag: 'v1', docker, config: { Env: ['A=b'], Cmd: null } });
      for (const suffix of [':v1', `@${digest}`, `:other@${digest}`]) {
        const image = await client(registry.host).resolve(`${registry.host}/plain/image${suffix}`);
        assert.equal(image.reference, `${registry.host}/plain/image${suffix}`);
        assert.deepEqual([image.digest, image.manifestDigest, image.index], [digest, digest, undefined]);
        assert.deepEqual(image.platform, { os: 'linux', architecture: 'amd64' });
        assert.deepEqual(image.config.config, { Env: ['A=b'] });
        const [only] = image.manifest.layers;
        const bytes = await read(await client(registry.host).openBlob(`${registry.host}/plain/image`, only as Descriptor));
        assert.equal(digestOf(bytes), only?.digest);
      }
    }
  });

  it('chooses the platform out of an index, of OCI and of Docker', async () => {
    for (const docker of [false, true]) {
      const name = docker ? 'index/docker' : 'index/oci';
      const push = (os: string, architecture: string, variant?: string) =>
        pushImage(registry.host, name, [], { docker, platform: { os, architecture, ...(variant && { variant }) } });
      const images = [await push('linux', 'arm64'), await push('linux', 'arm', 'v7'), await push('linux', 'arm', 'v6'), await push('linux', 'amd64')]; // prettier-ignore
      const index = await pushIndex(registry.host, name, images.map(({ descriptor }) => descriptor), 'latest', docker); // prettier-ignore
      const of = async (architecture?: string, variant?: string) =>
        client(registry.host).resolve(
          `${registry.host}/${name}`,
          architecture === undefined ? undefined : { os: 'linux', architecture, ...(variant && { variant }) },
        );
      const chosen = await of();
      assert.deepEqual([chosen.digest, chosen.manifestDigest], [index.digest, images[3]?.digest]);
      assert.equal(chosen.index?.manifests.length, 4);
      assert.equal((await of('arm64')).manifestDigest, images[0]?.digest);
      assert.equal((await of('arm', 'v7')).manifestDigest, images[1]?.digest);
      assert.equal((await of('arm', 'v6')).manifestDigest, images[2]?.digest);
      await assert.rejects(of('s390x'), fails('platform-not-found'));
    }
  });

  it('passes attestations over, looks into indexes within, and asks who says no platform', async () => {
    const image = await pushImage(registry.host, 'odd', [layer]);
    const attestation = await pushImage(registry.host, 'odd', [], { platform: { os: 'unknown', architecture: 'unknown' } });
    const inner = await pushIndex(registry.host, 'odd', [image.descriptor]);
    const { platform: _none, ...nameless } = image.descriptor;
    const ask = async (manifests: Descriptor[]) => {
      await pushIndex(registry.host, 'odd', manifests, 'latest');
      return (await client(registry.host).resolve(`${registry.host}/odd`)).manifestDigest;
    };
    const arm = (await pushImage(registry.host, 'odd', [], { platform: { os: 'linux', architecture: 'arm64' } })).descriptor;
    assert.equal(await ask([attestation.descriptor, image.descriptor]), image.digest);
    assert.equal(await ask([arm, inner.descriptor]), image.digest);
    assert.equal(await ask([arm, nameless]), image.digest);
    await assert.rejects(ask([attestation.descriptor, arm]), fails('platform-not-found'));
  });

  it('takes the one image there is, unless another platform is asked for', async () => {
    await pushImage(registry.host, 'arm-only', [], { tag: 'latest', platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } });
    const name = `${registry.host}/arm-only`;
    assert.deepEqual((await client(registry.host).resolve(name)).platform, { os: 'linux', architecture: 'arm64', variant: 'v8' });
    await assert.rejects(client(registry.host).resolve(name, { os: 'linux', architecture: 'amd64' }), fails('platform-not-found'));
  });

  it('tells what is not there, and what is no reference', async () => {
    const ask = (text: string) => client(registry.host).resolve(text);
    await assert.rejects(ask(`${registry.host}/no/such`), fails('image-not-found'));
    await assert.rejects(ask(`${registry.host}/plain/image:no`), fails('image-not-found'));
    await assert.rejects(ask(`${registry.host}/plain/image@sha256:${'0'.repeat(64)}`), fails('image-not-found'));
    await assert.rejects(ask(`${registry.host}/Upper`), fails('invalid-reference'));
    await assert.rejects(ask(`${registry.host}/a`.replace(/:\d+/, ':1')), fails('registry-unavailable'));
  });

  it('refuses what is no image', async () => {
    const { descriptor } = await pushImage(registry.host, 'kinds', [layer], { tag: 'good' });
    const good = (await client(registry.host).resolve(`${registry.host}/kinds:good`)).manifest;
    const ask = async (change: object) => {
      await pushManifest(registry.host, 'kinds', { schemaVersion: 2, ...good, ...change }, 'changed');
      await client(registry.host).resolve(`${registry.host}/kinds:changed`);
    };
    assert.notEqual(descriptor.size, 0);
    await ask({});
    const helm = await pushBlob(registry.host, 'kinds', Buffer.from('{}'));
    const config = { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: helm, size: 2 };
    await assert.rejects(ask({ config }), fails('image-unsupported'));
    await assert.rejects(ask({ layers: [{ ...good.layers[0], mediaType: 'application/vnd.oci.image.layer.v1.tar+encrypted' }] }), fails('image-unsupported')); // prettier-ignore
    await assert.rejects(ask({ config: { ...good.config, digest: helm, size: 2 } }), fails('image-malformed'));
    await assert.rejects(ask({ LAYERS: [] }), fails('image-malformed'));
  });
});

describe('a registry that lies or stumbles', () => {
  const image = (documents: Record<string, [string, Buffer]>) =>
    start((request, response) => {
      const [type, bytes] = documents[request.url?.split('/').at(-1) ?? ''] ?? ['', undefined];
      if (bytes === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': type }).end(bytes);
    });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('is told where its bytes are not those of the digest', async () => {
    const wanted = `sha256:${'1'.repeat(64)}` as const;
    const { host } = await image({ [wanted]: [manifestType, json({ schemaVersion: 2 })] });
    await assert.rejects(client(host).resolve(`${host}/a@${wanted}`), fails('image-malformed'));
  });

  const documents: [string, string, unknown, ProblemCode][] = [
    ['schema 1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', { schemaVersion: 1, fsLayers: [] }, 'image-unsupported'],
    ['no JSON', manifestType, 'text', 'image-malformed'],
    ['an index that is a manifest', manifestType, { schemaVersion: 2, manifests: [], layers: [], config: {} }, 'image-malformed'],
    ['another media type within', manifestType, { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }, 'image-malformed'],
    ['no schema version', manifestType, { layers: [] }, 'image-malformed'],
    ['a digest that is none', manifestType, { schemaVersion: 2, config: { mediaType: 'a', digest: 'md5:00', size: 1 }, layers: [] }, 'image-malformed'],
    ['4 MiB and more', manifestType, { schemaVersion: 2, annotations: { a: 'x'.repeat(4 << 20) } }, 'limit-exceeded'],
    ['a foreign layer', manifestType, { schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(''), size: 0 }, layers: [{ mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', digest: digestOf(''), size: 1 }] }, 'image-unsupported'],
  ]; // prettier-ignore
  for (const [what, type, document, code] of documents) {
    it(`is refused with ${what}`, async () => {
      const { host } = await image({ latest: [type, json(document)] });
      await assert.rejects(client(host).resolve(`${host}/a`), fails(code));
    });
  }

  it('cannot lead into a maze of indexes', async () => {
    const maze = await start((request, response) => {
      const manifests = Array.from({ length: 40 }, (_all, index) => {
        const inner = json({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.index.v1+json',
          manifests: [],
          annotations: { index: `${index}` },
        });
        return { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf(inner), size: inner.length, inner };
      });
      const wanted = manifests.find(({ digest }) => request.url?.endsWith(digest));
      const body = wanted?.inner ?? json({ schemaVersion: 2, manifests: manifests.map(({ inner: _inner, ...descriptor }) => descriptor) });
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }).end(body);
    });
    await assert.rejects(client(maze.host).resolve(`${maze.host}/a`), fails('limit-exceeded'));
    assert.ok(maze.seen.length < 40);
  });

  const blob = randomBytes(200_000);
  const descriptor: Descriptor = { mediaType: 'application/octet-stream', digest: digestOf(blob), size: blob.length };
  const openFrom = (host: string, of = descriptor) => client(host).openBlob(`${host}/a`, of).then(read);

  it('is told where a blob is longer, shorter or another', async () => {
    const { host } = await start((_request, response) => response.end(blob));
    assert.deepEqual(await openFrom(host), blob);
    await assert.rejects(openFrom(host, { ...descriptor, size: blob.length - 1 }), fails('image-malformed'));
    await assert.rejects(openFrom(host, { ...descriptor, size: blob.length + 1 }), fails('image-malformed'));
    await assert.rejects(openFrom(host, { ...descriptor, digest: digestOf('other') }), fails('image-malformed'));
    const missing = await start((_request, response) => response.writeHead(404).end());
    await assert.rejects(openFrom(missing.host), fails('image-malformed'));
  });

  for (const ranges of [true, false]) {
    it(`is asked for the rest where it breaks off, ${ranges ? 'with' : 'without'} ranges`, async () => {
      const breaking = await start((request, response) => {
        const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
        const range = from > 0 ? { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` } : {};
        response.writeHead(from > 0 ? 206 : 200, { ...range, 'content-length': blob.length - from });
        const upTo = ranges ? Math.min(from + 70_000, blob.length) : Math.min(70_000 * breaking.seen.length, blob.length);
        response.write(blob.subarray(from, upTo), () => setTimeout(() => (upTo < blob.length ? response.destroy() : response.end()), 20));
      });
      assert.deepEqual(await openFrom(breaking.host), blob);
      assert.equal(breaking.seen.length, 3);
    });
  }

  it('is given up where it always breaks off at the same place', async () => {
    const { host, seen } = await start((_request, response) => {
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
    });
    await assert.rejects(openFrom(host), fails('registry-unavailable'));
    assert.ok(seen.length < 6);
  });

  it('is asked again after 429 and 5xx, and no sooner than it wants', async () => {
    const { host, seen } = await start((_request, response) => {
      if (seen.length === 1) return void response.writeHead(503).end();
      if (seen.length === 2) return void response.writeHead(429, { 'retry-after': '1' }).end();
      response.end(blob);
    });
    const begun = Date.now();
    assert.deepEqual(await openFrom(host), blob);
    assert.ok(Date.now() - begun >= 1000);
    assert.equal(seen.length, 3);
  });

  it('is left alone where it wants more time than a job has, which the problem tells', async () => {
    const { host, seen } = await start((_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end());
    await assert.rejects(
      openFrom(host),
      (error) => error instanceof Problem && error.code === 'registry-unavailable' && error.retryAfter === 3600,
    );
    assert.equal(seen.length, 1);
    const down = await start((_request, response) => response.writeHead(500).end());
    await assert.rejects(openFrom(down.host), fails('registry-unavailable'));
    assert.equal(down.seen.length, 4);
  });

  it('is spoken to without TLS only where that is configured, also after a redirect', async () => {
    const other = await start((_request, response) => response.end(blob));
    const { host } = await start((_request, response) => response.writeHead(307, { location: `http://${other.host}/x` }).end());
    await assert.rejects(openFrom(host), fails('address-refused'));
    assert.equal(other.seen.length, 0);
    assert.deepEqual(await read(await client(host, other.host).openBlob(`${host}/a`, descriptor)), blob);
    await assert.rejects(client().openBlob(`${host}/a`, descriptor), fails('registry-unavailable'));
    const endless = await start((_request, response) => response.writeHead(302, { location: '/again' }).end());
    await assert.rejects(openFrom(endless.host), fails('registry-unavailable'));
  });
});

describe('mirrors', () => {
  it('are asked first, and the registry where they fail', async () => {
    const { digest } = (await pushImage(registry.host, 'mirrored', [layer], { tag: 'latest' })) satisfies Pushed;
    const gate = await start((request, response) => forward(registry.host, request, response));
    const empty = await start((_request, response) => response.writeHead(404).end());
    const resolve = (mirror: string, origin: string) =>
      makeRegistry({ fetch, insecure: [mirror, origin], mirrors: new Map([[origin, mirror]]), backoff: 5 }).resolve(`${origin}/mirrored`);
    assert.equal((await resolve(gate.host, '127.0.0.1:1')).digest, digest);
    assert.equal((await resolve(empty.host, gate.host)).digest, digest);
    assert.equal((await resolve('127.0.0.1:1', gate.host)).digest, digest);
    await assert.rejects(resolve(empty.host, empty.host), fails('image-not-found'));
  });
});
