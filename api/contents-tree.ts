/** The account of an image as the tree of folders that people think in. */
import type { Digest } from '../src/model/digest.ts';
import { type AccountLine, type Attribution, ATTRIBUTIONS } from '../src/model/verdict.ts';
import type { Blobs } from '../src/ports.ts';
import { linesOf } from './stored.ts';

export type Counts = Record<Attribution, number>;

/** What is not a folder. */
export type Leaf = { name: string; size: number; attribution: Attribution; code: boolean; layer: number };

export type Folder = {
  name: string;
  /** Its own line of the account; absent where the image holds what is in it and not the folder itself. */
  own: Attribution | undefined;
  folders: Map<string, Folder>;
  leaves: Leaf[];
  /** Of everything below, itself included. */
  files: Counts;
  /** Bytes of everything below. */
  bytes: Counts;
};

export const emptyCounts = (): Counts => Object.fromEntries(ATTRIBUTIONS.map((name) => [name, 0])) as Counts;
const emptyFolder = (name: string): Folder => ({
  name,
  own: undefined,
  folders: new Map(),
  leaves: [],
  files: emptyCounts(),
  bytes: emptyCounts(),
});

export const sumOf = (counts: Counts): number => ATTRIBUTIONS.reduce((total, name) => total + counts[name], 0);

/** Trees of the accounts that were looked at last, and how many files each has once it is read. */
const recent = new Map<Digest, { tree: Promise<Folder>; files: number }>();
/** Files of all of these together, at some 200 bytes each; one tree is kept whatever it has. */
const FILES_MAX = 500_000;

/** The tree of an account; kept for those that were asked for last, since a reader goes from folder to folder. */
export function treeOf(blobs: Blobs, account: Digest): Promise<Folder> {
  const known = recent.get(account);
  recent.delete(account);
  const kept = known ?? { tree: readTree(blobs, account), files: 0 };
  recent.set(account, kept);
  if (known === undefined) {
    kept.tree.then(
      (root) => {
        kept.files = sumOf(root.files);
        forgetOldest();
      },
      () => recent.delete(account),
    );
  }
  return kept.tree;
}

function forgetOldest(): void {
  let files = [...recent.values()].reduce((sum, one) => sum + one.files, 0);
  for (const [oldest, one] of recent) {
    if (files <= FILES_MAX || recent.size === 1) return;
    recent.delete(oldest);
    files -= one.files;
  }
}

async function readTree(blobs: Blobs, account: Digest): Promise<Folder> {
  const root = emptyFolder('');
  for await (const line of linesOf(blobs, account)) add(root, JSON.parse(line) as AccountLine);
  return root;
}

function add(root: Folder, { path, kind, size, attribution, code, layer }: AccountLine): void {
  const names = path.split('/').filter((name) => name !== '');
  const count = (folder: Folder): void => {
    folder.files[attribution] += 1;
    folder.bytes[attribution] += size;
  };
  let folder = root;
  count(folder);
  const inside = kind === 'directory' ? names : names.slice(0, -1);
  for (const name of inside) {
    let next = folder.folders.get(name);
    if (next === undefined) folder.folders.set(name, (next = emptyFolder(name)));
    folder = next;
    count(folder);
  }
  if (kind === 'directory') folder.own = attribution;
  else folder.leaves.push({ name: names.at(-1) ?? '', size, attribution, code, layer });
}

/** The folder at a path; undefined where there is none. */
export function folderAt(root: Folder, path: string): Folder | undefined {
  let folder: Folder | undefined = root;
  for (const name of path.split('/').filter((part) => part !== '')) folder = folder?.folders.get(name);
  return folder;
}

/** What the final image shows of each layer but folders, by its accounts; a layer of which nothing is shown is absent. */
export function countsByLayer(root: Folder): Map<number, { files: Counts; bytes: Counts }> {
  const layers = new Map<number, { files: Counts; bytes: Counts }>();
  const visit = ({ folders, leaves }: Folder): void => {
    for (const { layer, size, attribution } of leaves) {
      let counts = layers.get(layer);
      if (counts === undefined) layers.set(layer, (counts = { files: emptyCounts(), bytes: emptyCounts() }));
      counts.files[attribution] += 1;
      counts.bytes[attribution] += size;
    }
    for (const folder of folders.values()) visit(folder);
  };
  visit(root);
  return layers;
}

/** The same folder with what one layer put there, and no folder that holds nothing of it. */
export function onlyLayer({ name, folders, leaves }: Folder, layer: number): Folder {
  const only: Folder = { ...emptyFolder(name), leaves: leaves.filter((leaf) => leaf.layer === layer) };
  for (const { size, attribution } of only.leaves) {
    only.files[attribution] += 1;
    only.bytes[attribution] += size;
  }
  for (const folder of folders.values()) {
    const below = onlyLayer(folder, layer);
    if (below.folders.size === 0 && below.leaves.length === 0) continue;
    only.folders.set(below.name, below);
    for (const each of ATTRIBUTIONS) {
      only.files[each] += below.files[each];
      only.bytes[each] += below.bytes[each];
    }
  }
  return only;
}
