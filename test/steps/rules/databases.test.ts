/** Databases that maintainer scripts make: what is drawn in them, and the attack that each rule does not excuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantsContent } from '../../../src/steps/wants-content.ts';
import type { FileSpec } from '../../support/packaged-image.ts';
import { regenerated } from '../../support/rules.ts';

const generated = (path: string, published: FileSpec, reinstalled: FileSpec): string =>
  regenerated(path, { [path]: published }, { [path]: reinstalled });

/** As newaliases of Debian 12 writes it, to the byte. */
function aliases(time: string, name: string, id: string, pairs: [key: string, value: string][] = [['postmaster\0', 'root\0']]): Buffer {
  const [meta, items, last] = [Buffer.alloc(4096), Buffer.alloc(4096), Buffer.alloc(4096)];
  const head = ['00000000010000000000000061150600', '09000000001000000008000000000000', '02000000000000000000000000000000', '00000000']; // prettier-ignore
  Buffer.from(`${head.join('')}${id}0100000001000000`, 'hex').copy(meta);
  Buffer.from('04100000d18d685e0100000001000000', 'hex').copy(meta, 88);
  Buffer.from('0000000001000000010000000000000000000000', 'hex').copy(items);
  const all = [['@\0', '@\0'], ['YP_LAST_MODIFIED', time], ['YP_MASTER_NAME', name], ...pairs].flat();
  let at = 4096;
  for (const [index, item] of all.entries()) {
    at -= item.length + 1;
    items.write(`\u0001${item}`, at, 'latin1');
    items.writeUInt16LE(at, 26 + index * 2);
  }
  items.writeUInt16LE(all.length, 20);
  items.writeUInt16LE(at, 22);
  items[25] = 13;
  meta.copy(last, 32, 32);
  Buffer.from('00000000010000000200000000000000000000000000001000', 'hex').copy(last);
  last[25] = 13;
  last[88] = 0;
  return Buffer.concat([meta, items, last]);
}

test('the database of aliases: another time, machine and file, and the same aliases', () => {
  const id = 'a688ba00400000008249672bd20a000000000000';
  const made = aliases('1795559097', 'localhost', '3640b9002a000000430f5cb5ce0a000000000000');
  const db = (bytes: Buffer): string => generated('/etc/aliases.db', { bytes }, { bytes: made });
  assert.equal(db(aliases('1795559437', 'e20fffde1430', id)), 'aliases-db');
  const changed = (at: number, text: string): Buffer => {
    const bytes = aliases('1795559437', 'e20fffde1430', id);
    bytes.write(text, at, 'latin1');
    return bytes;
  };
  const attacks: Record<string, Buffer> = {
    'another recipient': aliases('1795559437', 'e20fffde1430', id, [['postmaster\0', 'evil\0']]),
    'a program': aliases('1795559437', 'e20fffde1430', id, [['postmaster\0', '|/tmp/evil\0']]),
    'an alias more': aliases('1795559437', 'e20fffde1430', id, [['postmaster\0', 'root\0'], ['eve\0', 'root\0']]), // prettier-ignore
    'an alias less': aliases('1795559437', 'e20fffde1430', id, []),
    'a name of the Internet': aliases('1795559437', 'mail.example.org', id),
    'no time': aliases('evil', 'e20fffde1430', id),
    'bytes between the items': changed(4096 + 1000, 'evil'),
    'bytes in the metadata': changed(200, 'evil'),
    'bytes in the last page': changed(8192 + 2000, 'evil'),
    'another index': changed(4096 + 26, '\xff\xff'),
    'a giant number of items': changed(4096 + 20, '\xfe\xff'),
    'more behind': Buffer.concat([aliases('1795559437', 'e20fffde1430', id), Buffer.alloc(4096)]),
    empty: Buffer.alloc(0),
    zeros: Buffer.alloc(3 * 4096),
  };
  for (const [name, bytes] of Object.entries(attacks)) assert.equal(db(bytes), 'none', name);
});

const FOLDER = '/var/lib/mysql/mysql';
const UUIDS = ['ad75ccebe85511f1899602fc00000001', '756efa45e85611f1857802fc00000001'] as const;

/** The head of `db.MAI` of Debian 12, and an index of its own behind it. */
function index(time: number, uuid: string, key = 'key'): Buffer {
  const bytes = Buffer.alloc(8192);
  Buffer.from('fefe09030802040000d70087011f0004000002000000030300000100010000102000000100001020000001000010200000000000', 'hex').copy(bytes); // prettier-ignore
  bytes.fill(0xff, 0x99, 0xb3);
  bytes.writeUInt32BE(time, 187);
  bytes[198] = 3;
  bytes.writeUInt32BE(time, 203);
  Buffer.from(uuid, 'hex').copy(bytes, 287);
  bytes.write(key, 4096);
  return bytes;
}

function table(uuid: string, columns = 'Host User'): Buffer {
  const bytes = Buffer.alloc(600);
  Buffer.from('fe010a0c12005600', 'hex').copy(bytes);
  Buffer.from(`0010${uuid}`, 'hex').copy(bytes, 64);
  bytes.write(columns, 300);
  return bytes;
}

const view = (time: string, query = 'select 1', definer = 'mariadb.sys'): string =>
  `TYPE=VIEW\nquery=${query}\ndefiner_user=${definer}\nsuid=0\ntimestamp=${time}\ncreate-version=2\n`;

test('the tables of a fresh MariaDB: its UUIDs and times, and every other byte of what they are', () => {
  const mode = 0o660;
  const same = (name: string, published: FileSpec, reinstalled: FileSpec): string =>
    generated(`${FOLDER}/${name}`, { mode, ...(published as object) }, { mode, ...(reinstalled as object) });
  const made = { bytes: index(1795559010, UUIDS[0]) };
  assert.equal(same('db.MAI', { bytes: index(1795559346, UUIDS[1]) }, made), 'mariadb-tables');
  assert.equal(same('db.frm', { bytes: table(UUIDS[1]) }, { bytes: table(UUIDS[0]) }), 'mariadb-tables');
  assert.equal(same('user.frm', { text: view('0001795559010874634') }, { text: view('0001795559346722647') }), 'mariadb-tables');

  const changed = (at: number, text: string): FileSpec => {
    const bytes = index(1795559346, UUIDS[1]);
    bytes.write(text, at, 'latin1');
    return { bytes };
  };
  const attacks: [name: string, path: string, published: FileSpec, reinstalled: FileSpec][] = [
    ['another key in an index', 'db.MAI', { bytes: index(1795559346, UUIDS[1], 'evil') }, made],
    ['no time where one is noted', 'db.MAI', { bytes: index(5, UUIDS[1]) }, made],
    ['a time where none is noted', 'db.MAI', changed(240, '\x00\x00\x00\x00kkkk'), made],
    ['another length of the state', 'db.MAI', changed(9, 'x'), made],
    ['another place of the UUID', 'db.MAI', changed(12, '\x10'), made],
    ['bytes behind the UUID', 'db.MAI', changed(303, 'evil'), made],
    ['more behind', 'db.MAI', { bytes: Buffer.concat([index(1795559346, UUIDS[1]), Buffer.of(0)]) }, made],
    ['a short file', 'db.MAI', { bytes: Buffer.alloc(20) }, { bytes: Buffer.alloc(20) }],
    ['other columns', 'db.frm', { bytes: table(UUIDS[1], 'evil') }, { bytes: table(UUIDS[0]) }],
    ['another query of a view', 'user.frm', { text: view('0001795559010874634', 'select 2') }, { text: view('0001795559346722647') }],
    ['another definer of a view', 'user.frm', { text: view('0001795559010874634', 'select 1', 'root') }, { text: view('0001795559346722647') }],
    ['a line more in a view', 'user.frm', { text: `${view('0001795559010874634')}timestamp=0001795559010874634\n` }, { text: view('0001795559346722647') }],
    ['no time in a view', 'user.frm', { text: view('evil') }, { text: view('0001795559346722647') }],
    ['rows of accounts', 'global_priv.MAD', { text: 'evil' }, { text: 'rows' }],
    ['a log that is replayed', '../aria_log.00000001', { text: 'evil' }, { text: 'log' }],
    ['a table of somebody else', '../app/x.frm', { bytes: table(UUIDS[1]) }, { bytes: table(UUIDS[0]) }],
  ]; // prettier-ignore
  for (const [name, path, published, reinstalled] of attacks) assert.equal(same(path, published, reinstalled), 'none', name);
  assert.equal(same('db.frm', { bytes: table(UUIDS[1]), mode: 0o666 }, { bytes: table(UUIDS[0]), mode: 0o666 }), 'none', 'open to all');
});

test('what these rules read is kept when a layer is read', () => {
  for (const path of ['/etc/aliases.db', `${FOLDER}/db.MAI`, `${FOLDER}/db.frm`]) assert.ok(wantsContent(path, 65_536), path);
  for (const path of [`${FOLDER}/db.MAD`, '/var/lib/mysql/ibdata1', '/var/lib/mysql/app/x.frm']) assert.ok(!wantsContent(path, 100), path);
});
