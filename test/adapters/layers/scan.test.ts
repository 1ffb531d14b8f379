import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { makeScanLayer, SCAN_LIMITS, type ScanLimits } from '../../../src/adapters/layers/scan.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { Problem, type ProblemCode } from '../../../src/problem.ts';
import { header, inPieces, member, pax, tar } from '../../support/tar.ts';

const OCI = 'application/vnd.oci.image.layer.v1.tar';
const scanLayer = makeScanLayer();
const none = () => false;

type Options = { piece?: number; mediaType?: string; limits?: Partial<ScanLimits>; wants?: (path: string) => boolean };

async function scan(bytes: Buffer, { piece = 1 << 16, mediaType = '', limits = {}, wants = none }: Options = {}) {
  const read = makeScanLayer({ ...SCAN_LIMITS, ...limits });
  const { scan: made, contents } = await read(inPieces(bytes, piece), { mediaType }, wants);
  return { ...made, contents, codes: made.anomalies.map(({ code }) => code) };
}

const fails = (code: ProblemCode) => (error: unknown) => error instanceof Problem && error.code === code;

const noise = randomBytes(300_000);
const plain = tar(member({ name: 'small' }, 'x'), member({ name: 'large' }, noise), member({ name: 'empty' }));
const skippable = Buffer.concat([Buffer.from('5a2a4d1805000000', 'hex'), Buffer.from('aside')]);
const flags = (on: number, more: Buffer) =>
  Buffer.concat([Buffer.from([0x1f, 0x8b, 8, on, 0, 0, 0, 0, 0, 3]), more, gzipSync(plain).subarray(10)]);

describe('scanning a layer', () => {
  const forms: [string, Buffer, string][] = [
    ['no compression', plain, OCI],
    ['gzip', gzipSync(plain), `${OCI}+gzip`],
    ['gzip of many members', inMembers(plain, 1000), `${OCI}+gzip`],
    ['gzip of large members', inMembers(plain, 200_000), `${OCI}+gzip`],
    ['gzip with a name and a comment', flags(0x18, Buffer.from('name\0comment\0')), `${OCI}+gzip`],
    ['gzip with an extra field and a CRC', flags(0x06, Buffer.from([2, 0, 1, 2, 3, 4])), `${OCI}+gzip`],
    ['zstd', zstdCompressSync(plain), `${OCI}+zstd`],
    ['zstd with checksums', zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), `${OCI}+zstd`],
    ['zstd of many frames', inFrames(plain, 5000), `${OCI}+zstd`],
    ['zstd that begins with a skippable frame', Buffer.concat([skippable, zstdCompressSync(plain), skippable]), `${OCI}+zstd`],
  ];
  for (const [what, bytes, mediaType] of forms) {
    for (const piece of [bytes.length, 100_000, 999]) {
      it(`reads ${what} in pieces of ${piece} bytes`, async () => {
        const made = await scan(bytes, { mediaType, piece });
        assert.deepEqual(made.anomalies, []);
        assert.deepEqual(
          [made.digest, made.size, made.diffId, made.uncompressedSize],
          [digestOf(bytes), bytes.length, digestOf(plain), plain.length],
        );
        const files = made.entries.map((entry) => (entry.kind === 'file' ? [entry.path, entry.size, entry.digest] : []));
        assert.deepEqual(files, [
          ['/small', 1, digestOf('x')],
          ['/large', noise.length, digestOf(noise)],
          ['/empty', 0, digestOf('')],
        ]);
      });
    }
  }

  it('goes by the bytes where the media type says otherwise, and tells', async () => {
    for (const [bytes, mediaType] of [
      [plain, `${OCI}+gzip`],
      [gzipSync(plain), OCI],
      [zstdCompressSync(plain), `${OCI}+gzip`],
    ] as const) {
      // prettier-ignore
      const made = await scan(bytes, { mediaType });
      assert.deepEqual([made.codes, made.entries.length], [['conflicting-header'], 3]);
    }
  });

  const trailing: [string, Buffer][] = [
    ['gzip', gzipSync(plain)],
    ['gzip of many members', inMembers(plain, 1000)],
    ['zstd', zstdCompressSync(plain)],
  ];
  for (const [what, bytes] of trailing) {
    for (const more of ['\0\0\0\0', 'evil', '\x1f']) {
      for (const piece of [bytes.length, bytes.length + 2, 4096]) {
        it(`tells of ${JSON.stringify(more)} behind ${what}, cut at ${piece}`, async () => {
          const made = await scan(Buffer.concat([bytes, Buffer.from(more, 'latin1')]), { piece });
          assert.deepEqual(made.anomalies, [
            { code: 'trailing-compressed-data', detail: `${more.length} bytes behind the compressed stream` },
          ]);
          assert.equal(made.diffId, digestOf(plain));
        });
      }
    }
  }

  const broken: [string, Buffer][] = [
    ['gzip that is cut off', gzipSync(plain).subarray(0, -20)],
    ['gzip without its trailer', gzipSync(plain).subarray(0, -4)],
    ['gzip with another CRC', altered(gzipSync(plain), -8)],
    ['gzip with another length', altered(gzipSync(plain), -1)],
    ['gzip with other contents', altered(gzipSync(plain), 30_000)],
    ['gzip with reserved flags', flags(0x80, Buffer.alloc(0))],
    ['zstd that is cut off', zstdCompressSync(plain).subarray(0, -20)],
    ['zstd that is cut off between frames', inFrames(plain, 5000).subarray(0, -6)],
    ['zstd with other contents', altered(zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }), 200_000)],
  ];
  for (const [what, bytes] of broken) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(scan(bytes), fails('image-malformed'));
      await assert.rejects(scan(bytes, { piece: 1000 }), fails('image-malformed'));
    });
  }

  it('compares what it read with the descriptor', async () => {
    const read = (layer: object) => scanLayer(inPieces(plain, 999), { mediaType: OCI, ...layer }, none);
    await read({ digest: digestOf(plain), size: plain.length });
    await assert.rejects(read({ digest: digestOf('other') }), fails('image-malformed'));
    await assert.rejects(read({ size: plain.length + 1 }), fails('image-malformed'));
  });

  it('lets an error of the stream through', async () => {
    async function* breaking() {
      yield gzipSync(plain).subarray(0, 100);
      await Promise.resolve();
      throw new Problem('registry-unavailable', 'cut');
    }
    await assert.rejects(scanLayer(breaking(), { mediaType: '' }, none), fails('registry-unavailable'));
  });
});

describe('files', () => {
  const kinds: [string, string, string | undefined][] = [
    ['a program', '\x7fELF\x02', 'elf'],
    ['a script', '#!/bin/sh\n', 'script'],
    ['the shortest script', '#!', 'script'],
    ['compiled Python 3.11', '\xa7\x0d\x0d\x0a\0\0\0\0', 'pyc'],
    ['compiled Python 2.7', '\x03\xf3\x0d\x0a\0\0\0\0', 'pyc'],
    ['text with CR LF', 'ab\r\n', undefined],
    ['a zip', 'PK\x03\x04rest', 'archive'],
    ['an ar', '!<arch>\n', 'archive'],
    ['WebAssembly', '\0asm\x01\0\0\0', 'archive'],
    ['a Java class', '\xca\xfe\xba\xbe\0\0', 'archive'],
    ['text', 'hello', undefined],
    ['three bytes of ELF', '\x7fEL', undefined],
    ['nothing', '', undefined],
  ];
  for (const [what, content, magic] of kinds) {
    it(`knows ${what}`, async () => {
      const bytes = tar(member({ name: 'f' }, Buffer.from(content, 'latin1')));
      for (const piece of [1, 513, bytes.length]) {
        const [entry] = (await scan(bytes, { piece })).entries;
        assert.equal(entry?.kind === 'file' ? entry.magic : 'no file', magic);
      }
    });
  }

  it('notes what a script is run by, as far as the kernel reads', async () => {
    for (const [content, interpreter] of [
      ['#!/bin/sh\n', '/bin/sh'],
      ['#! /usr/bin/env -S python3 -u\nimport x', '/usr/bin/env -S python3 -u'],
      ['#!\u001b[31m\u202e', '\\x1b[31m\\xe2\\x80\\xae'],
      ['#!\n', undefined],
      [`#!${'x'.repeat(9000)}`, 'x'.repeat(254)],
      ['/bin/sh\n', undefined],
    ] as const) {
      const bytes = tar(member({ name: 'f' }, Buffer.from(content)));
      for (const piece of [1, 100, bytes.length]) {
        const [entry] = (await scan(bytes, { piece })).entries;
        assert.equal(entry?.kind === 'file' ? entry.interpreter : 'no file', interpreter);
      }
    }
  });

  it('sees a program that begins with a hole of its own', async () => {
    const map: [string, string][] = [['GNU.sparse.size', '600'], ['GNU.sparse.numblocks', '1'], ['GNU.sparse.map', '0,4']]; // prettier-ignore
    const [entry] = (await scan(tar(pax(map), member({ name: 'f' }, '\x7fELF')))).entries;
    assert.deepEqual(entry?.kind === 'file' && [entry.magic, entry.digest], ['elf', digestOf(`\x7fELF${'\0'.repeat(596)}`)]);
  });

  it('keeps the contents that are asked for, by digest', async () => {
    const bytes = gzipSync(tar(member({ name: 'etc/passwd' }, 'root'), member({ name: 'other' }, noise), member({ name: 'large' }, noise)));
    const { contents } = await scan(bytes, { wants: (path) => path === '/etc/passwd' || path === '/large', piece: 1000 });
    assert.deepEqual(new Map(contents), new Map([[digestOf('root'), Buffer.from('root')], [digestOf(noise), noise]])); // prettier-ignore
  });

  it('turns whiteouts into entries of their own, and drops their contents', async () => {
    const { entries } = await scan(tar(member({ name: 'a/.wh.b' }, 'secret'), header({ name: 'a/.wh..wh..opq' })), { wants: () => true });
    assert.deepEqual(entries, [{ whiteout: 'file', path: '/a/b' }, { whiteout: 'opaque', path: '/a' }]); // prettier-ignore
  });
});

describe('limits', () => {
  it('holds against bombs', async () => {
    const zeros = tar(member({ name: 'zeros' }, Buffer.alloc(4_000_000)));
    const limits = { ratio: 100, ratioFrom: 1_000_000 };
    await assert.rejects(scan(gzipSync(zeros), { limits }), fails('limit-exceeded'));
    await assert.rejects(scan(zstdCompressSync(zeros), { limits }), fails('limit-exceeded'));
    await scan(gzipSync(zeros), { limits: { ...limits, ratioFrom: 5_000_000 } });
    await scan(gzipSync(plain), { limits: { ratio: 100, ratioFrom: 1 } });
  });

  it('holds for all that is uncompressed, and for contents', async () => {
    await assert.rejects(scan(plain, { limits: { uncompressed: plain.length - 1 } }), fails('limit-exceeded'));
    await scan(plain, { limits: { uncompressed: plain.length } });
    await assert.rejects(scan(plain, { limits: { contents: noise.length }, wants: () => true }), fails('limit-exceeded'));
    await scan(plain, { limits: { contents: noise.length + 1 }, wants: () => true });
  });

  it('counts anomalies that are too many', async () => {
    const many = tar(...Array.from({ length: 1500 }, () => header({ name: '../x' })));
    const { anomalies } = await scan(many);
    assert.deepEqual([anomalies.length, anomalies.at(-1)], [1001, { code: 'escapes-root', detail: '500 more of this kind' }]);
  });
});

function inMembers(bytes: Buffer, size: number): Buffer {
  const members: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) members.push(gzipSync(bytes.subarray(at, at + size)));
  return Buffer.concat(members);
}

function inFrames(bytes: Buffer, size: number): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) frames.push(zstdCompressSync(bytes.subarray(at, at + size)));
  return Buffer.concat(frames);
}

function altered(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = at < 0 ? bytes.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 0xff;
  return copy;
}
