import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileFacts } from '../../src/model/inventory.ts';
import { imageSide } from '../../src/steps/case.ts';
import { compare, MTIME_PATH } from '../../src/steps/compare.ts';
import { differingAspects } from '../../src/steps/compare-facts.ts';
import { isCode, leadsToCode } from '../../src/steps/is-code.ts';
import { type FileSpec, imageOf } from '../support/packaged-image.ts';

function side(files: Record<string, FileSpec>) {
  const { inventory, contents } = imageOf(files);
  return imageSide(inventory, contents);
}

test('every fact but the time is an aspect of its own', () => {
  const file: FileFacts = { kind: 'file', size: 1, digest: `sha256:${'a'.repeat(64)}`, mode: 0o644, uid: 0, gid: 0, mtime: 1 };
  const link: FileFacts = { kind: 'symlink', size: 0, target: '/a', mode: 0o777, uid: 0, gid: 0, mtime: 1 };
  const device: FileFacts = { kind: 'character', size: 0, device: { major: 1, minor: 3 }, mode: 0o666, uid: 0, gid: 0, mtime: 1 };
  // Bytes at and beyond 0x80, which a reader that decodes them as text would make equal.
  const capability = (...bytes: number[]) => ({ 'security.capability': Buffer.from(bytes).toString('base64') });
  const rows: [name: string, a: FileFacts, b: FileFacts, aspects: string[]][] = [
    ['nothing', file, { ...file }, []],
    ['time', file, { ...file, mtime: 2 }, []],
    ['bytes', file, { ...file, digest: `sha256:${'b'.repeat(64)}` }, ['content']],
    ['permission', file, { ...file, mode: 0o640 }, ['mode']],
    ['setuid', file, { ...file, mode: 0o4644 }, ['mode']],
    ['setgid', file, { ...file, mode: 0o2644 }, ['mode']],
    ['sticky', file, { ...file, mode: 0o1644 }, ['mode']],
    ['uid', file, { ...file, uid: 1 }, ['owner']],
    ['gid', file, { ...file, gid: 1 }, ['owner']],
    ['capability added', file, { ...file, xattrs: capability(1, 0, 0, 2) }, ['xattrs']],
    ['capability changed', { ...file, xattrs: capability(1, 0x80) }, { ...file, xattrs: capability(1, 0x81) }, ['xattrs']],
    ['attribute renamed', { ...file, xattrs: { 'user.a': 'AA==' } }, { ...file, xattrs: { 'user.b': 'AA==' } }, ['xattrs']],
    ['no attributes, in another spelling', file, { ...file, xattrs: {} }, []],
    ['hard link', file, { ...file, linkGroup: '/x' }, ['links']],
    ['target', link, { ...link, target: '/b' }, ['target']],
    ['mode of a link', link, { ...link, mode: 0o755 }, []],
    ['device', device, { ...device, device: { major: 1, minor: 5 } }, ['device']],
    ['kind of device', device, { ...device, kind: 'block' }, ['kind']],
    ['a link for a file', { ...file, mode: 0o777 }, link, ['kind', 'content', 'target']],
    ['several at once', file, { ...file, mode: 0o4755, uid: 5, size: 2 }, ['content', 'mode', 'owner']],
  ];
  for (const [name, a, b, aspects] of rows) {
    assert.deepEqual(differingAspects(a, b), aspects, name);
    assert.deepEqual(differingAspects(b, a), aspects, `${name}, the other way round`);
  }
});

test('every difference is collected, in the order of the paths; times are one entry', () => {
  const published = side({
    '/a': 'one',
    '/b': { text: 'same', mtime: 1 },
    '/c': { text: 'same', mtime: 1 },
    '/z': 'only',
    '/y': { text: 'x', mode: 0o600 },
  });
  const rebuilt = side({
    '/a': 'two',
    '/b': { text: 'same', mtime: 9 },
    '/c': { text: 'same', mtime: 9 },
    '/m': 'only',
    '/y': { text: 'x', mode: 0o644 },
  });
  const differences = compare(published, rebuilt);
  assert.deepEqual(
    differences.map(({ path, aspects, cause }) => [path, aspects.join(), cause]),
    [
      ['/a', 'content', 'unknown'],
      ['/m', 'presence', 'unknown'],
      ['/y', 'mode', 'unknown'],
      ['/z', 'presence', 'unknown'],
      [MTIME_PATH, 'mtime', 'normalised'],
    ],
  );
  assert.equal(differences.at(-1)?.detail, '2 paths differ in nothing but their times');
  assert.deepEqual([differences[1]?.published, differences[3]?.rebuilt], [undefined, undefined]);
});

test('names that only look alike are different names', () => {
  const differences = compare(side({ '/etc/caf\u00e9': 'x' }), side({ '/etc/cafe\u0301': 'x' }));
  assert.equal(differences.length, 2);
  assert.equal(compare(side({ '/a\\xff': 'x' }), side({ '/a\\xfe': 'x' })).length, 2);
});

test('a configuration that comes to the same is the same, and no other', () => {
  const withConfig = (config: object, os = 'linux'): ReturnType<typeof side> => {
    const made = side({ '/a': 'x' });
    made.inventory.config = { ...made.inventory.config, os, config };
    return made;
  };
  const differing = (a: object, b: object, os?: string): string[] => compare(withConfig(a, os), withConfig(b, os)).map(({ path }) => path);
  assert.deepEqual(differing({ WorkingDir: '/' }, {}), []);
  assert.deepEqual(differing({ WorkingDir: '/' }, { WorkingDir: '/srv' }), ['config:WorkingDir']);
  assert.deepEqual(differing({}, { WorkingDir: '//' }), ['config:WorkingDir']);
  assert.deepEqual(differing({ ArgsEscaped: true }, {}), []);
  assert.deepEqual(differing({ ArgsEscaped: true }, {}, 'windows'), ['config:ArgsEscaped']);
});

test('metadata of the image is told and harmless', () => {
  const published = side({ '/a': 'x' });
  const rebuilt = side({ '/a': 'x' });
  published.inventory.config = {
    ...published.inventory.config,
    created: '2026-01-01T00:00:00Z',
    author: 'a',
    history: [{ created_by: 'x' }],
  };
  assert.deepEqual(
    compare(published, rebuilt).map(({ path, rule }) => [path, rule]),
    [
      ['config:created', 'image-metadata@1'],
      ['config:author', 'image-metadata@1'],
      ['config:history', 'image-metadata@1'],
    ],
  );
});

test('a hundred thousand files take well under two seconds', () => {
  const files: Record<string, FileSpec> = {};
  for (let index = 0; index < 100_000; index += 1) files[`/usr/share/d${index % 1000}/f${index}`] = { text: '', mtime: index };
  const [a, b] = [side(files), side(files)];
  const start = performance.now();
  assert.deepEqual(compare(a, b), []);
  assert.ok(performance.now() - start < 2000);
});

test('what counts as code', () => {
  type Row = [path: string, facts: Partial<FileFacts>, expected: boolean];
  const rows: Row[] = [
    ['/usr/bin/x', { mode: 0o755 }, true],
    ['/usr/bin/x', { mode: 0o641 }, true],
    ['/srv/x', { magic: 'elf' }, true],
    ['/srv/x', { magic: 'script' }, true],
    ['/srv/x', { magic: 'pyc' }, true],
    ['/usr/lib/libssl.so.3', {}, true],
    ['/usr/lib/libssl.so.3.0.17', {}, true],
    ['/usr/lib/python3/dist-packages/m.py', {}, true],
    ['/app/server.mjs', {}, true],
    ['/app/app.jar', {}, true],
    ['/usr/share/perl5/M.pm', {}, true],
    ['/usr/share/doc/x/example.py', {}, false],
    ['/usr/share/doc/x/example.py', { mode: 0o755 }, true],
    ['/srv/index.html', {}, false],
    ['/etc/nginx/nginx.conf', {}, false],
    ['/usr/lib/libx.so.conf.md', {}, false],
    ['/etc/hostname', { mode: 0o755 }, false],
    ['/etc/hostname', { mode: 0o755, magic: 'script' }, true],
    ['/etc/hostname', { mode: 0o4755 }, true],
    ['/usr/bin/x', { kind: 'directory', mode: 0o755 }, false],
    ['/usr/bin/x', { kind: 'symlink', mode: 0o777 }, false],
  ];
  for (const [path, facts, expected] of rows) {
    assert.equal(isCode(path, { kind: 'file', mode: 0o644, ...facts }), expected, `${path} ${JSON.stringify(facts)}`);
  }
  assert.equal(leadsToCode('/usr/bin/x', { kind: 'symlink' }), true);
  assert.equal(leadsToCode('/opt/libx.so', { kind: 'symlink' }), true);
  assert.equal(leadsToCode('/usr/share/doc/x', { kind: 'symlink' }), false);
});
