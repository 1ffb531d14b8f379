/** Reading the documents that a verdict was made from. All of them are immutable and named by their digest. */
import { StringDecoder } from 'node:string_decoder';
import type { Digest } from '../src/model/digest.ts';
import type { Explanation } from '../src/model/explanation.ts';
import type { Inventory, LayerSummary } from '../src/model/inventory.ts';
import { canonicalJson } from '../src/model/json.ts';
import type { Rebuild } from '../src/model/rebuild.ts';
import type { Statement } from '../src/model/statement.ts';
import type { VerdictRecord } from '../src/model/verification.ts';
import { Problem } from '../src/problem.ts';
import type { Blobs } from '../src/ports.ts';

// A line of an account is a few hundred bytes; a path is at most 4096 bytes, each escaped as four characters.
const LINE_CHARACTERS_MAX = 1024 * 1024;
// The inventory of an image with a million files; parsed once for each image, see `layersOf`.
const INVENTORY_BYTES_MAX = 512 * 1024 * 1024;

export type Page<T> = { items: T[]; next?: string };

/**
 * Up to `limit` lines of an NDJSON blob for which `keep` gives a value. The cursor is the number of the line to begin with:
 * the blob never changes, so a cursor stays valid for ever.
 */
export async function pageOfLines<T>(
  blobs: Blobs,
  digest: Digest,
  { cursor, limit }: { cursor: string | undefined; limit: number },
  keep: (line: string) => T | undefined,
): Promise<Page<T>> {
  const start = cursor === undefined ? 0 : /^\d{1,12}$/.test(cursor) ? Number(cursor) : NaN;
  if (Number.isNaN(start)) throw new Problem('invalid-request', 'querystring/cursor: is no cursor of this list');
  const items: T[] = [];
  let number = 0;
  for await (const line of linesOf(blobs, digest)) {
    if (number >= start) {
      const item = keep(line);
      if (item !== undefined && items.length === limit) return { items, next: String(number) };
      if (item !== undefined) items.push(item);
    }
    number += 1;
  }
  return { items };
}

/** The lines of an NDJSON blob. */
export async function* linesOf(blobs: Blobs, digest: Digest): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of await blobs.open(digest)) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARACTERS_MAX) throw new Problem('too-large', `a line of ${digest} is too long`);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** The statement of a record; we wrote it, and its bytes are what was signed. */
export function statementOf(record: VerdictRecord): Statement {
  return JSON.parse(Buffer.from(record.statement).toString('utf8')) as Statement;
}

export async function rebuildOf(blobs: Blobs, statement: Statement): Promise<Rebuild | undefined> {
  const digest = statement.predicate.byproducts.rebuild;
  return digest === undefined ? undefined : (JSON.parse((await blobs.read(digest)).toString('utf8')) as Rebuild);
}

/** Regular files and their bytes. */
export type Amount = { files: number; bytes: number };

/** A layer, and what it does to those below it: files that it puts others in the place of, and files that it takes away. */
export type LayerStory = LayerSummary & { replaces: Amount; deletes: Amount };

/** Bytes. What an explanation holds is bounded where it is made. */
const EXPLANATION_BYTES_MAX = 1024 * 1024;

/** With how long its JSON is. */
export async function readExplanation(blobs: Blobs, document: Digest): Promise<{ explanation: Explanation; characters: number }> {
  const text = (await blobs.read(document, EXPLANATION_BYTES_MAX)).toString('utf8');
  return { explanation: JSON.parse(text) as Explanation, characters: text.length };
}

/** The layers alone, out of an inventory that can be a hundred megabytes: extracted once and kept as a document of its own. */
export async function layersOf(blobs: Blobs, inventory: Digest): Promise<LayerStory[]> {
  const name = `layers/v2/${inventory}`;
  const known = await blobs.resolve(name);
  if (known !== undefined) return JSON.parse((await blobs.read(known)).toString('utf8')) as LayerStory[];
  const layers = storiesOf(JSON.parse((await blobs.read(inventory, INVENTORY_BYTES_MAX)).toString('utf8')) as Inventory);
  const { digest } = await blobs.put(oneChunk(Buffer.from(canonicalJson(layers))));
  await blobs.link(name, digest);
  return layers;
}

function storiesOf({ layers, hidden }: Inventory): LayerStory[] {
  const stories = layers.map((layer): LayerStory => ({ ...layer, replaces: { files: 0, bytes: 0 }, deletes: { files: 0, bytes: 0 } }));
  for (const { kind, size, hiddenBy, how } of hidden) {
    const amount = stories[hiddenBy]?.[how === 'replaced' ? 'replaces' : 'deletes'];
    if (kind !== 'file' || amount === undefined) continue;
    amount.files += 1;
    amount.bytes += size;
  }
  return stories;
}

export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
