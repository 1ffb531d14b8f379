import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { elfParts } from '../../src/model/elf.ts';

type Section = { name: string; type?: number; offset?: number; size?: number };

/** A 64-bit little-endian file of section headers alone. */
function elf(
  sections: readonly Section[],
  header: Partial<{ count: number; names: number; entry: number; at: number; length: number }> = {},
): Buffer {
  const names = Buffer.from(`\0${sections.map(({ name }) => `${name}\0`).join('')}`, 'latin1');
  const table = 64 + names.length;
  const all = Buffer.alloc(table + 64 * (sections.length + 2));
  all.write('\x7fELF\x02\x01\x01', 'latin1');
  all.writeBigUInt64LE(BigInt(header.at ?? table), 40);
  all.writeUInt16LE(header.entry ?? 64, 58);
  all.writeUInt16LE(header.count ?? sections.length + 2, 60);
  all.writeUInt16LE(header.names ?? 1, 62);
  names.copy(all, 64);
  const put = (index: number, name: number, type: number, offset: number, size: number): void => {
    const at = table + 64 * index;
    all.writeUInt32LE(name, at);
    all.writeUInt32LE(type, at + 4);
    all.writeBigUInt64LE(BigInt(offset), at + 24);
    all.writeBigUInt64LE(BigInt(size), at + 32);
  };
  put(1, 0, 3, 64, names.length);
  let at = 1;
  for (const [index, { name, type = 1, offset = 0, size = 0 }] of sections.entries()) {
    put(index + 2, at, type, offset, size);
    at += name.length + 1;
  }
  return all.subarray(0, header.length ?? all.length);
}

describe('the sections of an ELF file', () => {
  it('are those that readelf names', () => {
    const found = elfParts(readFileSync('/bin/true'));
    const listed = execFileSync('readelf', ['--wide', '--section-headers', '/bin/true'], { encoding: 'utf8' });
    const names = [...listed.matchAll(/^\s*\[\s*\d+\]\s+(\S+)\s+[A-Z]/gm)].map(([, name]) => name).filter((name) => name !== 'NULL');
    assert.deepEqual(
      found?.map(({ name }) => name),
      names,
    );
  });

  it('are named, and what takes no room has no size', () => {
    const [, text, bss] = elfParts(elf([{ name: '.text', offset: 64, size: 9 }, { name: '.bss', type: 8, size: 4096 }])) ?? []; // prettier-ignore
    assert.deepEqual(text, { name: '.text', offset: 64, size: 9 });
    assert.deepEqual(bss, { name: '.bss', offset: 0, size: 0 });
  });

  it('give way to segments where there are none', () => {
    const file = elf([], { count: 0, at: 0 });
    const all = Buffer.concat([file, Buffer.alloc(56)]);
    all.writeBigUInt64LE(BigInt(file.length), 32);
    all.writeUInt16LE(56, 54);
    all.writeUInt16LE(1, 56);
    all.writeUInt32LE(1, file.length);
    all.writeBigUInt64LE(7n, file.length + 32);
    assert.deepEqual(elfParts(all), [{ name: 'segment 0 LOAD', offset: 0, size: 7 }]);
  });

  const hostile: [what: string, bytes: Buffer, parts: number | undefined][] = [
    ['nothing', Buffer.alloc(0), undefined],
    ['another file', Buffer.from('#!/bin/sh\n'.padEnd(100)), undefined],
    ['a header that ends', elf([{ name: 'x' }]).subarray(0, 60), undefined],
    ['a class that is none', Buffer.concat([Buffer.from('\x7fELF\x07\x01', 'latin1'), Buffer.alloc(100)]), undefined],
    ['a table beyond the end', elf([{ name: 'x' }], { at: 2 ** 40 }), 0],
    ['a table at the highest address', elf([{ name: 'x' }], { at: Number.MAX_SAFE_INTEGER }), 0],
    ['a number of 65,535 without so many', elf([{ name: 'x' }], { count: 65_535 }), 2],
    ['entries of no size', elf([{ name: 'x' }], { entry: 0 }), 0],
    ['names that are no section', elf([{ name: 'x' }], { names: 9_999 }), 2],
    ['a section of the whole address space', elf([{ name: 'x', offset: 2 ** 52, size: 2 ** 52 }]), 2],
    ['a table cut in its middle', elf([{ name: 'x' }, { name: 'y' }], { length: 64 + 5 + 64 * 2 + 10 }), 1],
  ];
  for (const [what, bytes, parts] of hostile) it(`are read without harm from ${what}`, () => assert.equal(elfParts(bytes)?.length, parts));

  it('are bounded where the first one says how many there are', () => {
    const file = elf([], { count: 0 });
    const table = Number(file.readBigUInt64LE(40));
    const all = Buffer.concat([file.subarray(0, table), Buffer.alloc(64 * 10_000, 1)]);
    all.writeBigUInt64LE(BigInt(2 ** 50), table + 32);
    assert.equal(elfParts(all)?.length, 4096);
  });

  it('have names that can be shown', () => {
    const names = elfParts(elf([{ name: '.a\x1b[31m' }, { name: 'x'.repeat(500) }]))?.map(({ name }) => name);
    assert.deepEqual(names?.slice(1), ['.a\\x1b[31m', 'x'.repeat(64)]);
  });
});
