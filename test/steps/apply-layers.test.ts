import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Inventory } from '../../src/model/inventory.ts';
import { canonicalJson } from '../../src/model/json.ts';
import { Problem } from '../../src/problem.ts';
import { applyLayers } from '../../src/steps/apply-layers.ts';
import { imageOf, inventoryOf, scanOf } from '../support/layers.ts';
import { header, member, pax, tar } from '../support/tar.ts';

const file = (name: string, content = name, more = {}) => member({ name, ...more }, content);
const dir = (name: string, more = {}) => header({ name: `${name}/`, type: '5', mode: 0o755, ...more });
const link = (name: string, target: string, more = {}) => header({ name, type: '1', link: target, ...more });
const symlink = (name: string, target: string) => header({ name, type: '2', link: target });
const whiteout = (name: string) => header({ name: name.replace(/[^/]+$/, '.wh.$&') });
const opaque = (name: string) => header({ name: `${name}/.wh..wh..opq` });
const capability = (value: string) => pax([['SCHILY.xattr.security.capability', value]]);

const paths = ({ entries }: Inventory) => entries.filter(({ kind }) => kind !== 'directory').map(({ path }) => path);
const hidden = ({ hidden: all }: Inventory) => all.map(({ path, layer, hiddenBy, how }) => `${path} ${layer} ${how} ${hiddenBy}`);
const codes = ({ anomalies }: Inventory) => anomalies.map(({ code, layer }) => `${code} ${layer}`);
const entry = ({ entries }: Inventory, path: string) => entries.find((each) => each.path === path);

/** Layers, lowest first; then what is there but directories, what is hidden, and what is told. */
const cases: [string, Buffer[][], string[], string[], string[]?][] = [
  ['one layer', [[dir('a'), file('a/b')]], ['/a/b'], []],
  ['an added file', [[file('a')], [file('b')]], ['/a', '/b'], []],
  ['a replaced file', [[file('a')], [file('a', 'other')]], ['/a'], ['/a 0 replaced 1']],
  ['a deleted file', [[file('d/a'), file('d/b')], [whiteout('d/a')]], ['/d/b'], ['/d/a 0 whiteout 1']],
  ['a deleted directory', [[file('d/a')], [whiteout('d')]], [], ['/d 0 whiteout 1', '/d/a 0 whiteout 1']],
  ['a file that comes back', [[file('a')], [whiteout('a')], [file('a')]], ['/a'], ['/a 0 whiteout 1']],
  ['an opaque directory', [[file('d/a')], [file('d/b'), opaque('d')]], ['/d/b'], ['/d/a 0 opaque 1']],
  ['an opaque directory, marked first', [[file('d/a')], [opaque('d'), file('d/b')]], ['/d/b'], ['/d/a 0 opaque 1']],
  ['an opaque directory of that layer alone', [[opaque('d'), file('d/a')]], ['/d/a'], []],
  ['a directory that becomes a file', [[file('d/a')], [file('d')]], ['/d'], ['/d 0 replaced 1', '/d/a 0 replaced 1']],
  ['a file that becomes a directory', [[file('d')], [dir('d'), file('d/a')]], ['/d/a'], ['/d 0 replaced 1']],
  ['a link that becomes a directory', [[symlink('d', 'e')], [dir('d')]], [], ['/d 0 replaced 1']],
  ['a whiteout of nothing', [[file('a')], [whiteout('b')]], ['/a'], []],
  ['a whiteout and then a file', [[file('a')], [whiteout('a'), file('a')]], ['/a'], ['/a 0 replaced 1']],
  // containerd refuses it; a whiteout is about the layers below.
  ['a file and then its whiteout', [[file('a')], [file('a'), whiteout('a')]], ['/a'], ['/a 0 replaced 1'], ['duplicate-entry 1']],
  // An overlay shows /d/a, whoever unpacks without one does not.
  ['a whiteout and then a directory', [[file('d/a')], [whiteout('d'), dir('d')]], ['/d/a'], [], ['duplicate-entry 1']],
  ['a directory and then its whiteout', [[file('d/a')], [file('d/b'), whiteout('d')]], ['/d/b'], ['/d/a 0 opaque 1'], ['duplicate-entry 1']],
  ['a file twice', [[file('a', 'x'), file('./a', 'y')]], ['/a'], [], ['duplicate-entry 0']],
  ['a directory twice, equally', [[dir('d'), dir('d')]], [], []],
  ['a directory twice, otherwise', [[dir('d'), dir('d', { mode: 0o777 })]], [], [], ['duplicate-entry 0']],
  ['a directory that a file of its layer replaces', [[file('d/a'), file('d')]], ['/d'], [], ['duplicate-entry 0']],
  ['a name below a file', [[file('a'), file('a/b')]], ['/a'], [], ['unsupported-entry 0']],
  ['a device 0/0', [[file('a')], [header({ name: 'a', type: '3' })]], [], ['/a 0 whiteout 1'], ['unsupported-entry 1']],
  ['an order to an overlay', [[pax([['SCHILY.xattr.trusted.overlay.opaque', 'y']]), dir('d')]], [], [], ['unsupported-entry 0']],
  ['notes of an overlay', [[pax([['SCHILY.xattr.user.overlay.origin', ''], ['SCHILY.xattr.user.overlay.impure', 'y']]), dir('d')]], [], []],
  ['an order beside a note', [[pax([['SCHILY.xattr.user.overlay.origin', ''], ['SCHILY.xattr.user.overlay.opaque', 'y']]), dir('d')]], [], [], ['unsupported-entry 0']],
  ['an opaque root', [[file('a')], [header({ name: '.wh..wh..opq' })]], ['/a'], [], ['reserved-whiteout 1']],
  ["aufs' own names", [[header({ name: '.wh..wh.plnk', type: '5' }), file('a')]], ['/a'], [], ['reserved-whiteout 0']],
  ['a whiteout of no name', [[file('a/b')], [header({ name: 'a/.wh.' })]], ['/a/b'], [], ['reserved-whiteout 1']],
  ['a whiteout of the parent', [[file('a/b')], [header({ name: 'a/.wh...' })]], ['/a/b'], [], ['reserved-whiteout 1']],
  ['a whiteout with contents', [[file('a')], [file('.wh.a', 'hidden here')]], [], ['/a 0 whiteout 1'], ['reserved-whiteout 1']],
  ['a link to nothing', [[link('a', 'b')]], [], [], ['missing-link-target 0']],
  ['a link to a directory', [[dir('d'), link('a', 'd')]], [], [], ['missing-link-target 0']],
  ['a link to itself', [[file('a'), link('a', 'a')]], [], [], ['duplicate-entry 0', 'missing-link-target 0']],
  ['a link to a lower layer', [[file('a')], [link('b', 'a')]], ['/a', '/b'], [], ['missing-link-target 1']],
  ['a link that is followed within a layer', [[symlink('lib', 'usr/lib'), file('lib/x')]], ['/lib', '/usr/lib/x'], []],
  ['a link that is absolute', [[symlink('lib', '/usr/lib'), file('lib/x')]], ['/lib', '/usr/lib/x'], []],
  ['a link that would leave the root', [[symlink('up', '../../..'), file('up/x')]], ['/up', '/x'], []],
  ['links in circles', [[symlink('a', 'b'), symlink('b', 'a'), file('a/x')]], ['/a', '/b'], [], ['symlinked-parent 0']],
  // Replacing /lib makes an image that does not start; following it makes one that does. Both exist in the field.
  ['a link of a lower layer', [[symlink('lib', 'usr/lib'), dir('usr'), dir('usr/lib')], [file('lib/x')]], ['/lib/x'], ['/lib 0 replaced 1'], ['symlinked-parent 1']],
]; // prettier-ignore

describe('applying layers', () => {
  for (const [what, layers, there, gone, told = []] of cases) {
    it(`knows ${what}`, async () => {
      const inventory = await inventoryOf(...layers.map((parts) => tar(...parts)));
      assert.deepEqual([paths(inventory), hidden(inventory), codes(inventory)], [there, gone, told]);
    });
  }

  it('keeps the facts of directories nobody lists', async () => {
    const lower = tar(dir('a', { mode: 0o700, uid: 5 }), dir('t', { mode: 0o711, uid: 7 }), symlink('s', 't'));
    const inventory = await inventoryOf(lower, tar(file('a/b'), file('s/x'), file('new/x')));
    const facts = (path: string) => {
      const { mode, uid, layer } = entry(inventory, path) ?? {};
      return { mode, uid, layer };
    };
    assert.deepEqual(facts('/a'), { mode: 0o700, uid: 5, layer: 0 });
    assert.deepEqual(facts('/s'), { mode: 0o711, uid: 7, layer: 1 });
    assert.deepEqual(facts('/new'), { mode: 0o755, uid: 0, layer: 1 });
  });

  it('takes over what a layer says of a directory, and tells who said it before', async () => {
    const inventory = await inventoryOf(tar(dir('d'), file('d/a')), tar(dir('d', { mode: 0o777 })), tar(dir('d', { mode: 0o1777 })));
    const { mode, layer, earlier } = entry(inventory, '/d') ?? {};
    assert.deepEqual({ mode, layer, earlier }, { mode: 0o1777, layer: 2, earlier: [0, 1] });
    assert.deepEqual(hidden(inventory), []);
  });

  it('tells who set a file before, across a whiteout', async () => {
    const inventory = await inventoryOf(tar(file('a')), tar(file('a')), tar(whiteout('a')), tar(file('a')), tar(file('b')));
    const { layer, earlier } = entry(inventory, '/a') ?? {};
    assert.deepEqual({ layer, earlier }, { layer: 3, earlier: [0, 1] });
    assert.deepEqual(hidden(inventory), ['/a 0 replaced 1', '/a 1 whiteout 2']);
  });

  it('tells everything of what is hidden', async () => {
    const secret = tar(file('root/.netrc', 'password', { mode: 0o600, uid: 3 }));
    const [gone] = (await inventoryOf(secret, tar(whiteout('root/.netrc')))).hidden;
    assert.deepEqual([gone?.path, gone?.size, gone?.mode, gone?.uid, gone?.digest?.length], ['/root/.netrc', 8, 0o600, 3, 71]);
  });

  it('takes the root from the layer that has one', async () => {
    assert.deepEqual(entry(await inventoryOf(tar(file('a'))), '/')?.mode, 0o755);
    const inventory = await inventoryOf(tar(dir('.', { mode: 0o755 })), tar(dir('.', { mode: 0o777, uid: 1 })));
    const { mode, uid, layer, earlier } = entry(inventory, '/') ?? {};
    assert.deepEqual({ mode, uid, layer, earlier }, { mode: 0o777, uid: 1, layer: 1, earlier: [0] });
  });
});

describe('hard links', () => {
  const groups = ({ entries }: Inventory) => entries.filter(({ linkGroup }) => linkGroup !== undefined).map((each) => `${each.path} ${each.linkGroup}`); // prettier-ignore

  it('are named by the first of their names', async () => {
    assert.deepEqual(groups(await inventoryOf(tar(file('b'), link('c', 'b'), link('a', 'b')))), ['/a /a', '/b /a', '/c /a']);
  });

  it('outlive the name that was linked to', async () => {
    const lower = tar(file('a', 'shared'), link('b', 'a'), link('c', 'a'));
    const inventory = await inventoryOf(lower, tar(file('a', 'new')));
    assert.deepEqual(groups(inventory), ['/b /b', '/c /b']);
    assert.notEqual(entry(inventory, '/a')?.digest, entry(inventory, '/b')?.digest);
    assert.deepEqual(groups(await inventoryOf(lower, tar(whiteout('a'), whiteout('b')))), []);
  });

  it('share what a header says last: a link can make its file setuid', async () => {
    const inventory = await inventoryOf(tar(file('bin/sh', 'sh', { mode: 0o755 }), link('x', 'bin/sh', { mode: 0o4755 })));
    assert.equal(entry(inventory, '/bin/sh')?.mode, 0o4755);
    assert.deepEqual(codes(inventory), ['conflicting-header 0']);
    const quiet = await inventoryOf(tar(file('bin/sh', 'sh', { mode: 0o755 }), link('x', 'bin/sh', { mode: 0o755 })));
    assert.deepEqual(codes(quiet), []);
  });

  it('take capabilities away, or bring other ones, as chown(2) and containerd do', async () => {
    const of = async (...parts: Buffer[]) => entry(await inventoryOf(tar(...parts)), '/ping')?.xattrs;
    const ping = [capability('one'), file('ping')];
    assert.equal(await of(...ping, link('x', 'ping', { mode: 0o644 })), undefined);
    assert.deepEqual(Object.values((await of(...ping, capability('two'), link('x', 'ping', { mode: 0o644 }))) ?? {}), [btoa('two')]);
    assert.deepEqual(Object.values((await of(...ping, capability('one'), link('x', 'ping', { mode: 0o644 }))) ?? {}), [btoa('one')]);
  });
});

describe('the inventory', () => {
  it('is the same bytes for the same layers, and leaves the scans as they were', async () => {
    const scans = [
      await scanOf(tar(file('b'), link('a', 'b', { mode: 0o4755 }), dir('d'))),
      await scanOf(tar(whiteout('b'), dir('d', { uid: 1 }))),
    ];
    const before = canonicalJson(scans);
    const once = canonicalJson(applyLayers(imageOf(scans), scans));
    assert.equal(canonicalJson(applyLayers(imageOf(scans), scans)), once);
    assert.equal(canonicalJson(scans), before);
  });

  it('is in code-unit order', async () => {
    const { entries } = await inventoryOf(tar(file('b'), file('a-b'), file('a/b'), file('B'), file('\xff')));
    assert.deepEqual(entries.map(({ path }) => path), ['/', '/B', '/\\xff', '/a', '/a-b', '/a/b', '/b']); // prettier-ignore
  });

  it('names what made a layer where history and layers match', async () => {
    const scans = [await scanOf(tar(file('a'))), await scanOf(tar(file('b')))];
    const image = imageOf(scans);
    const history = [{ created_by: 'ADD' }, { created_by: 'ENV', empty_layer: true }, { created_by: 'RUN' }];
    const made = (lines: typeof history) => applyLayers({ ...image, config: { ...image.config, history: lines } }, scans).layers.map(({ createdBy }) => createdBy); // prettier-ignore
    assert.deepEqual(made(history), ['ADD', 'RUN']);
    assert.deepEqual(made(history.slice(0, 2)), [undefined, undefined]);
  });

  it('is refused where the layers are not those of manifest and configuration', async () => {
    const scans = [await scanOf(tar(file('a')))];
    const other = await scanOf(tar(file('b')));
    const image = imageOf(scans);
    const isMalformed = (error: unknown) => error instanceof Problem && error.code === 'image-malformed';
    assert.throws(() => applyLayers(image, []), isMalformed);
    assert.throws(() => applyLayers(image, [other]), isMalformed);
    const lying = { ...image, config: { ...image.config, rootfs: { type: 'layers', diff_ids: [other.diffId] } } };
    assert.throws(() => applyLayers(lying, scans), isMalformed);
  });

  it('ends where links take too long to follow', async () => {
    const long = Array.from({ length: 1900 }, () => 'x/..').join('/').slice(0, 4000); // prettier-ignore
    const links = Array.from({ length: 200 }, (_all, index) => pax([['linkpath', `${long}/../l${index + 1}`]]).toString('latin1') + symlink(`l${index}`, 'l').toString('latin1')); // prettier-ignore
    const maze = Buffer.from(links.join(''), 'latin1');
    const entries = Array.from({ length: 400 }, (_all, index) => file(`l0/${index}`, ''));
    await assert.rejects(inventoryOf(tar(maze, ...entries)), (error) => error instanceof Problem && error.code === 'limit-exceeded');
  });
});
