import { isPlain, type Rule, type Side, textOf } from './rule.ts';

/** Definitions of tables and views, and the indexes of Aria tables; not the rows, nor the logs that are replayed into them. */
const DEFINITION = /^\/var\/lib\/mysql\/(?:mysql|sys|performance_schema)\/[A-Za-z0-9_@$]+\.(?:frm|MAI)$/;
/** A view's definition is text: microseconds since 1970 in nineteen digits. */
const VIEW_TIME = /^timestamp=[0-9]{19}$/m;
const VIEW = 'TYPE=VIEW\n';

/** MariaDB, `sql/unireg.cc`: the first of the further parts behind the head is the version of the table, a UUID. */
const TABLE_HEAD = Buffer.from([0xfe, 0x01]);
const TABLE_VERSION = { at: 64, head: Buffer.from([0x00, 0x10]), bytes: 16 };

/** MariaDB, `storage/maria/ma_open.c`: head, state with the times of creation and check, then at `base` the UUID of whoever made the file. */
const INDEX_HEAD = Buffer.from([0xfe, 0xfe, 0x09]);
const STATE_AT = 24;
const BASE_AT = 12;
const UUID_BYTES = 16;
const TIME_BYTES = 8;
/** Seconds since 1970, as 64 bits with the highest byte first: from 2015 to 2100. */
const TIME = { from: 1_420_070_400, to: 4_102_444_800 };

function isTime(bytes: Buffer, at: number): boolean {
  const seconds = bytes.readUInt32BE(at + 4);
  return bytes.readUInt32BE(at) === 0 && seconds >= TIME.from && seconds < TIME.to;
}

type Drawn = { at: number; bytes: number; isTime: boolean };

/** Where the server has drawn or noted something, by the file that the packages make; undefined for what is of no such form. */
function drawnIn(bytes: Buffer, path: string): Drawn[] | undefined {
  if (path.endsWith('.frm')) {
    const { at, head, bytes: length } = TABLE_VERSION;
    const isTable = bytes.subarray(0, 2).equals(TABLE_HEAD) && bytes.subarray(at, at + head.length).equals(head);
    return isTable ? [{ at: at + head.length, bytes: length, isTime: false }] : undefined;
  }
  if (!bytes.subarray(0, 3).equals(INDEX_HEAD) || bytes.length < STATE_AT) return undefined;
  const base = bytes.readUInt16BE(BASE_AT);
  if (base + UUID_BYTES > bytes.length) return undefined;
  const drawn: Drawn[] = [{ at: base, bytes: UUID_BYTES, isTime: false }];
  for (let at = STATE_AT; at + TIME_BYTES <= base; at++) if (isTime(bytes, at)) drawn.push({ at, bytes: TIME_BYTES, isTime: true });
  return drawn;
}

function regenerates(published: Side, reinstalled: Side): boolean {
  if (published.bytes === undefined || reinstalled.bytes === undefined) return false;
  const view = textOf(reinstalled);
  if (view?.startsWith(VIEW) === true) {
    const text = textOf(published);
    return text !== undefined && VIEW_TIME.test(text) && text.replace(VIEW_TIME, '') === view.replace(VIEW_TIME, '');
  }
  const [given, made] = [Buffer.from(published.bytes), Buffer.from(reinstalled.bytes)];
  const drawn = given.length === made.length ? drawnIn(made, published.facts.path) : undefined;
  if (drawn === undefined) return false;
  for (const { at, bytes, isTime: isNoted } of drawn) {
    if (isNoted && !isTime(given, at)) return false;
    made.copy(given, at, at, at + bytes);
  }
  return given.equals(made);
}

export const mariadbTables: Rule = {
  name: 'mariadb-tables',
  version: 1,
  reason:
    'mariadb-install-db draws a UUID for each table and notes when it was made; every other byte of definitions and indexes is compared. Rows and logs are not excused',
  applies: (path) => DEFINITION.test(path),
  // The server gives its files to its group as well, which has no other members than the server.
  admits: (facts) => facts.mode === 0o660 && isPlain({ ...facts, mode: 0o640 }),
  regenerates,
};
