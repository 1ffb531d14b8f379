/** A fresh cluster of PostgreSQL: what initdb draws in it, and whatever would have a server replay what somebody else wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tailFor } from '../../../src/adapters/layers/tail.ts';
import { crc32c } from '../../../src/model/crc32c.ts';
import { wantsContent } from '../../../src/steps/wants-content.ts';
import { PASSWD } from '../../support/judge-inputs.ts';
import type { FileSpec } from '../../support/packaged-image.ts';
import { type Files, form, regenerated } from '../../support/rules.ts';

const CLUSTER = '/var/lib/postgresql/15/main';
const CONTROL = `${CLUSTER}/global/pg_control`;
const SEGMENT = `${CLUSTER}/pg_wal/000000010000000000000001`;
const STATISTICS = `${CLUSTER}/pg_stat/pgstat.stat`;
const SEGMENT_BYTES = 2 ** 24;

type Change = (bytes: Buffer) => unknown;
type Made = { place?: number; version?: number; drawn?: number; change?: Change };

/** As initdb of Debian 12 makes it, to the byte but for what is drawn; the sum is made anew behind a change. */
function control({ place = 0x500718, version = 1300, drawn = 1, change }: Made = {}): Buffer {
  const bytes = Buffer.alloc(8192);
  bytes.fill(drawn, 0, 8);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(202209061, 12);
  bytes.writeUInt32LE(1, 16);
  bytes.writeUInt32LE(0x6b061cce + drawn, 24);
  for (const at of [32, 40]) bytes.writeBigUInt64LE(BigInt(SEGMENT_BYTES + place), at);
  const numbers: [at: number, value: number][] = [[48, 1], [52, 1], [56, 1], [64, 724], [72, 13572], [76, 1], [84, 716], [88, 1], [92, 1], [96, 1]]; // prettier-ignore
  const settings: [at: number, value: number][] = [[128, 1000], [172, 1], [180, 100], [184, 8], [188, 10], [196, 64], [200, 8], [216, 8192], [220, 131072], [224, 8192], [228, SEGMENT_BYTES], [232, 64], [236, 32], [240, 1996], [244, 2048], [248, 1]]; // prettier-ignore
  for (const [at, value] of [...numbers, ...settings]) bytes.writeUInt32LE(value, at);
  bytes.writeUInt32LE(0x6b061cce + drawn, 104);
  bytes.writeDoubleLE(1234567, 208);
  bytes.fill(drawn + 100, 256, 288);
  change?.(bytes);
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, 288)), 288);
  return bytes;
}

/** The record of the checkpoint that the control file holds; its sum is made anew behind a change. */
function record(of: Buffer, change?: Change): Buffer {
  const bytes = Buffer.alloc(114);
  bytes.writeUInt32LE(114, 0);
  bytes.writeBigUInt64LE(0x15006d0n, 8);
  bytes.writeUInt16LE(0x58ff, 24);
  of.copy(bytes, 26, 40, 128);
  change?.(bytes);
  bytes.writeUInt32LE(crc32c(bytes.subarray(24), bytes.subarray(0, 20)), 20);
  return bytes;
}

function segment(written: Buffer, place = 0x500718): Buffer {
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  bytes.fill('earlier records', 0, place);
  const onPage = Math.min(written.length, 8192 - (place % 8192));
  written.copy(bytes, place, 0, onPage);
  if (onPage === written.length) return bytes;
  bytes.fill('the head of a page is 24', place + onPage, place + onPage + 24);
  written.copy(bytes, place + onPage + 24, onPage);
  return bytes;
}

const owned = { mode: 0o600, uid: 33 };
const asFile = (bytes: Uint8Array): FileSpec => ({ bytes, ...owned });

/** With what is noted of a segment when its layer is read, in pieces of odd sizes. */
function asSegment(bytes: Buffer, name = SEGMENT, piece = 70_001): FileSpec {
  const tail = tailFor(name);
  for (let at = 0; at < bytes.length; at += piece) tail?.data(bytes.subarray(at, at + piece));
  return { bytes, ...owned, ...(tail === undefined ? {} : { tail: tail.end() }) };
}

const made = control({ drawn: 2 });
const reinstalled: Files = {
  '/etc/passwd': PASSWD,
  [CONTROL]: asFile(made),
  [SEGMENT]: asFile(segment(record(made))),
  [STATISTICS]: asFile(Buffer.from('\xa7\xbc\xa5\x01 counts', 'latin1')),
};

/** What the rules say of the control file, then of the segment. */
function start(given: Buffer, log: FileSpec, other = reinstalled, name = SEGMENT): string {
  const files = { '/etc/passwd': PASSWD, [CONTROL]: asFile(given) };
  return `${regenerated(CONTROL, files, other)} ${form(name, log, files, other)}`;
}
const BOTH = 'postgres-cluster postgres-cluster';

test('what initdb draws and notes is no difference', () => {
  const given = control();
  assert.equal(start(given, asSegment(segment(record(given)))), BOTH);
  for (const drawn of [0, 7, 90]) {
    const another = control({ drawn });
    assert.equal(start(another, asSegment(segment(record(another)), SEGMENT, 4093)), BOTH, `drawn ${drawn}`);
  }
  const cases: [name: string, Made][] = [
    ['of PostgreSQL 17', { version: 1700 }],
    ['a record across two pages', { place: 0x501fb0 }],
    ['a record at the end of a page', { place: 0x502000 - 114 - 6 }],
  ];
  for (const [name, more] of cases) {
    const [published, other] = [control(more), control({ ...more, drawn: 2 })];
    const place = more.place ?? 0x500718;
    const log = asSegment(segment(record(published), place));
    assert.equal(start(published, log, { ...reinstalled, [CONTROL]: asFile(other) }), BOTH, name);
  }
});

test('a control file that has something replayed, or other settings', () => {
  const attacks: Record<string, Change> = {
    'in production': (bytes) => bytes.writeUInt32LE(6, 16),
    'in recovery from an archive': (bytes) => bytes.writeUInt32LE(5, 16),
    'the checkpoint elsewhere': (bytes) => bytes.writeBigUInt64LE(0x1400000n, 32),
    'checkpoint and beginning elsewhere': (bytes) => [32, 40].map((at) => bytes.writeBigUInt64LE(0x1400000n, at)),
    'a beginning before the checkpoint': (bytes) => bytes.writeBigUInt64LE(0x1400000n, 40),
    'another timeline': (bytes) => bytes.writeUInt32LE(2, 48),
    'a next transaction of its own': (bytes) => bytes.writeUInt32LE(3, 64),
    'a place to recover to': (bytes) => bytes.writeUInt32LE(1, 136),
    'a backup begun': (bytes) => bytes.writeUInt32LE(1, 152),
    'another wal_level': (bytes) => bytes.writeUInt32LE(0, 172),
    'more connections': (bytes) => bytes.writeUInt32LE(101, 180),
    'checksums of pages': (bytes) => bytes.writeUInt32LE(1, 252),
    'another size of segments': (bytes) => bytes.writeUInt32LE(2 ** 20, 228),
    'bytes behind it all': (bytes) => bytes.write('evil', 300),
  };
  for (const [name, change] of Object.entries(attacks)) {
    const given = control({ change });
    assert.equal(start(given, asSegment(segment(record(given)))), 'none none', name);
  }
  const given = control();
  const log = asSegment(segment(record(given)));
  const damaged = Object.assign(Buffer.from(given), { 288: given[288]! ^ 1 });
  assert.equal(start(damaged, log), 'none none', 'another sum');
  assert.equal(start(given.subarray(0, 4096), log), 'none none', 'a short file');
  const inProduction: Change = (bytes) => bytes.writeUInt32LE(6, 16);
  const running = { ...reinstalled, [CONTROL]: asFile(control({ drawn: 2, change: inProduction })) };
  assert.equal(start(control({ change: inProduction }), log, running), 'none none', 'not shut down on either side');
  const unknown = { ...reinstalled, [CONTROL]: asFile(control({ drawn: 2, version: 1800 })) };
  assert.equal(start(control({ version: 1800 }), log, unknown), 'none none', 'a layout that is not known');
});

test('a log that holds anything else than the end of a clean shutdown', () => {
  const given = control();
  const honest = segment(record(given));
  const changed = (at: number, text: string): Buffer => {
    const bytes = Buffer.from(honest);
    bytes.write(text, at, 'latin1');
    return bytes;
  };
  const attacks: Record<string, Buffer> = {
    'a record behind the checkpoint': changed(0x500790, 'evil'),
    'a byte right behind it': changed(0x500718 + 114, '\x01'),
    'a record far behind it': changed(SEGMENT_BYTES - 4, 'evil'),
    'another sum': changed(0x500718 + 20, '\x00\x00\x00\x00'),
    'no record': segment(Buffer.alloc(114)),
    'nothing at all': Buffer.alloc(SEGMENT_BYTES),
    'a record somewhere else': segment(record(given), 0x500728),
    'a beginning before the checkpoint': segment(record(given, (bytes) => bytes.writeBigUInt64LE(0x1400000n, 26))),
    'a checkpoint of a running server': segment(record(given, (bytes) => bytes.writeUInt8(0x10, 16))),
    'a record of another kind': segment(record(given, (bytes) => bytes.writeUInt8(10, 17))),
    'another length': segment(record(given, (bytes) => bytes.writeUInt32LE(113, 0))),
    'a head of another form': segment(record(given, (bytes) => bytes.writeUInt8(0xfe, 24))),
    'another next transaction': segment(record(given, (bytes) => bytes.writeUInt32LE(3, 50))),
    'a short file': honest.subarray(0, 0x600000),
  };
  for (const [name, bytes] of Object.entries(attacks)) assert.equal(start(given, asSegment(bytes)), 'postgres-cluster none', name);
  assert.equal(start(given, asFile(honest)), 'postgres-cluster none', 'nobody has seen how it ends');
  for (const name of ['000000010000000000000002', '000000020000000000000001', '000000010000000100000001']) {
    const path = `${CLUSTER}/pg_wal/${name}`;
    const other = { ...reinstalled, [path]: asFile(honest) };
    assert.equal(start(given, asSegment(honest, path), other, path), 'postgres-cluster none', `a segment ${name}`);
  }
  const files = { '/etc/passwd': PASSWD };
  assert.equal(form(SEGMENT, asSegment(honest), files, reinstalled), 'none', 'no control file');
});

test('statistics by size and format; owner, mode and every other file as they are', () => {
  const statistics = (text: string, facts: object = {}): string =>
    form(STATISTICS, { bytes: Buffer.from(text, 'latin1'), ...owned, ...facts }, { '/etc/passwd': PASSWD }, reinstalled);
  assert.equal(statistics('\xa7\xbc\xa5\x01 others'), 'postgres-cluster');
  assert.equal(statistics('\xa8\xbc\xa5\x01 others'), 'none', 'another format');
  assert.equal(statistics('\xa7\xbc\xa5\x01 many more'), 'none', 'another size');
  assert.equal(statistics('\xa7\xbc\xa5\x01 others', { mode: 0o640 }), 'none');
  assert.equal(statistics('\xa7\xbc\xa5\x01 others', { uid: 0 }), 'none');
  const access = `${CLUSTER}/pg_hba.conf`;
  assert.equal(form(access, asFile(Buffer.from('a')), {}, { [access]: asFile(Buffer.from('b')) }), 'none', 'what decides who may log in');
});

test('what the rule reads is kept when a layer is read, and sums are those of RFC 3720', () => {
  assert.ok(wantsContent(CONTROL, 8192) && wantsContent(STATISTICS, 71_327));
  assert.ok(!wantsContent(SEGMENT, SEGMENT_BYTES) && !wantsContent(STATISTICS, 300_000));
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  assert.equal(crc32c(Buffer.from('1234'), Buffer.from('56789')), 0xe3069283);
});
