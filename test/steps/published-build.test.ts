import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import type { Entry } from '../../src/model/inventory.ts';
import type { ResolvedImage } from '../../src/model/oci.ts';
import { publishedBaseBlobs, publishedNotes, publishedSourceTimes } from '../../src/steps/published-build.ts';

const id = (digit: string): Digest => `sha256:${digit.repeat(64)}`;
const image = (...layers: Digest[]): ResolvedImage => ({
  reference: 'registry.example/app:1',
  digest: id('1'),
  manifestDigest: id('2'),
  platform: { os: 'linux', architecture: 'amd64' },
  manifest: {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: '', digest: id('3'), size: 0 },
    layers: layers.map((digest) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 1 })),
  },
  config: { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: layers } },
});
const base = image(id('a'));
const entry = (layer: number, facts: Partial<Entry>): Entry => ({
  path: '/x',
  layer,
  kind: 'file',
  size: 0,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  ...facts,
});

describe('what a published image shows of its build', () => {
  const times: [what: string, Entry[], epoch: number | undefined, commit: number | undefined, expected: 'checkout' | undefined][] = [
    ['no epoch', [], undefined, 5, undefined],
    ['a context that is no repository', [], 9, undefined, undefined],
    ['a commit that is the epoch', [], 5, 5, undefined],
    ['a commit later than the epoch', [], 5, 6, undefined],
    ['files with the time of the commit', [entry(1, { mtime: 5 })], 9, 5, undefined],
    ['files with the epoch', [entry(1, { mtime: 9 })], 9, 5, 'checkout'],
    ['that time in the base alone', [entry(0, { mtime: 5 }), entry(1, { mtime: 9 })], 9, 5, 'checkout'],
  ];
  for (const [what, entries, epoch, commit, expected] of times)
    it(`times of the source: ${what}`, () => assert.equal(publishedSourceTimes({ entries }, base, { epoch, commit }), expected));

  it('notes of a rootless overlay, in layers of its own', () => {
    const noted = { xattrs: { 'user.overlay.origin': '' } };
    assert.equal(publishedNotes({ entries: [entry(1, noted)] }, base), 'kept');
    assert.equal(publishedNotes({ entries: [entry(0, noted), entry(1, { xattrs: { 'user.overlay.opaque': 'eQ==' } })] }, base), undefined);
    assert.equal(publishedNotes({ entries: [entry(0, noted)] }, undefined), 'kept');
  });

  it("the base's own blobs", () => {
    assert.equal(publishedBaseBlobs(image(id('a'), id('b')), base), 'kept');
    assert.equal(publishedBaseBlobs(image(id('c'), id('b')), base), undefined);
    assert.equal(publishedBaseBlobs(image(id('b')), undefined), undefined);
  });
});
