import { type Digest, isDigest } from '../model/digest.ts';
import type { Contents, LayerScan } from '../model/inventory.ts';
import { canonicalJson, canonicalJsonPieces } from '../model/json.ts';
import type { Blobs } from '../ports.ts';

// 100,000 files give an inventory of some 40 MB; a document of our own beyond this is a fault.
const DOCUMENT_BYTES_MAX = 512 * 1024 * 1024;

/** Stores a document as canonical JSON, so that equal documents have one digest. */
export async function putDocument(blobs: Blobs, document: unknown): Promise<Digest> {
  return (await blobs.put(bytesOf(canonicalJsonPieces(document)))).digest;
}

function* bytesOf(pieces: Iterable<string>): Generator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** One JSON value a line: what is read in pages. */
export async function putLines(blobs: Blobs, values: readonly unknown[]): Promise<Digest> {
  async function* lines(): AsyncGenerator<Uint8Array> {
    const PAGE = 1000; // values a chunk: few writes, little memory
    for (let start = 0; start < values.length; start += PAGE) {
      yield Buffer.from(
        values
          .slice(start, start + PAGE)
          .map((value) => canonicalJson(value) + '\n')
          .join(''),
      );
    }
  }
  return (await blobs.put(lines())).digest;
}

/** Values that {@link putLines} stored. */
export async function getLines<T>(blobs: Blobs, digest: Digest): Promise<T[]> {
  const text = (await blobs.read(digest, DOCUMENT_BYTES_MAX)).toString('utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

/** A document that this instance wrote; its shape is that of the version of the code named in its cache key or job. */
export async function getDocument<T>(blobs: Blobs, digest: Digest): Promise<T> {
  return JSON.parse((await blobs.read(digest, DOCUMENT_BYTES_MAX)).toString('utf8')) as T;
}

/** What is being made in this process. */
const underway = new WeakMap<Blobs, Map<string, Promise<Digest>>>();

/** Work done once for a name: what the name points to, else what `make` stores. Jobs that want the same at the same time share it. */
export async function once(blobs: Blobs, name: string, make: () => Promise<Digest>): Promise<Digest> {
  const works = underway.get(blobs) ?? new Map<string, Promise<Digest>>();
  underway.set(blobs, works);
  const other = works.get(name);
  if (other !== undefined) return other;
  const work = (async () => {
    const known = await blobs.resolve(name);
    if (known !== undefined) return known;
    const made = await make();
    await blobs.link(name, made);
    return made;
  })();
  works.set(name, work);
  try {
    return await work;
  } finally {
    works.delete(name);
  }
}

/** Writes the contents that a scan kept and returns the scan with their digest. */
export async function putScan(blobs: Blobs, scanned: { scan: LayerScan; contents: Map<Digest, Uint8Array> }): Promise<LayerScan> {
  if (scanned.contents.size === 0) return scanned.scan;
  const lines = [...scanned.contents].map(([digest, bytes]) => ({ digest, base64: Buffer.from(bytes).toString('base64') }));
  return { ...scanned.scan, contents: await putLines(blobs, lines) };
}

/** The contents kept of all layers of one image. */
export async function getContents(blobs: Blobs, packs: readonly Digest[]): Promise<Contents> {
  const contents = new Map<Digest, Uint8Array>();
  for (const pack of packs) {
    for (const line of (await blobs.read(pack, DOCUMENT_BYTES_MAX)).toString('utf8').split('\n')) {
      if (line === '') continue;
      const { digest, base64 } = JSON.parse(line) as { digest: string; base64: string };
      if (isDigest(digest)) contents.set(digest, Buffer.from(base64, 'base64'));
    }
  }
  return contents;
}
