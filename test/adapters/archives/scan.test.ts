import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { ARCHIVE_LIMITS } from '../../../src/adapters/archives/members.ts';
import { makeScanArchive } from '../../../src/adapters/archives/scan.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { makeDeb } from '../../support/debian-archive.ts';
import { member, tar } from '../../support/tar.ts';
import { zip } from '../../support/zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'conforme-archives-'));
after(() => rmSync(folder, { recursive: true }));

/** Paths of the members by what they hold. */
async function members(bytes: Buffer, limits = ARCHIVE_LIMITS, name = 'fetched'): Promise<Record<string, string>> {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const { members: found } = await makeScanArchive(limits)(file);
  const texts = new Map(TEXTS.map((text) => [digestOf(text), text]));
  return Object.fromEntries(found.map(({ path, digest }) => [path, texts.get(digest) ?? digest]));
}

const filesOf = (files: Record<string, string | Buffer>) => Object.entries(files).map(([name, content]) => ({ name, content }));
const TEXTS = ['one', 'two', 'tool'];
const TREE = tar(
  member({ name: 'x/one' }, 'one'),
  member({ name: 'x/two', mode: 0o4755 }, 'two'),
  member({ name: 'x/link', type: '2', link: 'one' }),
);
const EXPECTED = { '/x/one': 'one', '/x/two': 'two' };
const packed = (command: string, bytes: Buffer): Buffer => execFileSync('sh', ['-c', command], { input: bytes, maxBuffer: 2 ** 30 });

it('reads tars, plain and compressed in every usual way', async () => {
  for (const command of ['cat', 'gzip', 'xz', 'bzip2', 'zstd -q'])
    assert.deepEqual(await members(packed(command, TREE)), EXPECTED, command);
});

it('reads what a compressed file holds', async () => {
  for (const command of ['gzip', 'xz', 'bzip2', 'zstd -q'])
    assert.deepEqual(await members(packed(command, Buffer.from('tool')), ARCHIVE_LIMITS, 'tool'), { tool: 'tool' }, command);
});

it('reads zips, and with them wheels and jars', async () => {
  assert.deepEqual(await members(zip(filesOf({ 'x/one': 'one', 'x/': '', 'x/two': 'two' }))), { 'x/one': 'one', 'x/two': 'two' });
});

it('reads the files of a .deb and of a gem', async () => {
  for (const compression of ['xz', 'zstd', 'gzip', 'none'] as const) {
    const { bytes } = await makeDeb({ name: 'tool', files: { 'usr/bin/tool': 'tool' }, compression });
    assert.deepEqual(await members(bytes), { '/usr/bin/tool': 'tool' }, compression);
  }
  const gem = tar(member({ name: 'metadata.gz' }, gzipSync('x')), member({ name: 'data.tar.gz' }, gzipSync(TREE)));
  const found = await members(gem);
  assert.deepEqual([found['/x/one'], found['/x/two']], ['one', 'two']);
});

it('has no members of what is damaged, or those before the damage', async () => {
  assert.deepEqual(await members(Buffer.from('PK\x03\x04 and nothing more', 'latin1')), {});
  assert.deepEqual(await members(Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), Buffer.alloc(100, 1)])), {});
  assert.deepEqual(await members(TREE.subarray(0, 1100)), { '/x/one': 'one' });
  assert.deepEqual(await members(zip([{ name: 'one', content: 'one' }]).subarray(0, -5)), {});
  assert.deepEqual(await members(zip([{ name: 'one', content: 'one', flags: 1 }])), {}, 'encrypted');
});

it('stops at its bounds, whatever the headers claim', async () => {
  const zeros = Buffer.alloc(2 ** 24);
  const bombs = {
    gzip: gzipSync(tar(member({ name: 'a' }, 'one'), member({ name: 'b' }, zeros))),
    zip: zip(filesOf({ a: 'one', b: zeros })),
  };
  for (const [what, bomb] of Object.entries(bombs)) {
    const found = await members(bomb, { ...ARCHIVE_LIMITS, ratio: 100, ratioFrom: 2 ** 20 });
    assert.equal(Object.values(found).includes(digestOf(zeros)), false, what);
  }
  assert.deepEqual(Object.keys(await members(zip(filesOf({ a: '1', b: '2', c: '3' })), { ...ARCHIVE_LIMITS, members: 2 })), ['a', 'b']);
  // A gem within a gem within a gem: only the outermost is descended into.
  const inner = tar(member({ name: 'data.tar' }, tar(member({ name: 'data.tar' }, TREE))));
  assert.ok(!Object.values(await members(inner)).includes('one'));
});

it('leaves nothing of xz behind when it stops early', async () => {
  const found = await members(packed('xz -1', Buffer.alloc(2 ** 26)), { ...ARCHIVE_LIMITS, ratioFrom: 2 ** 20, ratio: 10 });
  assert.deepEqual(found, {});
  for (let tries = 0; children() !== '' && tries < 100; tries += 1) await sleep(20);
  assert.equal(children(), '');
});

const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
