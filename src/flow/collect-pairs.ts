import type { Readable } from 'node:stream';
import type { Digest } from '../model/digest.ts';
import type { Contents, Entry, Inventory } from '../model/inventory.ts';
import type { Descriptor } from '../model/oci.ts';
import type { Path } from '../model/path.ts';
import type { ScanLayer } from '../ports.ts';
import type { Scratch } from '../ports-explain.ts';
import type { Pair } from '../steps/explain/choose.ts';

/** Bytes of one file that is looked into; programs of Go and their like are larger, and only told to differ. */
export const FILE_BYTES_MAX = 24 * 1024 ** 2;
/** Bytes of all of them, both sides together: held on disk until the second build is over. */
const ALL_BYTES_MAX = 120 * 1024 ** 2;
/** Files; some are explained, and which is known after the second build. */
const FILES_MAX = 96;
/** Bytes, as stored, of the layers that are read again for it. */
const LAYERS_BYTES_MAX = 1024 ** 3;

/** Where the bytes of files lie, by their digest, and how many files are left out for what reason. */
export type Collected = { files: Map<Digest, string>; left: Map<string, number> };

export const NOT_THERE = 'the rebuild was made earlier, and its files are not there any more';

/** One image of which files are wanted: the contents that rules look into are kept anyway. `open` gives nothing where a layer is gone. */
export type Side = {
  inventory: Inventory;
  contents: Contents;
  open(index: number): Promise<{ layer: Descriptor; bytes: Readable } | undefined>;
};

/** Writes both sides of the first of these pairs into the scratch folder, as far as the bounds allow. */
export async function collectPairs(
  ports: { scanLayer: ScanLayer; scratch: Scratch },
  pairs: readonly Pair[],
  published: Side,
  rebuilt: Side,
): Promise<Collected> {
  const left = new Map<string, number>();
  const leave = (reason: string): void => void left.set(reason, (left.get(reason) ?? 0) + 1);
  const chosen: Pair[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const size = pair.published.size + pair.rebuilt.size;
    if (Math.max(pair.published.size, pair.rebuilt.size) > FILE_BYTES_MAX) leave(`larger than ${FILE_BYTES_MAX / 1024 ** 2} MiB`);
    else if (chosen.length >= FILES_MAX || bytes + size > ALL_BYTES_MAX) leave('graver ones come first');
    else {
      chosen.push(pair);
      bytes += size;
    }
  }
  const files = new Map<Digest, string>();
  // The rebuilt side first: where it is gone, the published one need not be read again.
  const gone = await collectSide(ports, files, rebuilt, chosen.map((pair) => pair.rebuilt)); // prettier-ignore
  const both = chosen.filter((pair) => files.has(pair.rebuilt.digest));
  await collectSide(ports, files, published, both.map((pair) => pair.published)); // prettier-ignore
  for (const pair of chosen)
    if (!files.has(pair.rebuilt.digest) || !files.has(pair.published.digest))
      leave(gone.has(pair.rebuilt.layer) ? NOT_THERE : 'in a layer that is too large to be read once more');
  return { files, left };
}

/** Tells the layers that are gone. */
async function collectSide(
  { scanLayer, scratch }: { scanLayer: ScanLayer; scratch: Scratch },
  files: Map<Digest, string>,
  { contents, inventory, open }: Side,
  entries: readonly (Entry & { digest: Digest })[],
): Promise<ReadonlySet<number>> {
  const gone = new Set<number>();
  const missing = new Map<number, (Entry & { digest: Digest })[]>();
  for (const entry of entries) {
    if (files.has(entry.digest)) continue;
    const kept = contents.get(entry.digest);
    if (kept !== undefined) files.set(entry.digest, await scratch.put(kept));
    else missing.set(entry.layer, [...(missing.get(entry.layer) ?? []), entry]);
  }
  let read = 0;
  for (const [index, wanted] of [...missing].sort(([a], [b]) => a - b)) {
    read += inventory.layers[index]?.size ?? 0;
    if (read > LAYERS_BYTES_MAX) break;
    const opened = await open(index);
    if (opened === undefined) {
      gone.add(index);
      continue;
    }
    const digests = new Set(wanted.map(({ digest }) => digest));
    // The bytes of hard links stand at the first of their names.
    const sizes = new Map<Path, number>(wanted.flatMap(({ path, linkGroup = path, size: bytes }) => [[path, bytes], [linkGroup, bytes]])); // prettier-ignore
    // A layer can hold one path many times.
    let room = wanted.reduce((sum, entry) => sum + entry.size, 0);
    const wants = (path: Path, bytes: number): boolean => sizes.get(path) === bytes && (room -= bytes) >= 0;
    const { mediaType, digest, size } = opened.layer;
    const scanned = await scanLayer(opened.bytes, { mediaType, digest, size }, wants);
    for (const [found, bytes] of scanned.contents) if (digests.has(found) && !files.has(found)) files.set(found, await scratch.put(bytes));
  }
  return gone;
}
