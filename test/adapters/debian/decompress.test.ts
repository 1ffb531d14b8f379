import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { decompress } from '../../../src/adapters/debian/decompress.ts';
import { Problem } from '../../../src/problem.ts';

const TEXT = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${i * 7919}`).join(' '));
const PACKED: Record<string, Buffer> = {
  'data.tar.xz': spawnSync('xz', ['-c'], { input: TEXT }).stdout,
  'data.tar.gz': gzipSync(TEXT),
  'data.tar': TEXT,
};

async function* pieces(bytes: Buffer, end?: Error): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 5000) yield bytes.subarray(start, start + 5000);
  if (end !== undefined) throw end;
}

async function unpacked(name: string, bytes: AsyncIterable<Uint8Array>, max = TEXT.length): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of decompress(name, bytes, max)) parts.push(part);
  return Buffer.concat(parts);
}

const isUntrusted = (error: unknown): boolean => error instanceof Problem && error.code === 'archive-untrusted';

for (const [name, packed] of Object.entries(PACKED)) {
  test(`${name}: whole, several at once, capped`, async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => unpacked(name, pieces(packed))));
    for (const result of results) assert.ok(result.equals(TEXT));
    await assert.rejects(unpacked(name, pieces(packed), TEXT.length - 1), isUntrusted);
    assert.ok((await unpacked(name, pieces(packed))).equals(TEXT)); // the refused one left nothing in the way
  });

  test(`${name}: a source that fails is told as it failed`, async () => {
    const broken = new Problem('blobs-unavailable', 'away');
    await assert.rejects(unpacked(name, pieces(packed.subarray(0, 20_000), broken)), (error) => error === broken);
  });

  if (name === 'data.tar') continue;
  test(`${name}: damaged, cut short, or something else`, async () => {
    const damaged = Buffer.from(packed);
    damaged[damaged.length >> 1]! ^= 0xff;
    for (const bytes of [damaged, packed.subarray(0, -20), packed.subarray(0, 100), TEXT]) await assert.rejects(unpacked(name, pieces(bytes)), isUntrusted); // prettier-ignore
  });
}

test('the program that starts xz is started again where it died', async () => {
  assert.ok((await unpacked('data.tar.xz', pieces(PACKED['data.tar.xz']!))).equals(TEXT));
  const children = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).trim().split(' ').map(Number);
  const servers = await Promise.all(
    children.map(async (pid) => ((await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('xz-server') ? [pid] : [])),
  );
  const [pid] = servers.flat();
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok((await unpacked('data.tar.xz', pieces(PACKED['data.tar.xz']!))).equals(TEXT));
});
