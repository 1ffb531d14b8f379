import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAr } from '../../src/model/ar.ts';

async function* chunked(bytes: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
}

async function members(bytes: Uint8Array, step = 1000, skip: (name: string) => boolean = () => false): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { name, bytes: body } of readAr(chunked(bytes, step))) {
    const parts: Uint8Array[] = [];
    if (!skip(name)) for await (const part of body) parts.push(part);
    found.push([name, Buffer.concat(parts).toString()]);
  }
  return found;
}

function header(name: string, size: number | string): string {
  return `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(size).padEnd(10)}\`\n`;
}

const SMALL = Buffer.from(`!<arch>\n${header('debian-binary', 4)}2.0\n${header('odd/', 3)}abc\n${header('last', 1)}z`);

test('members come with their bytes, however the stream is cut', async () => {
  const expected = [['debian-binary', '2.0\n'], ['odd', 'abc'], ['last', 'z']]; // prettier-ignore
  for (const step of [1, 2, 59, 60, 61, 1000]) assert.deepEqual(await members(SMALL, step), expected);
  const skipped = await members(SMALL, 7, (name) => name === 'odd');
  assert.deepEqual(skipped, [['debian-binary', '2.0\n'], ['odd', ''], ['last', 'z']]); // prettier-ignore
});

test('an archive that dpkg-deb makes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-ar-'));
  try {
    const script = 'mkdir -p p/DEBIAN p/etc; printf "Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: d\\n" > p/DEBIAN/control; echo x > p/etc/x; dpkg-deb --build --root-owner-group p p.deb'; // prettier-ignore
    assert.equal(spawnSync('sh', ['-ec', script], { cwd: folder }).status, 0);
    const names = (await members(await readFile(join(folder, 'p.deb')))).map(([name]) => name);
    assert.deepEqual(names, ['debian-binary', 'control.tar.xz', 'data.tar.xz']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('what is no archive, or is cut short, is refused', async () => {
  const cases: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    magic: Buffer.from('!<arck>\n'),
    'cut header': SMALL.subarray(0, 30),
    'cut member': SMALL.subarray(0, 70),
    'end mark': Buffer.from(SMALL.toString().replace('`\n', '``')),
    'negative size': Buffer.from(`!<arch>\n${header('a', '-1')}`),
    'size in hex': Buffer.from(`!<arch>\n${header('a', '0x10')}`),
    'a name with a slash inside': Buffer.from(`!<arch>\n${header('../a', 0)}`),
    'too many members': Buffer.from(`!<arch>\n${header('a', 0).repeat(40)}`),
  };
  for (const [name, bytes] of Object.entries(cases)) await assert.rejects(members(bytes), SyntaxError, name);
});

test('the source is closed when the reader stops early', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield SMALL;
      yield SMALL;
    } finally {
      closed = true;
    }
  }
  for await (const _ of readAr(source())) break;
  assert.ok(closed);
});
