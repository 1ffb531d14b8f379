import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeBuiltLayers } from '../../../src/adapters/built-layers/built-layers.ts';
import { digestOf, hexOf } from '../../../src/model/digest.ts';

describe('the layers of builds of late', () => {
  let parent: string;
  let folder: string;
  before(async () => void (parent = await mkdtemp(join(tmpdir(), 'conforme-layers-'))));
  after(() => rm(parent, { recursive: true, force: true }));
  beforeEach(async () => void (folder = join(await mkdtemp(join(parent, 'x')), 'layers')));

  const layer = (content: string) => ({ mediaType: '', digest: digestOf(content), size: content.length });
  const keep = (content: string) =>
    makeBuiltLayers(folder, { all: 25, layer: 10 }).keep(layer(content), async () => Readable.from([content]));
  const kept = async (content: string): Promise<string | undefined> => {
    const stream = await makeBuiltLayers(folder).open(digestOf(content));
    return stream === undefined ? undefined : text(stream);
  };

  it('are read again, also by another process', async () => {
    await keep('0123456789');
    assert.equal(await kept('0123456789'), '0123456789');
    assert.equal(await kept('other'), undefined);
  });

  it('have room for so many bytes: the one that nobody asked for longest goes', async () => {
    for (const [index, content] of ['a'.repeat(10), 'b'.repeat(10)].entries()) {
      await keep(content);
      await utimes(join(folder, hexOf(digestOf(content))), index + 1, index + 1);
    }
    await kept('a'.repeat(10));
    await keep('c'.repeat(10));
    assert.deepEqual([await kept('a'.repeat(10)), await kept('b'.repeat(10))], ['a'.repeat(10), undefined]);
    assert.equal(await kept('c'.repeat(10)), 'c'.repeat(10));
  });

  it('are not too large, and none is there in part', async () => {
    await keep('x'.repeat(11));
    assert.equal(await kept('x'.repeat(11)), undefined);
    const broken = new Readable({ read() { this.push('part'); this.destroy(new Error('gone')); } }); // prettier-ignore
    await assert.rejects(
      makeBuiltLayers(folder).keep(layer('part of it'), async () => broken),
      /gone/,
    );
    assert.deepEqual(await readdir(folder), []);
  });
});
