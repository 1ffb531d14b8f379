import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { Entry, FileFacts, HiddenEntry, LayerSummary } from '../../src/model/inventory.ts';
import { layerUse } from '../../src/steps/layer-use.ts';

const facts = (kind: FileFacts['kind'], size: number): FileFacts => ({ kind, size, mode: 0o644, uid: 0, gid: 0, mtime: 0 });
const layer = (name: string): LayerSummary => ({
  digest: digestOf(name),
  diffId: digestOf(name),
  mediaType: '',
  size: 1,
  uncompressedSize: 1,
  entries: 1,
});
const entry = (path: string, at: number, size: number, more: Partial<Entry> = {}): Entry => ({
  ...facts('file', size),
  path,
  layer: at,
  ...more,
});
const hidden = (path: string, at: number, size: number, more: Partial<HiddenEntry> = {}): HiddenEntry => ({
  ...facts('file', size),
  path,
  layer: at,
  hiddenBy: at + 1,
  how: 'whiteout',
  ...more,
});

test('what the final image shows of each layer, and what it hides', () => {
  const use = layerUse({
    layers: [layer('a'), layer('b'), layer('c')],
    entries: [
      entry('/a', 0, 100),
      entry('/dir', 0, 0, { kind: 'directory' }),
      entry('/l1', 1, 30, { linkGroup: '/l1' }),
      entry('/l2', 1, 30, { linkGroup: '/l1' }),
      entry('/link', 2, 0, { kind: 'symlink', target: 'a' }),
    ],
    hidden: [hidden('/b', 0, 1000), hidden('/b', 1, 7, { how: 'replaced' }), hidden('/d', 0, 0, { kind: 'directory' }), hidden('/e', 0, 1)],
  });
  assert.deepEqual(use, [
    { digest: digestOf('a'), shown: { files: 1, bytes: 100 }, hidden: { files: 2, bytes: 1001 } },
    { digest: digestOf('b'), shown: { files: 2, bytes: 30 }, hidden: { files: 1, bytes: 7 } },
    { digest: digestOf('c'), shown: { files: 0, bytes: 0 }, hidden: { files: 0, bytes: 0 } },
  ]);
});
