import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeFileBlobs } from '../../src/adapters/blobs/file.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import { pinBase, type Pinned } from '../../src/flow/bases.ts';
import { rememberLayers } from '../../src/flow/judged-layers.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { ResolvedImage } from '../../src/model/oci.ts';
import type { Provenance } from '../../src/model/provenance.ts';
import type { BuildFailure } from '../../src/model/rebuild.ts';
import type { Blobs } from '../../src/ports.ts';
import { Problem } from '../../src/problem.ts';
import { baseCandidates, type WantedBase } from '../../src/steps/base-candidates.ts';
import { findRecipe } from '../../src/steps/find-recipe.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { member, tar } from '../support/tar.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const layer = (text: string): Buffer => tar(member({ name: 'file' }, text));
const [then, today, own] = [layer('then'), layer('today'), layer('own')];
const gone = digestOf('an image that is gone');

let registry: TestRegistry;
let folder: string;
let blobs: Blobs;
let number = 0;
let repository: string;

before(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'conforme-bases-'));
});
after(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  number += 1;
  repository = `base${number}`;
  blobs = makeFileBlobs(join(folder, String(number)));
});

const client = () => makeRegistry({ fetch, insecure: [registry.host], backoff: 5 });
const name = (tag = '1'): string => `${registry.host}/${repository}:${tag}`;
/** An image of the base's repository; `tag` names it now. */
const push = async (layers: Buffer[], tag = '1'): Promise<Digest> => (await pushImage(registry.host, repository, layers, { tag })).digest;
async function published(labels: Record<string, string> = {}, layers = [then, own]): Promise<ResolvedImage> {
  await pushImage(registry.host, `${repository}/app`, layers, { tag: 'it', config: { Labels: labels } });
  return client().resolve(`${registry.host}/${repository}/app:it`);
}
const noted = (digest: string, of = name()): Record<string, string> => ({
  'org.opencontainers.image.base.digest': digest,
  'org.opencontainers.image.base.name': of,
});
const attested = (digest: Digest, reference = name()): Provenance => ({
  stated: { digest, attachedBy: 'index', predicateType: '', complete: true },
  images: [{ reference, digest }],
});
const contexts = (values: Record<string, string>): Provenance => ({
  stated: { digest: gone, attachedBy: 'index', predicateType: '', complete: true },
  images: [],
  recipe: { dockerfile: 'Dockerfile', buildArgs: {}, labels: {}, contexts: values, locals: [] },
});
function wanted(image: ResolvedImage, provenance: Provenance[], written = name(), isFinal = true): WantedBase | BuildFailure {
  return baseCandidates(written, { recipe: findRecipe({}, provenance), provenance, published: image, isFinal });
}
async function pin(image: ResolvedImage, provenance: Provenance[] = [], written = name(), isFinal = true): Promise<Pinned['pinned']> {
  const base = wanted(image, provenance, written, isFinal);
  assert.ok('named' in base, JSON.stringify(base));
  return (await pinBase({ registry: client(), blobs }, base, isFinal ? image : undefined, amd64)).pinned;
}

describe('the base of an image', () => {
  it("is the Dockerfile's own digest, whatever the layers say", async () => {
    const [old, now] = [await push([then]), await push([today])];
    const written = `${name()}@${now}`;
    assert.deepEqual(await pin(await published(noted(old)), [attested(old)], written), {
      reference: written,
      digest: now,
      manifestDigest: now,
      evidence: 'digest',
      beneath: false,
    });
    await assert.rejects(pin(await published(), [attested(old)], `${name()}@${gone}`), (error) => error instanceof Problem && error.code === 'image-not-found'); // prettier-ignore
  });

  it('is the one that the provenance names, then the one that a label does, after the tag moved on', async () => {
    const old = await push([then]);
    await push([today]);
    const by = async (image: ResolvedImage, provenance: Provenance[] = []): Promise<unknown[]> => {
      const { digest, evidence, beneath } = await pin(image, provenance);
      return [digest, evidence, beneath];
    };
    assert.deepEqual(await by(await published(), [attested(old)]), [old, 'provenance', true]);
    assert.deepEqual(await by(await published(noted(old))), [old, 'label', true]);
    assert.deepEqual(await by(await published(noted(old)), [attested(gone)]), [old, 'label', true], 'where the first is gone');
  });

  it('is found by its layers, by the tag of today and by what was judged before', async () => {
    const old = await push([then]);
    const image = await published();
    assert.deepEqual([(await pin(image)).evidence, (await pin(image)).digest], ['layers', old]);
    const before = await client().resolve(name());
    const now = await push([today]);
    assert.deepEqual([(await pin(image)).evidence, (await pin(image)).digest], ['tag', now]);
    await rememberLayers(blobs, before.reference, before.manifestDigest, before.config);
    assert.deepEqual([(await pin(image)).evidence, (await pin(image)).digest], ['layers', old]);
  });

  it('is the judged one with most of the layers', async () => {
    const middle = layer('middle');
    for (const layers of [[then], [then, middle]]) {
      await push(layers);
      const { reference, manifestDigest, config } = await client().resolve(name());
      await rememberLayers(blobs, reference, manifestDigest, config);
    }
    const two = (await client().resolve(name())).manifestDigest;
    await push([today]);
    assert.equal((await pin(await published({}, [then, middle, own]))).digest, two);
  });

  it('is not an image of another repository, though it has the same layers', async () => {
    await push([today]);
    const image = await published();
    await rememberLayers(blobs, `${registry.host}/elsewhere:1`, gone, { ...amd64, rootfs: { type: 'layers', diff_ids: image.config.rootfs.diff_ids.slice(0, 1) } }); // prettier-ignore
    assert.equal((await pin(image)).evidence, 'tag');
  });

  it('that is named and does not lie beneath gives way to one that does, and is told where there is none', async () => {
    const [other, old] = [await push([layer('other')], 'other'), await push([then])];
    const found = await pin(await published(), [attested(other)]);
    assert.deepEqual([found.digest, found.evidence, found.beneath], [old, 'layers', true]);
    await push([today]);
    const lie = await pin(await published(), [attested(other)]);
    assert.deepEqual([lie.digest, lie.evidence, lie.beneath], [other, 'provenance', false]);
  });

  it('that is gone is told with its digest, and is today’s', async () => {
    const now = await push([today]);
    const found = await pin(await published(), [attested(gone)]);
    assert.deepEqual([found.digest, found.evidence, found.beneath, found.gone], [now, 'tag', false, [gone]]);
  });

  it('is not read off labels that the base passed on', async () => {
    const old = await push([then], 'old');
    await push([today]);
    assert.equal((await pin(await published(noted(old, `${registry.host}/its/own/base:1`)))).evidence, 'tag');
    assert.equal((await pin(await published({ 'org.opencontainers.image.base.digest': old }))).evidence, 'tag');
    assert.equal((await pin(await published(noted('sha256:short')))).evidence, 'tag');
  });

  it('of another stage is never held against the layers', async () => {
    const now = await push([today]);
    assert.deepEqual(await pin(await published(), [], name(), false), {
      reference: name(),
      digest: now,
      manifestDigest: now,
      evidence: 'tag',
    });
    const old = await push([then], 'old');
    assert.equal((await pin(await published(), [attested(old)], name(), false)).evidence, 'provenance');
  });
});

describe('a named context', () => {
  it('that is an image stands in the place of what the Dockerfile names', async () => {
    const old = await push([then], 'old');
    const written = 'docker.example/base:1';
    for (const key of [written, `${written}::linux/amd64`])
      assert.deepEqual(await pin(await published(), [contexts({ [key]: `docker-image://${name('old')}@${old}` })], written), {
        reference: written,
        image: `${name('old')}@${old}`,
        digest: old,
        manifestDigest: old,
        evidence: 'provenance',
        beneath: true,
      });
    assert.equal((await pin(await published(), [contexts({ tools: `docker-image://${name('old')}` })], 'tools')).image, name('old'));
  });

  it('that is something else is refused by name', async () => {
    const image = await published();
    const reasonOf = (value: string): unknown[] => {
      const base = wanted(image, [contexts({ tools: value })], 'tools');
      return 'reason' in base ? [base.reason, base.detail] : [];
    };
    assert.deepEqual(reasonOf('local:tools'), [
      'local-context',
      "the named context tools was a folder of the publisher's machine (local:tools)",
    ]);
    for (const value of ['https://example.org/x.git', 'oci-layout://x', 'input:y', 'target:z']) {
      const [reason, detail] = reasonOf(value);
      assert.equal(reason, 'unsupported');
      assert.match(String(detail), /the named context tools is /);
    }
  });
});
