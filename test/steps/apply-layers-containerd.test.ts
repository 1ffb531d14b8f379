import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Entry } from '../../src/model/inventory.ts';
import { byText } from '../../src/model/path.ts';
import { inventoryOf } from '../support/layers.ts';

/** What apply.go prints of one stack of layers. */
type Said = {
  case: string;
  layers: string[];
  refused?: string;
  tree?: {
    path: string;
    mode: number;
    uid: number;
    gid: number;
    target?: string;
    digest?: string;
    inode: number;
    capability?: string;
  }[];
};
/** By the type bits of st_mode, inode(7). */
const KINDS: Record<number, Entry['kind']> = { 1: 'fifo', 2: 'character', 4: 'directory', 6: 'block', 8: 'file', 10: 'symlink' };

const folder = new URL('../fixtures/containerd/', import.meta.url);
const cases = JSON.parse(gunzipSync(readFileSync(new URL('images.json.gz', folder))).toString()) as Said[];

function asContainerdSays(tree: NonNullable<Said['tree']>): object[] {
  const sorted = tree.toSorted((a, b) => byText(a.path, b.path));
  return sorted.map(({ path, mode, uid, gid, target, digest, inode, capability }) => {
    const kind = KINDS[mode >>> 12];
    const links = kind === 'directory' ? [] : sorted.filter((other) => other.inode === inode);
    return {
      path,
      kind,
      mode: mode & 0o7777,
      uid,
      gid,
      ...(target !== undefined && { target }),
      ...(digest !== undefined && { digest }),
      ...(capability !== undefined && { capability }),
      ...(links.length > 1 && { linkGroup: links[0]?.path }),
    };
  });
}

function asWeSay(entries: Entry[]): object[] {
  return entries.map(({ path, kind, mode, uid, gid, target, digest, linkGroup, xattrs }) => ({
    path,
    kind,
    mode,
    uid,
    gid,
    ...(target !== undefined && { target }),
    ...(digest !== undefined && { digest }),
    ...(xattrs?.['security.capability'] !== undefined && { capability: xattrs['security.capability'] }),
    ...(linkGroup !== undefined && { linkGroup }),
  }));
}

it(`makes of ${cases.length} stacks of layers what containerd and an overlay mount make`, async () => {
  const applied = cases.filter(({ refused }) => refused === undefined);
  assert.ok(applied.length > 100);
  for (const said of applied) {
    const { entries } = await inventoryOf(...said.layers.map((layer) => Buffer.from(layer, 'base64')));
    assert.deepEqual(asWeSay(entries), asContainerdSays(said.tree ?? []), `case ${said.case}`);
  }
});

it('tells what containerd refuses', async () => {
  for (const said of cases.filter(({ refused }) => refused !== undefined)) {
    // A whiteout of a lower layer stands in containerd's way here; what the layers mean is beyond doubt.
    if (/^lstat .*: not a directory$/.test(said.refused ?? '')) continue;
    const { anomalies } = await inventoryOf(...said.layers.map((layer) => Buffer.from(layer, 'base64')));
    assert.notEqual(anomalies.length, 0, `case ${said.case}: containerd says ${said.refused}`);
  }
});
