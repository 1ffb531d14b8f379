/** What archives amount to without their times: equal where only a time differs, and never where anything else does. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import { makeUndate } from '../../../src/adapters/layers/undated.ts';
import { TestRepository } from '../../support/repository.ts';
import { inPieces, member, tar } from '../../support/tar.ts';
import { zip, type ZipFile } from '../../support/zip.ts';

function undated(name: string, bytes: Buffer, piece = bytes.length): string | undefined {
  const undater = makeUndate()(name, bytes.length);
  for (let at = 0; at < bytes.length; at += piece) undater?.data(Buffer.from(bytes.subarray(at, at + piece)));
  return undater?.end();
}

const utf = (text: string): Buffer => Buffer.from(text);
const jar = (...files: ZipFile[]): string | undefined => undated('a.jar', zip(files));
const ut = (time: number, length = 5): Buffer => Buffer.concat([Buffer.from([0x55, 0x54, length, 0, 3]), Buffer.alloc(length - 1, time)]);

test('gzip: all but the time in the header', () => {
  const at = (time: number, text = 'notes', change?: [number, number]): Buffer => {
    const bytes = gzipSync(text);
    bytes.writeUInt32LE(time, 4);
    if (change !== undefined) bytes[change[0]] = change[1];
    return bytes;
  };
  const one = undated('a.gz', at(1));
  assert.match(one ?? '', /^gzip sha256:[0-9a-f]{64}$/);
  for (const piece of [1, 3, 9, 10, 11]) assert.equal(undated('a.gz', at(2), piece), one, `in pieces of ${piece}`);
  assert.equal(undated('a.gz', at(0)), undefined, 'nothing to leave out');
  assert.notEqual(undated('a.gz', at(2, 'other')), one);
  assert.notEqual(undated('a.gz', at(2, 'notes', [9, 7])), one, 'another operating system');
  assert.notEqual(undated('a.gz', Buffer.concat([at(2), utf('evil')])), one, 'bytes behind it');
  assert.notEqual(undated('a.gz', Buffer.concat([at(2), gzipSync('evil')])), one, 'a second member');
  assert.equal(undated('a.gz', utf('#!/bin/sh\nevil\n')), undefined);
  assert.equal(undated('a.sh', at(1)), undefined);
});

test('ar: all but the dates of members, of an archive that dpkg-deb wrote as of others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-ar-'));
  try {
    mkdirSync(join(folder, 'p/DEBIAN'), { recursive: true });
    writeFileSync(
      join(folder, 'p/DEBIAN/control'),
      'Package: p\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: x\n',
    );
    const build = (time: string): Buffer => {
      execFileSync('dpkg-deb', ['--build', 'p', 'p.deb'], {
        cwd: folder,
        env: { ...process.env, SOURCE_DATE_EPOCH: time },
        stdio: 'ignore',
      });
      return readFileSync(join(folder, 'p.deb'));
    };
    // Members themselves hold no time later than the epoch, so that their bytes are the same.
    for (const path of ['p/DEBIAN/control', 'p/DEBIAN', 'p']) utimesSync(join(folder, path), 1_000, 1_000);
    const [one, other] = [build('1700000000'), build('1700000999')];
    assert.notDeepEqual(one, other);
    assert.match(undated('a.a', one) ?? '', /^ar sha256:/);
    for (const piece of [1, 7, 60, 1000]) assert.equal(undated('a.a', other, piece), undated('a.a', one), `in pieces of ${piece}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  type ArFile = { name?: string; date?: number | string; uid?: number; mode?: string; content?: string };
  const ar = (files: ArFile[], behind = ''): Buffer => {
    const headers = files.map(
      ({ name = 'x.o/', date = 0, uid = 0, mode = '100644', content = 'code' }) =>
      [name.padEnd(16), String(date).padEnd(12), String(uid).padEnd(6), '0'.padEnd(6), mode.padEnd(8), String(content.length).padEnd(10), '`\n', content, content.length % 2 === 1 ? '\n' : ''].join(''), // prettier-ignore
    );
    return utf(`!<arch>\n${headers.join('')}${behind}`);
  };
  const lib = (...args: Parameters<typeof ar>): string | undefined => undated('libx.a', ar(...args));
  const good = lib([{ date: 1 }, { name: 'y.o/', date: 2, content: 'odd' }]);
  assert.equal(lib([{ date: 9 }, { name: 'y.o/', date: 8, content: 'odd' }]), good);
  assert.equal(lib([{}, { name: 'y.o/', content: 'odd' }]), undefined, 'nothing to leave out');
  const attacks: [string, string | undefined][] = [
    [
      'bytes',
      lib([
        { date: 1, content: 'evil' },
        { name: 'y.o/', date: 2, content: 'odd' },
      ]),
    ],
    [
      'a name',
      lib([
        { date: 1, name: 'z.o/' },
        { name: 'y.o/', date: 2, content: 'odd' },
      ]),
    ],
    [
      'a mode',
      lib([
        { date: 1, mode: '100755' },
        { name: 'y.o/', date: 2, content: 'odd' },
      ]),
    ],
    [
      'an owner',
      lib([
        { date: 1, uid: 5 },
        { name: 'y.o/', date: 2, content: 'odd' },
      ]),
    ],
    ['an order', lib([{ name: 'y.o/', date: 2, content: 'odd' }, { date: 1 }])],
    ['a member more', lib([{ date: 1 }, { name: 'y.o/', date: 2, content: 'odd' }, { date: 3 }])],
    ['words for a date', lib([{ date: 'evil' }, { name: 'y.o/', date: 2, content: 'odd' }])],
    ['bytes behind it', lib([{ date: 1 }, { name: 'y.o/', date: 2, content: 'odd' }], 'evil')],
  ];
  for (const [what, digest] of attacks) assert.notEqual(digest, good, what);
});

test('zip: members by name, bytes and attributes, in whatever order', () => {
  const a: ZipFile = { name: 'a.class', content: 'code' };
  const b: ZipFile = { name: 'b.txt', content: 'text', stored: true };
  const good = jar(a, b);
  assert.match(good ?? '', /^zip sha256:[0-9a-f]{64}$/);
  assert.equal(jar({ ...b, time: 99 }, { ...a, time: 7 }), good);
  assert.equal(jar({ ...a, stored: true }, b), good, 'packed otherwise');
  assert.equal(jar({ ...a, extra: ut(1) }, b), good);
  const attacks: [string, string | undefined][] = [
    ['bytes', jar({ ...a, content: 'evil' }, b)],
    ['a name', jar({ ...a, name: 'A.class' }, b)],
    ['a mode', jar({ ...a, mode: 0o755 }, b)],
    ['a setuid bit', jar({ ...a, mode: 0o4755 }, b)],
    ['a member more', jar(a, b, { name: 'c' })],
    ['a member less', jar(a)],
    ['a comment', jar({ ...a, comment: 'evil' }, b)],
    ['an extra field', jar({ ...a, extra: Buffer.from([0xfe, 0xca, 1, 0, 7]) }, b)],
    ['room in a time field', jar({ ...a, extra: ut(1, 40) }, b)],
  ];
  for (const [what, digest] of attacks) assert.ok(digest !== undefined && digest !== good, what);
});

test('zip: what two readers could read differently is no archive at all', () => {
  const a: ZipFile = { name: 'a.class', content: 'code '.repeat(50) };
  const cases: [string, Buffer][] = [
    ['a program in front', zip([a], { front: '#!/bin/sh\nevil\n' })],
    ['bytes between', zip([a, { name: 'b' }], { between: 'evil' })],
    ['a comment of the archive', zip([a], { comment: 'evil' })],
    ['bytes behind', zip([a], { behind: 'evil' })],
    ['a name twice', zip([a, { ...a, content: 'evil' }])],
    ['another name before the data', zip([{ ...a, localName: 'A.class' }])],
    ['a wrong checksum', zip([{ ...a, crc: 1 }])],
    ['encryption', zip([{ ...a, flags: 1 }])],
    ['bytes behind a compressed stream', zip([{ ...a, behind: 'evil' }])],
    ['a local header that no directory names', Buffer.concat([zip([a]).subarray(0, 40), zip([a])])],
    ['no archive', utf('PK\x03\x04 and nothing else')],
    ['nothing', Buffer.alloc(0)],
  ];
  for (const [what, bytes] of cases) assert.equal(undated('a.jar', bytes), undefined, what);
  const whole = zip([a]);
  for (let end = 0; end < whole.length; end += 1) assert.equal(undated('a.jar', whole.subarray(0, end)), undefined, `cut at ${end}`);
});

test('zip: a layer unpacks no more than its share', () => {
  const large = zip([{ name: 'a', content: Buffer.alloc(50 * 1024 ** 2) }]);
  const undate = makeUndate();
  const found = Array.from({ length: 24 }, () => {
    const undater = undate('a.jar', large.length);
    undater?.data(large);
    return undater?.end() !== undefined;
  });
  assert.equal(found.indexOf(false), 20, '20 times 50 MiB are within a gigabyte');
  assert.equal(undated('a.jar', zip([{ name: 'a', content: Buffer.alloc(65 * 1024 ** 2) }])), undefined);
});

test('MANIFEST.MF: what tools note of a build, and nothing that Java reads', () => {
  const manifest = (text: string, name = 'META-INF/MANIFEST.MF'): string | undefined => jar({ name, content: text });
  const main = 'Manifest-Version: 1.0\r\nMain-Class: app.Main\r\n';
  const good = manifest(`${main}Built-By: one\r\nBuild-Jdk: 17.0.1\r\n\r\n`);
  assert.equal(manifest(`${main}Built-By: another\r\nBuild-Jdk: 17.0.2\r\n\r\n`), good);
  assert.equal(manifest(`${main}Built-By: a name that goes\r\n  on\r\nBnd-LastModified: 1700000000000\r\n\r\n`), good);
  const attacks: [string, string][] = [
    ['what is started', `${main.replace('app.Main', 'app.Evil')}Built-By: one\r\n\r\n`],
    ['an attribute more', `${main}Class-Path: evil.jar\r\nBuilt-By: one\r\n\r\n`],
    ['an agent', `${main}Launcher-Agent-Class: evil.Agent\r\nBuilt-By: one\r\n\r\n`],
    ['an attribute behind a bare CR', `${main}Built-By: one\rClass-Path: evil.jar\r\n\r\n`],
    ['an attribute that goes on in another', `${main}Class-Path: evil.jar\r\n Built-By: one\r\n\r\n`],
    ['a note twice', `${main}Built-By: one\r\nBuilt-By: two\r\n\r\n`],
    ['much room', `${main}Built-By: ${'x'.repeat(300)}\r\n\r\n`],
    ['bytes that are no text', `${main}Built-By: \u0001\r\n\r\n`],
    ['a section of its own', `${main}\r\nName: app/\r\nBuilt-By: one\r\n\r\n`],
  ];
  for (const [what, text] of attacks) assert.notEqual(manifest(text), good, what);
  assert.notEqual(manifest(`${main}Built-By: one\r\n\r\n`, 'app/MANIFEST.MF'), manifest(`${main}Built-By: two\r\n\r\n`, 'app/MANIFEST.MF'));
  const notes = (text: string): string | undefined => manifest(text, 'META-INF/maven/org.example/app/pom.properties');
  const said = (day: string): string => `#Generated by Maven\n#Mon Jan ${day} 10:00:00 UTC 2026\nversion=1\n`;
  assert.equal(notes(said('05')), notes(said('12')));
  assert.notEqual(notes(said('05')), notes(said('05').replace('version=1', 'version=2')));
  assert.notEqual(notes(said('05')), notes(`#evil\n${said('05')}`));
  const leads = (...names: string[]): string | undefined => jar(...names.map((name) => ({ name, content: name })));
  assert.notEqual(
    leads('META-INF/MANIFEST.MF', 'a', 'b'),
    leads('a', 'b', 'META-INF/MANIFEST.MF'),
    'JarInputStream reads a manifest at the beginning alone',
  );
});

test('real archives: as git writes them at two times', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-zip-'));
  try {
    const repository = new TestRepository(folder);
    const files = { 'a/one': 'one\n', two: { executable: '#!/bin/sh\n' }, link: { symlink: 'two' } };
    // Of a tree: without a commit's id in the comment, and dated now.
    const archive = (commit: string): Buffer => execFileSync('git', ['archive', '--format=zip', `${commit}^{tree}`], { cwd: folder });
    const commit = repository.commit('one', files);
    const one = archive(commit);
    await sleep(1100);
    const other = archive(commit);
    assert.notDeepEqual(one, other);
    assert.match(undated('a.zip', one) ?? '', /^zip sha256:/);
    assert.equal(undated('a.zip', other), undated('a.zip', one));
    const changed = repository.commit('two', { ...files, 'a/one': 'two\n' });
    assert.notEqual(undated('a.zip', archive(changed)), undated('a.zip', one));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a scan of a layer of an image notes it, whatever pieces the bytes come in', async () => {
  const bytes = zip([{ name: 'a', content: 'x'.repeat(10_000), stored: true }]);
  const layer = tar(member({ name: 'a.jar' }, bytes), member({ name: 'b.jar' }, 'no archive'), member({ name: 'c.txt' }, bytes));
  for (const piece of [512, 100_000]) {
    const read = (recognise: boolean) =>
      makeScanLayer()(inPieces(layer, piece), { mediaType: '', ...(recognise && { recognise }) }, () => false);
    const { scan } = await read(true);
    assert.deepEqual(
      scan.entries.map((entry) => (entry.kind === 'file' ? entry.undated : undefined)),
      [undated('a.jar', bytes), undefined, undefined],
    );
    assert.ok((await read(false)).scan.entries.every((entry) => entry.kind !== 'file' || entry.undated === undefined));
  }
});
