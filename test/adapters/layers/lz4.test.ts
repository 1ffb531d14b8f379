import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeUnpack } from '../../../src/adapters/layers/lz4.ts';
import { digestOf } from '../../../src/model/digest.ts';

const PATH = '/var/lib/apt/lists/mirror.example_debian_dists_bookworm_main_binary-amd64_Packages.lz4';

/** With the settings that apt has, or with others. */
function lz4(bytes: Uint8Array, ...options: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('lz4', ['-c', ...(options.length > 0 ? options : ['-B4', '-BD', '--no-frame-crc'])], {
    input: bytes,
    maxBuffer: 2 ** 28,
  });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

function unpacked(packed: Buffer, { piece = 1000, max = 2 ** 31, path = PATH } = {}): string | undefined {
  const unpacker = makeUnpack(max)(path);
  for (let at = 0; at < packed.length; at += piece) unpacker?.data(packed.subarray(at, at + piece));
  return unpacker?.end();
}

const stanzas = Buffer.from(Array.from({ length: 9000 }, (_, index) => `Package: p${index}\nVersion: ${index % 17}\nSize: ${index * 7919}\n`).join('\n')); // prettier-ignore

test('lists as lz4 packs them come out as they were', () => {
  const inputs = {
    stanzas,
    zeros: Buffer.alloc(300_000),
    random: randomBytes(200_000),
    mixed: Buffer.concat([stanzas, randomBytes(70_000), stanzas]),
    'a byte more than a block': stanzas.subarray(0, 65_537),
  };
  for (const [name, bytes] of Object.entries(inputs))
    for (const piece of [1, 7, 65_536, 2 ** 30]) assert.equal(unpacked(lz4(bytes), { piece }), digestOf(bytes), `${name} by ${piece}`);
  // One block that is not packed, and one of literals alone.
  for (const block of ['0100008061', '020000001061'])
    assert.equal(unpacked(Buffer.from(`04224d184040c0${block}00000000`, 'hex')), digestOf('a'));
});

test('nothing that is not such a file, or is more than one', () => {
  const packed = lz4(stanzas);
  const changed = (at: number, byte: number): Buffer => Object.assign(Buffer.from(packed), { [at]: byte });
  const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
  const rows: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'cut short': packed.subarray(0, -1),
    'with no end': packed.subarray(0, -4),
    'a byte behind': Buffer.concat([packed, Buffer.of(0)]),
    'a frame behind': Buffer.concat([packed, packed]),
    'a skippable frame behind': Buffer.concat([packed, skippable]),
    'a skippable frame before': Buffer.concat([skippable, packed]),
    'with checksums': lz4(stanzas, '-B4', '-BD'),
    'blocks by themselves': lz4(stanzas, '-B4', '-BI', '--no-frame-crc'),
    'large blocks': lz4(stanzas, '-B7', '-BD', '--no-frame-crc'),
    'another magic': changed(0, 5),
    'a block of nothing': Buffer.concat([packed.subarray(0, 7), Buffer.from('0000008000000000', 'hex')]),
    'a block of too much': Buffer.concat([packed.subarray(0, 7), Buffer.from('01000180', 'hex'), Buffer.alloc(65_537), Buffer.alloc(4)]),
    'a reference to before the beginning': Buffer.concat([
      packed.subarray(0, 7),
      Buffer.from('050000001061ffff50', 'hex'),
      Buffer.alloc(4),
    ]),
    'a reference to itself': Buffer.concat([
      packed.subarray(0, 7),
      Buffer.from('0500000010610000', 'hex'),
      Buffer.from('5000000000', 'hex'),
    ]),
    'a length without end': Buffer.concat([packed.subarray(0, 7), Buffer.from('04000000f0ffffff00000000', 'hex')]),
    // 255 bytes out for one in: a block may not become more than 64 KiB.
    bomb: Buffer.concat([packed.subarray(0, 7), Buffer.from('00040000', 'hex'), Buffer.from('1f610100', 'hex'), Buffer.alloc(1019, 255), Buffer.of(0), Buffer.alloc(4)]), // prettier-ignore
  };
  for (const [name, bytes] of Object.entries(rows)) assert.equal(unpacked(bytes), undefined, name);
  // Other bytes give another digest, or none.
  for (const at of [11, 200, 5000, packed.length - 30])
    assert.notEqual(unpacked(changed(at, packed[at]! ^ 1)), digestOf(stanzas), String(at));
});

test('what all lists of a layer unpack to is bounded, and other files are left alone', () => {
  const packed = lz4(Buffer.alloc(300_000));
  assert.equal(unpacked(packed, { max: 300_000 }), digestOf(Buffer.alloc(300_000)));
  assert.equal(unpacked(packed, { max: 299_999 }), undefined);
  for (const path of ['/var/lib/apt/lists/partial/x.lz4', '/opt/x.lz4', '/var/lib/apt/lists/x_Packages'])
    assert.equal(makeUnpack()(path), undefined, path);
});
