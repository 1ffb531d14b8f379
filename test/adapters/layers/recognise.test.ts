import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { describe, it } from 'node:test';
import { dataRanges } from '../../../src/adapters/layers/elf.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { Claim } from '../../../src/model/inventory.ts';
import { inPieces, member, tar } from '../../support/tar.ts';

const scanLayer = makeScanLayer();

async function claimsOf(name: string, content: Buffer, piece = 1 << 16, recognise = true): Promise<Claim[] | undefined> {
  const { scan } = await scanLayer(
    inPieces(tar(member({ name }, content)), piece),
    { mediaType: 'application/x-tar', recognise },
    () => false,
  );
  const [entry] = scan.entries;
  assert.equal(entry?.kind, 'file');
  return entry?.kind === 'file' ? entry.claims : undefined;
}

/** A file of no program headers: all of it is looked at. */
const elf = (...parts: string[]): Buffer => Buffer.from(`\x7fELF${'\0'.repeat(300)}${parts.join('\0')}`, 'latin1');

/** A 64-bit little-endian file with a part that is run and one that is data, each of which says something. */
function segmented(run: string, data: string): Buffer {
  const head = Buffer.alloc(64 + 2 * 56);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(2, 56);
  const parts = [Buffer.alloc(5000, run), Buffer.alloc(5000, data)];
  let offset = head.length;
  for (const [index, flags] of [5, 4].entries()) {
    const at = 64 + index * 56;
    head.writeUInt32LE(1, at);
    head.writeUInt32LE(flags, at + 4);
    head.writeBigUInt64LE(BigInt(offset), at + 8);
    head.writeBigUInt64LE(5000n, at + 32);
    offset += 5000;
  }
  return Buffer.concat([head, ...parts, Buffer.from('BusyBox v9.9.9 ')]);
}

describe('a file says what it is', () => {
  const strings: [what: string, text: string, claims: string[]][] = [
    ['libcrypto', 'OpenSSL 3.0.17 1 Jul 2025\0OPENSSLDIR: "/usr/lib/ssl"', ['openssl 3.0.17']],
    ['an older libcrypto', 'OpenSSL 1.1.1w  11 Sep 2023\0OPENSSLDIR: "/x"', ['openssl 1.1.1w']],
    ['the libcrypto of Node.js', 'OpenSSL 3.0.15+quic 3 Sep 2024\0OPENSSLDIR: "/x"', ['openssl 3.0.15']],
    ['what was only built with OpenSSL', 'OpenSSL 3.0.17 1 Jul 2025', []],
    ['zlib', ' deflate 1.2.13 Copyright 1995-2022 Jean-loup Gailly\0 inflate 1.2.13 Copyright 1995-2022 Mark Adler', ['zlib 1.2.13']],
    ['nginx', 'nginx version: nginx/1.22.1\0', ['nginx 1.22.1']],
    ['busybox', 'BusyBox v1.35.0 (Debian 1:1.35.0-4+b3)', ['busybox 1.35.0']],
    ['curl', 'libcurl/7.88.1', ['curl 7.88.1']],
    ['SQLite', 'SQLite format 3\0', ['sqlite']],
    ['libjpeg', 'libjpeg-turbo version 2.1.5 (build 20230203)', ['libjpeg-turbo 2.1.5']],
    ['expat', 'expat_2.5.0\0', ['expat 2.5.0']],
    ['Lua', 'Lua 5.4.4  Copyright (C) 1994-2022', ['lua 5.4.4']],
    ['glibc', 'GNU C Library (Debian GLIBC 2.36-9+deb12u10) stable release version 2.36.\n', ['glibc 2.36']],
    ['a Go program', `\xff Go buildinf:\x08\x02${'\0'.repeat(16)}\x08go1.22.3`, ['go 1.22.3']],
    ['OpenSSH, not the servers that it knows', 'OpenSSH_3.0*,OpenSSH_3.1*\0OpenSSH_6.6.1*\0OpenSSH_9.2p1 Debian-2', ['openssh 9.2p1']],
    ['several', 'nginx/1.27.0\0deflate 1.3.1 Copyright 1995-2024', ['nginx 1.27.0', 'zlib 1.3.1']],
    ['format strings', 'nginx/%s\0OpenSSL %s\0libcurl/%s\0BusyBox v%s', []],
    ['versions that are none', 'nginx/1\u001b[31m\0BusyBox v<b>\0expat_2.5.0<', []],
  ];
  for (const [what, text, expected] of strings)
    it(what, async () => {
      for (const piece of [1, 7, 113, 4096, 1 << 16]) {
        const claims = (await claimsOf('f', elf('x'.repeat(5000), text, 'y'.repeat(piece)), piece)) ?? [];
        assert.deepEqual(
          claims.map(({ name, version }) => (version === undefined ? name : `${name} ${version}`)),
          expected,
          `in pieces of ${piece}`,
        );
      }
    });

  it('only where it is asked for, and only programs', async () => {
    assert.equal(await claimsOf('f', elf('nginx/1.22.1'), 512, false), undefined);
    assert.equal(await claimsOf('f', Buffer.from('nginx/1.22.1'), 512), undefined);
  });

  it('in the parts that are data, not in those that are run', async () => {
    for (const piece of [100, 3000, 1 << 16])
      assert.deepEqual(await claimsOf('f', segmented('nginx/1.1.1 ', 'nginx/1.2.2 '), piece), [{ name: 'nginx', version: '1.2.2' }]);
  });

  it('whole where the program headers make no sense', () => {
    const whole = [{ start: 0, end: Number.POSITIVE_INFINITY }];
    const [honest] = [dataRanges(segmented('a', 'b'))];
    assert.deepEqual(honest, [{ start: 5176, end: 10176 }]);
    for (const [at, value] of [
      [4, 9],
      [5, 9],
      [32, 255],
      [54, 1],
      [56, 200],
      [56, 0],
    ] as const) {
      // prettier-ignore
      const bytes = segmented('a', 'b').subarray(0, 4096);
      bytes[at] = value;
      assert.deepEqual(dataRanges(bytes.subarray(0, 200)), whole, `${at} = ${value}`);
    }
    assert.deepEqual(dataRanges(Buffer.from('\x7fELF')), whole);
  });

  it('so much and no more', async () => {
    const many = Array.from({ length: 5000 }, (_one, index) => `nginx/1.${index}.0`).join('\0');
    assert.equal((await claimsOf('f', elf(many)))?.length, 16);
    assert.equal(await claimsOf('f', elf('nginx/1'.repeat(300_000))), undefined);
  });

  it('as the programs of this machine do', async () => {
    const help = execFileSync('/bin/busybox', ['--help'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
    const busybox = await claimsOf('busybox', readFileSync('/bin/busybox'));
    assert.deepEqual(busybox?.find(({ name }) => name === 'busybox')?.version, /v(\d+\.\d+\.\d+)/.exec(help)?.[1]);
    // Node.js brings libraries of its own.
    const node = await claimsOf('node', readFileSync(realpathSync(process.execPath)));
    assert.ok(process.versions.openssl?.startsWith(node?.find(({ name }) => name === 'openssl')?.version ?? '?'), JSON.stringify(node));
    assert.ok(node?.some(({ name }) => name === 'zlib'));
  });
});

describe('a package.json says which module it describes', () => {
  const at = 'srv/node_modules/left-pad/package.json';
  const rows: [what: string, path: string, text: string, claims: Claim[] | undefined][] = [
    ['a module', at, '{"name":"left-pad","version":"1.3.0"}', [{ name: 'left-pad', version: '1.3.0' }]],
    [
      'of a scope',
      'node_modules/@types/node/package.json',
      '{"name":"@types/node","version":"24.1.0"}',
      [{ name: '@types/node', version: '24.1.0' }],
    ],
    ['without a version', at, '{"name":"left-pad"}', [{ name: 'left-pad' }]],
    ['elsewhere', 'srv/package.json', '{"name":"left-pad","version":"1.3.0"}', undefined],
    ['a name that is none', at, '{"name":"<script>","version":"1.3.0"}', undefined],
    ['a version that is none', at, '{"name":"a","version":"1\\n2"}', [{ name: 'a' }]],
    ['no JSON', at, '{"name":', undefined],
    ['null', at, 'null', undefined],
    ['too large', at, `{"name":"left-pad","x":"${'x'.repeat(70_000)}"}`, undefined],
  ];
  for (const [what, path, text, claims] of rows)
    it(what, async () => {
      for (const piece of [3, 1 << 16]) assert.deepEqual(await claimsOf(path, Buffer.from(text), piece), claims);
    });
});
