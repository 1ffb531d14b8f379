import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readDeb } from '../../../src/adapters/debian/deb.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { DebContents } from '../../../src/model/debian.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { Problem } from '../../../src/problem.ts';
import { makeDeb } from '../../support/debian-archive.ts';

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 1000) yield bytes.subarray(start, start + 1000);
}

const read = (bytes: Buffer): Promise<DebContents> => readDeb(digestOf(bytes), pieces(bytes), makeScanLayer());

const isUntrusted = (error: unknown): boolean => error instanceof Problem && error.code === 'archive-untrusted';

test('a .deb reads the same however it is packed', async () => {
  const results: DebContents[] = [];
  for (const compression of ['xz', 'gzip', 'zstd', 'none'] as const) {
    const files = { 'usr/bin/p': { text: 'p', mode: 0o755 }, 'usr/share/é': 'e' };
    const { bytes } = await makeDeb({ name: 'pp', files, members: { triggers: 'activate-noawait ldconfig\n' }, compression });
    results.push(await read(bytes));
  }
  const [first] = results;
  assert.deepEqual(first?.entries.map(({ path }) => path), ['/', '/usr', '/usr/bin', '/usr/bin/p', '/usr/share', '/usr/share/é']); // prettier-ignore
  assert.deepEqual(Object.keys(first.controlFiles), ['triggers']);
  const timeless = (one: DebContents) => ({ ...one, deb: '', entries: one.entries.map((entry) => ({ ...entry, mtime: 0 })) });
  for (const one of results) assert.deepEqual(timeless(one), timeless(first));
});

test('the list is the one that dpkg writes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-list-'));
  try {
    const { bytes } = await makeDeb({
      name: 'listed',
      files: { 'usr/b': 'b', 'usr/a/é': 'a', 'etc/c': 'c' },
      members: { conffiles: '/etc/c\n' },
    });
    await writeFile(join(folder, 'x.deb'), bytes);
    const run = 'mkdir -p r/var/lib/dpkg/info r/var/lib/dpkg/updates; touch r/var/lib/dpkg/status; dpkg --root="$PWD/r" --force-not-root --force-script-chrootless --log=/dev/null --install x.deb'; // prettier-ignore
    const { status, stderr } = spawnSync('sh', ['-ec', run], { cwd: folder, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const list = await readFile(join(folder, 'r/var/lib/dpkg/info/listed.list'));
    assert.deepEqual((await read(bytes)).list, { digest: digestOf(list), size: list.length });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what is no .deb', async () => {
  const { bytes } = await makeDeb({ name: 'pp', files: { 'usr/p': 'p'.repeat(5000) }, compression: 'none' });
  const withMember = (find: string, put: string): Buffer => Buffer.from(bytes.toString('latin1').replace(find, put), 'latin1');
  const cases: Record<string, Buffer> = {
    'no ar': Buffer.from('hello'),
    'cut short': bytes.subarray(0, -600),
    'no data.tar': withMember('data.tar ', 'date.tar '),
    'no control.tar': withMember('control.tar ', 'kontrol.tar '),
    'a member that ends within a file': withMember('10240     `', '1024      `'),
    'a control file that does not parse': withMember('Package: pp', 'Package; pp'),
    'a member that is not packed as its name says': withMember('data.tar   ', 'data.tar.xz'),
  };
  for (const [name, deb] of Object.entries(cases)) await assert.rejects(read(deb), isUntrusted, name);
});
