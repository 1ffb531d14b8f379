import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import { imageSide } from '../../../src/steps/case.ts';
import { compare } from '../../../src/steps/compare.ts';
import { type FileSpec, imageOf } from '../../support/packaged-image.ts';

test('caches: their form, their size, and nothing that could be run', () => {
  const cache = (body: string, size = 1000) => ({ text: Buffer.from([0xdc, 0x76, 0xfe, 0x98]).toString('latin1') + body, size });
  const bytes = (magic: number[], fill: number) => {
    const data = Buffer.alloc(1000, fill);
    Buffer.from(magic).copy(data);
    return data;
  };
  const compareBytes = (path: string, a: Buffer, b: Buffer, more: object = {}): string => {
    const sideOfBytes = (data: Buffer) => {
      const { inventory } = imageOf({ [path]: { text: '', ...more, size: data.length } as FileSpec });
      inventory.entries[0]!.digest = digestOf(data);
      return imageSide(inventory, new Map([[digestOf(data), data]]));
    };
    const found = compare(sideOfBytes(a), sideOfBytes(b)).find((difference) => difference.path === path);
    return found?.rule ?? found?.cause ?? 'equal';
  };
  assert.ok(cache('').size > 0);
  const apt = '/var/cache/apt/pkgcache.bin';
  const signature = [0xdc, 0x76, 0xfe, 0x98];
  assert.equal(compareBytes(apt, bytes(signature, 1), bytes(signature, 2)), 'apt-cache@1');
  assert.equal(compareBytes(apt, bytes([1, 2, 3, 4], 1), bytes(signature, 2)), 'unknown');
  assert.equal(
    compareBytes(apt, Buffer.concat([bytes(signature, 1), Buffer.alloc(5000)]), bytes(signature, 2)),
    'unknown',
    'far larger than the rebuilt one',
  );
  assert.equal(compareBytes(apt, bytes(signature, 1), bytes(signature, 2), { mode: 0o755 }), 'unknown');

  const aux = (inode: number, soname: string, count = 1): Buffer => {
    const strings = Buffer.from(`\0${soname}\0`);
    const data = Buffer.alloc(32 + 48);
    data.write('glibc-ld.so.auxcache-2.0', 'latin1');
    data.writeUInt32LE(count, 24);
    data.writeUInt32LE(strings.length, 28);
    data.writeBigUInt64LE(BigInt(inode), 32);
    data.writeBigUInt64LE(4096n, 48);
    data.writeInt32LE(0x303, 64);
    data.writeUInt32LE(1, 68);
    return Buffer.concat([data, strings]);
  };
  const auxPath = '/var/cache/ldconfig/aux-cache';
  assert.equal(compareBytes(auxPath, aux(1, 'libc.so.6'), aux(2, 'libc.so.6'), { mode: 0o600 }), 'ldconfig-aux-cache@1');
  assert.equal(compareBytes(auxPath, aux(1, 'evil.so.6'), aux(2, 'libc.so.6'), { mode: 0o600 }), 'unknown', 'another library');
  assert.equal(
    compareBytes(auxPath, Buffer.concat([aux(1, 'libc.so.6'), Buffer.from('x')]), aux(2, 'libc.so.6'), { mode: 0o600 }),
    'unknown',
    'bytes behind the strings',
  );
  assert.equal(
    compareBytes(auxPath, aux(1, 'libc.so.6', 0xffffffff), aux(2, 'libc.so.6'), { mode: 0o600 }),
    'unknown',
    'a count beyond the file',
  );
  assert.equal(compareBytes(auxPath, aux(1, 'libc.so.6'), aux(2, 'libc.so.6'), { mode: 0o700 }), 'unknown', 'an x bit');

  const font = (time: number, fill: number): Buffer => {
    const data = Buffer.alloc(200, fill);
    data.writeUInt32LE(0xfc02fc04, 0);
    data.writeUInt32LE(time, 48);
    return data.fill(0, 52, 64);
  };
  const fontPath = '/var/cache/fontconfig/0123456789abcdef0123456789abcdef-le64.cache-8';
  assert.equal(compareBytes(fontPath, font(1, 0), font(2, 0)), 'fontconfig-cache@1');
  assert.equal(compareBytes(fontPath, font(1, 0), font(2, 1)), 'unknown', 'other fonts');

  const pyc = (flags: number, time: number, size: number, code: string): Buffer => {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(0x0a0d0da7, 0);
    head.writeUInt32LE(flags, 4);
    head.writeUInt32LE(time, 8);
    head.writeUInt32LE(size, 12);
    return Buffer.concat([head, Buffer.from(code)]);
  };
  const pycPath = '/opt/app/__pycache__/m.cpython-311.pyc';
  const asPyc = { magic: 'pyc' };
  assert.equal(compareBytes(pycPath, pyc(0, 1, 9, 'code'), pyc(0, 2, 9, 'code'), asPyc), 'pyc-source-time@1');
  assert.equal(compareBytes(pycPath, pyc(0, 1, 9, 'evil'), pyc(0, 2, 9, 'code'), asPyc), 'unknown', 'other code');
  assert.equal(compareBytes(pycPath, pyc(0, 1, 8, 'code'), pyc(0, 2, 9, 'code'), asPyc), 'unknown', 'of another source');
  assert.equal(compareBytes(pycPath, pyc(1, 1, 9, 'code'), pyc(0, 2, 9, 'code'), asPyc), 'unknown', 'never checked against its source');
  assert.equal(
    compareBytes('/opt/app/m.pyc', pyc(0, 1, 9, 'code'), pyc(0, 2, 9, 'code'), asPyc),
    'unknown',
    'where no source stands beside it',
  );
});
