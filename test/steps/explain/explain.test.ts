import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { digestOf } from '../../../src/model/digest.ts';
import { differingMembers } from '../../../src/steps/explain/members.ts';
import { firstDifferingBytes } from '../../../src/steps/explain/first-bytes.ts';
import { differingParts } from '../../../src/steps/explain/parts.ts';
import { differingSections } from '../../../src/steps/explain/sections.ts';

const part = (name: string, content: string) => ({ name, size: content.length, digest: digestOf(content) });

describe('parts of two files', () => {
  it('are held against each other by name, and repeated names in their order', () => {
    const { listed, same, more } = differingParts(
      [part('a', '1'), part('b', '1'), part('b', '2'), part('old', 'x')],
      [part('a', '1'), part('b', '1'), part('b', '3'), part('new', 'y')],
    );
    assert.deepEqual([same, more], [2, 0]);
    assert.deepEqual(
      listed.map(({ name, rebuilt, published }) => [name, rebuilt?.size, published?.size]),
      [
        ['b', 1, 1],
        ['new', undefined, 1],
        ['old', 1, undefined],
      ],
    );
  });

  it('of which nothing was read are not called the same', () => {
    assert.equal(differingParts([{ name: 'a', size: 5 }], [{ name: 'a', size: 5 }]).same, 0);
  });

  it('are listed up to a number', () => {
    const many = Array.from({ length: 5_000 }, (_one, index) => part(`${index}`, 'x'));
    const { listed, more } = differingParts([], many);
    assert.deepEqual([listed.length, more], [100, 4_900]);
  });

  it('may be named __proto__', () => {
    assert.equal(differingParts([part('__proto__', '1')], [part('__proto__', '1'), part('constructor', '2')]).listed.length, 1);
  });
});

describe('where bytes begin to differ', () => {
  const of = (length: number, at?: number): Buffer => {
    const bytes = Buffer.alloc(length, 7);
    if (at !== undefined) bytes[at] = 8;
    return bytes;
  };
  for (const [what, a, b, offset, from] of [
    ['the first', of(10, 0), of(10), 0, 0],
    ['far in', of(200_000, 150_001), of(200_000), 150_001, 149_984],
    ['at the edge of what is compared at once', of(200_000, 65_536), of(200_000), 65_536, 65_520],
    ['where one ends', of(100), of(90), 90, 64],
    ['an empty file', of(0), of(3), 0, 0],
  ] as const)
    it(`is found: ${what}`, () => {
      const found = firstDifferingBytes(a, b);
      assert.deepEqual([found?.offset, found?.from], [offset, from]);
      assert.ok((found?.rebuilt.length ?? 999) <= 192);
    });
  it('is nowhere in equal ones', () => assert.equal(firstDifferingBytes(of(70_000), of(70_000)), undefined));
});

describe('sections that differ', () => {
  it('are those whose bytes were changed', () => {
    const program = readFileSync('/bin/true');
    const changed = Buffer.from(program);
    changed[changed.indexOf('GNU coreutils')] = 0x58;
    const found = differingSections(program, changed);
    assert.deepEqual(found?.listed.map(({ name }) => name), ['.rodata']); // prettier-ignore
    assert.ok((found?.same ?? 0) > 10);
  });

  it('cost no more than the file is long, however often a table names it', () => {
    const size = 4 * 1024 ** 2;
    const file = Buffer.alloc(size);
    file.write('\x7fELF\x02\x01\x01', 'latin1');
    file.writeBigUInt64LE(64n, 40);
    file.writeUInt16LE(64, 58);
    file.writeUInt16LE(4000, 60);
    for (let index = 0; index < 4000; index += 1) {
      file.writeUInt32LE(1, 64 + 64 * index + 4);
      file.writeBigUInt64LE(BigInt(size), 64 + 64 * index + 32);
    }
    const found = differingSections(file, file);
    // Three of them were read; nobody can say that the others are the same.
    assert.deepEqual([found?.same, (found?.listed.length ?? 0) + (found?.more ?? 0)], [3, 3997]);
  });

  it('are none of a script', () => assert.equal(differingSections(Buffer.from('#!/bin/sh'), readFileSync('/bin/true')), undefined));
});

describe('members that differ', () => {
  const archive = (members: { path: string; content: string }[], whole = true) => ({
    fileName: '3',
    whole,
    members: members.map(({ path, content }) => ({ path, size: content.length, digest: digestOf(content) })),
  });
  it('are named; what a compressed file holds has no name of its own', () => {
    const found = differingMembers(archive([{ path: '3', content: 'a' }]), archive([{ path: '3', content: 'b' }]));
    assert.deepEqual(found?.parts.listed.map(({ name }) => name), ['what it decompresses to']); // prettier-ignore
  });
  it('are none where only the archive around them differs, which is said', () => {
    const one = archive([{ path: 'a', content: 'a' }]);
    assert.match(differingMembers(one, one)?.notes.join() ?? '', /every member is the same/);
    assert.match(differingMembers(one, { ...one, whole: false })?.notes.join() ?? '', /too large, damaged/);
  });
  it('are not looked for in what is no archive', () => assert.equal(differingMembers(archive([]), archive([])), undefined));
});
