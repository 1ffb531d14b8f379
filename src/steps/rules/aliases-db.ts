import { HOST_LABEL } from './host-name.ts';
import { alwaysAt, type Rule, type Side } from './rule.ts';

// Berkeley DB 5.3, db_page.h, as it is written on machines with the lowest byte first: a page of metadata, one of items, an empty one.
const PAGE_BYTES = 4096;
const HASH_MAGIC = { at: 12, value: 0x061561 };
/** What tells files apart in a cache: inode, device, time, a number. */
const FILE_ID = { start: 52, end: 72 };
const ENTRIES_AT = 20;
const LOWEST_ITEM_AT = 22;
const INDEX_AT = 26;

/** `newaliases` notes these beside the aliases themselves: postfix, `src/util/dict_db.c`. */
const DRAWN: ReadonlyMap<string, RegExp> = new Map([
  ['YP_LAST_MODIFIED', /^[0-9]{10}$/],
  ['YP_MASTER_NAME', HOST_LABEL],
]);

/** Keys and values by turns, each with a byte for its type; undefined where the page is none. They lie from its end downwards. */
function itemsOf(page: Buffer): string[] | undefined {
  const count = page.readUInt16LE(ENTRIES_AT);
  if (count % 2 !== 0 || INDEX_AT + count * 2 > PAGE_BYTES) return undefined;
  const items: string[] = [];
  for (let index = 0, end = PAGE_BYTES; index < count; index++) {
    const start = page.readUInt16LE(INDEX_AT + index * 2);
    if (start >= end || start < INDEX_AT + count * 2) return undefined;
    items.push(page.toString('latin1', start, end));
    end = start;
  }
  return items;
}

/** A page with other values in the place of its own. */
function withItems(page: Buffer, items: readonly string[]): Buffer {
  const other = Buffer.from(page);
  let at = PAGE_BYTES;
  other.fill(0, INDEX_AT);
  for (const [index, item] of items.entries()) {
    at -= item.length;
    other.write(item, at, 'latin1');
    other.writeUInt16LE(at, INDEX_AT + index * 2);
  }
  other.writeUInt16LE(at, LOWEST_ITEM_AT);
  return other;
}

/** Whether `item` may stand where the re-installation has `expected`: the same, or a time or name in the place of another. */
function isInPlace(item: string, expected: string, key: string | undefined): boolean {
  return item === expected || (item.startsWith('\u0001') && DRAWN.get(key?.slice(1) ?? '')?.test(item.slice(1)) === true);
}

function regenerates({ bytes: given }: Side, { bytes: made }: Side): boolean {
  if (given === undefined || made?.length !== 3 * PAGE_BYTES || given.length !== made.length) return false;
  const [published, reinstalled] = [Buffer.from(given), Buffer.from(made)];
  if (reinstalled.readUInt32LE(HASH_MAGIC.at) !== HASH_MAGIC.value) return false;
  const page = reinstalled.subarray(PAGE_BYTES, 2 * PAGE_BYTES);
  const items = itemsOf(published.subarray(PAGE_BYTES, 2 * PAGE_BYTES));
  const expected = itemsOf(page);
  if (items === undefined || expected === undefined || items.length !== expected.length) return false;
  // A value stands behind its key.
  if (!items.every((item, index) => isInPlace(item, expected[index] ?? '', index % 2 === 1 ? expected[index - 1] : undefined)))
    return false;
  const id = reinstalled.subarray(FILE_ID.start, FILE_ID.end);
  const stale = reinstalled.subarray(2 * PAGE_BYTES + FILE_ID.start, 2 * PAGE_BYTES + FILE_ID.end);
  // The last page is written out of the memory that the first one was in.
  const whole = Buffer.concat([reinstalled.subarray(0, PAGE_BYTES), withItems(page, items), reinstalled.subarray(2 * PAGE_BYTES)]);
  published.copy(whole, FILE_ID.start, FILE_ID.start, FILE_ID.end);
  if (id.equals(stale)) published.copy(whole, 2 * PAGE_BYTES + FILE_ID.start, FILE_ID.start, FILE_ID.end);
  return whole.equals(published);
}

export const aliasesDb: Rule = {
  name: 'aliases-db',
  version: 1,
  reason:
    "newaliases notes the time and the machine's name beside the aliases, and Berkeley DB an identifier of the file; every alias and every other byte is compared",
  applies: alwaysAt('/etc/aliases.db'),
  regenerates,
};
