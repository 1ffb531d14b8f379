import type { Anomaly, FileFacts } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';

/** What a name in a layer, or in the tree that layers make, stands for. Hard links share one `facts` object. */
export type Node = {
  facts: FileFacts;
  layer: number;
  /** Of directories. */
  children?: Map<string, Node>;
  /** A directory that the layer does not list, only something below it. */
  implied?: boolean;
  /** A directory that shows nothing of the layers below. */
  opaque?: boolean;
  /** Hides what the layers below have under this name. */
  whiteout?: boolean;
};

export type Tell = (code: Anomaly['code'], path: Path, detail: string) => void;

/** As containerd makes a directory that nobody describes. */
export const PLAIN_DIRECTORY: FileFacts = { kind: 'directory', size: 0, mode: 0o755, uid: 0, gid: 0, mtime: 0 };

export function directory(facts: FileFacts, layer: number): Node & { children: Map<string, Node> } {
  return { facts, layer, children: new Map() };
}

export function partsOf(path: Path): string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}

export function join(parent: Path, name: string): Path {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** The node at a path, with no symbolic link followed. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const part of partsOf(path)) node = node?.children?.get(part);
  return node;
}

/** What one image may cost; each function throws where it is used up. */
export type Budget = {
  entry(): void;
  /** Components of the targets of symbolic links that are followed. */
  steps(count: number): void;
};

/** Links that are followed for one path before it counts as a loop; containerd's number. */
const LINKS_MAX = 255;

/**
 * The path with every symbolic link on it followed inside the root; what does not exist is taken as it is written. Undefined
 * where links go in circles. `RootPath` of containerd/continuity.
 */
export function resolveInRoot(root: Node, path: Path, budget: Budget): Path | undefined {
  let links = 0;
  const names: string[] = [];
  const nodes: (Node | undefined)[] = [root];
  const todo = partsOf(path).toReversed();
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (names.pop() !== undefined) nodes.pop();
      continue;
    }
    const node = nodes.at(-1)?.children?.get(part);
    if (node?.facts.kind !== 'symlink') {
      names.push(part);
      nodes.push(node);
      continue;
    }
    if (++links > LINKS_MAX) return undefined;
    const target = node.facts.target ?? '';
    if (target.startsWith('/')) {
      names.length = 0;
      nodes.length = 1;
    }
    const parts = target.split('/').toReversed();
    budget.steps(parts.length);
    todo.push(...parts);
  }
  return `/${names.join('/')}`;
}
