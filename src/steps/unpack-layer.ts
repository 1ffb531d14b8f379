import type { FileFacts, LayerScan, TarEntry } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';
import { type Budget, directory, join, type Node, nodeAt, partsOf, PLAIN_DIRECTORY, resolveInRoot, type Tell } from './layer-tree.ts';

const CAPABILITY = 'security.capability';
/** Attributes that are orders to an overlay file system. containerd does not set `trusted.*`, Docker and Podman do. */
const OVERLAY = /^(trusted|user)\.(overlay|fuseoverlayfs)\./;
/**
 * What an overlay file system notes for itself about a file it copied up: where from, and that a folder holds such files. Rootless
 * builders put these into layers. They are no orders, and a container does not see them; rule `overlay-notes`.
 * https://docs.kernel.org/filesystems/overlayfs.html
 */
export const OVERLAY_NOTES = /^(trusted|user)\.overlay\.(origin|impure)$/;

/**
 * One layer alone, as containerd unpacks it for an overlay file system: entry after entry, symbolic links followed within this
 * layer only, a later entry over an earlier one. What containerd refuses is read as the OCI specification means it. Every
 * such case, and every one that unpackers without overlay read differently, is told. `lower` is what the layers below make.
 */
export function unpackLayer(scan: LayerScan, layer: number, lower: Node, tell: Tell, budget: Budget): Node {
  const upper = directory(PLAIN_DIRECTORY, layer);
  upper.implied = true;

  for (const entry of scan.entries) {
    budget.entry();
    if (entry.whiteout === 'opaque') {
      markOpaque(entry.path);
      continue;
    }
    const parts = partsOf(entry.path);
    const name = parts.pop();
    if (name === undefined) {
      putRoot(entry);
      continue;
    }
    const parent = parentOf(entry, `/${parts.join('/')}`);
    if (parent === undefined) continue;
    const path = join(parent.path, name);
    if (entry.whiteout !== undefined) putWhiteout(parent.node, name, path);
    else if (entry.kind === 'hardlink') putLink(parent.node, name, path, entry);
    else put(parent.node, name, path, entry);
  }
  return upper;

  function parentOf(entry: TarEntry, written: Path): { path: Path; node: Node } | undefined {
    const path = resolveInRoot(upper, written, budget);
    if (path === undefined) {
      tell('symlinked-parent', entry.path, 'symbolic links that go in circles, which containerd refuses');
      return undefined;
    }
    const node = makeDirectories(path);
    if (node === undefined) tell('unsupported-entry', entry.path, 'a name below what is no directory, which containerd refuses');
    return node === undefined ? undefined : { path, node };
  }

  /** Directories that entries take for granted. */
  function makeDirectories(path: Path): Node | undefined {
    let node: Node = upper;
    let at = '/';
    for (const part of partsOf(path)) {
      at = join(at, part);
      let child = node.children?.get(part);
      if (child === undefined || child.whiteout === true) {
        const made = directory(PLAIN_DIRECTORY, layer);
        made.implied = true;
        if (child !== undefined) {
          made.opaque = true;
          tell('duplicate-entry', at, 'a whiteout of a directory and an entry below it, which containerd refuses');
        }
        budget.entry();
        node.children?.set(part, made);
        child = made;
      }
      if (child.children === undefined) return undefined;
      node = child;
    }
    return node;
  }

  function putRoot(entry: TarEntry): void {
    if (entry.whiteout === undefined && entry.kind === 'directory') {
      // containerd leaves the root as it is; Docker and Podman apply this, and a root that others may write to matters.
      upper.facts = factsOf(entry);
      upper.implied = false;
      return;
    }
    tell('unsupported-entry', '/', 'a member in place of the root, which is ignored');
  }

  function markOpaque(written: Path): void {
    if (written === '/') {
      tell('reserved-whiteout', '/', 'an opaque root: overlay file systems ignore it, other unpackers hide all layers below');
      return;
    }
    const parent = parentOf({ path: written, whiteout: 'opaque' }, written);
    if (parent !== undefined) parent.node.opaque = true;
  }

  function putWhiteout(parent: Node, name: string, path: Path): void {
    const there = parent.children?.get(name);
    if (there !== undefined) {
      tell('duplicate-entry', path, 'a whiteout behind an entry for the same path, which containerd refuses');
      // A whiteout is about the layers below, not about its own.
      if (there.children !== undefined) there.opaque = true;
      return;
    }
    parent.children?.set(name, { facts: PLAIN_DIRECTORY, layer, whiteout: true });
  }

  function put(parent: Node, name: string, path: Path, entry: FileFacts & { path: Path }): void {
    const facts = factsOf(entry);
    if (facts.kind === 'character' && facts.device?.major === 0 && facts.device.minor === 0) {
      tell('unsupported-entry', path, 'a device 0/0, which an overlay file system takes for a whiteout');
      parent.children?.delete(name);
      return putWhiteout(parent, name, path);
    }
    const there = parent.children?.get(name);
    const isDirectory = facts.kind === 'directory';
    if (there?.whiteout === true) {
      if (isDirectory && nodeAt(lower, path)?.children !== undefined)
        tell('duplicate-entry', path, 'a whiteout and then a directory: an overlay shows what is below it, other unpackers do not');
    } else if (there !== undefined && there.implied !== true) {
      if (!(isDirectory && sameFacts(there.facts, facts))) tell('duplicate-entry', path, 'an entry that replaces one of the same layer');
    } else if (there?.implied === true && !isDirectory) {
      tell('duplicate-entry', path, 'an entry that replaces a directory of the same layer');
    }
    const node: Node = isDirectory && there?.children !== undefined ? there : isDirectory ? directory(facts, layer) : { facts, layer };
    node.facts = facts;
    delete node.implied;
    for (const attribute of Object.keys(facts.xattrs ?? {})) {
      if (!OVERLAY.test(attribute)) continue;
      tell('unsupported-entry', path, `the attribute ${attribute}, which is an order to an overlay file system`);
    }
    parent.children?.set(name, node);
  }

  function putLink(parent: Node, name: string, path: Path, entry: TarEntry & { kind: 'hardlink' }): void {
    const there = parent.children?.get(name);
    if (there !== undefined && there.whiteout !== true)
      tell('duplicate-entry', path, 'a hard link that replaces an entry of the same layer');
    parent.children?.delete(name);
    const own = targetOf(upper, entry.target);
    if (own?.whiteout === true) {
      tell('missing-link-target', path, `a hard link to the whiteout of ${entry.target}, which makes it another whiteout`);
      return putWhiteout(parent, name, path);
    }
    const target = own ?? targetOf(lower, entry.target);
    if (target === undefined) {
      tell('missing-link-target', path, `a hard link to ${entry.target}, which is not there`);
      return;
    }
    if (own === undefined)
      tell('missing-link-target', path, `a hard link to ${entry.target}, which only a lower layer has: containerd refuses it`);
    else if (entry.inode !== undefined) applyLinkHeader(target.facts, entry.inode, path);
    parent.children?.set(name, { facts: target.facts, layer });
  }

  function targetOf(root: Node, written: Path): Node | undefined {
    const parts = partsOf(written);
    const name = parts.pop() ?? '';
    const parent = resolveInRoot(root, `/${parts.join('/')}`, budget);
    const node = parent === undefined ? undefined : nodeAt(root, parent)?.children?.get(name);
    return node?.children === undefined ? node : undefined;
  }

  /** containerd gives the shared file the owner, mode and attributes that the link's header states; GNU tar does not. */
  function applyLinkHeader(facts: FileFacts, inode: NonNullable<(TarEntry & { kind: 'hardlink' })['inode']>, path: Path): void {
    const xattrs = { ...facts.xattrs, ...inode.xattrs };
    // chown(2) takes the capabilities away that the link's header does not bring back.
    if (inode.xattrs?.[CAPABILITY] === undefined) delete xattrs[CAPABILITY];
    const mode = facts.kind === 'symlink' ? facts.mode : inode.mode;
    const changed: FileFacts = { ...facts, mode, uid: inode.uid, gid: inode.gid };
    if (Object.keys(xattrs).length > 0) changed.xattrs = xattrs;
    else delete changed.xattrs;
    if (!sameFacts(facts, changed)) tell('conflicting-header', path, 'a hard link whose header describes its file otherwise');
    if (changed.xattrs === undefined) delete facts.xattrs;
    Object.assign(facts, changed, { mtime: inode.mtime });
  }
}

function factsOf(entry: FileFacts & { path: Path }): FileFacts {
  const { path: _path, xattrs, ...facts } = entry;
  const attributes = Object.entries(xattrs ?? {}).filter(([name]) => !OVERLAY_NOTES.test(name));
  return attributes.length === 0 ? facts : { ...facts, xattrs: Object.fromEntries(attributes) };
}

function sameFacts(a: FileFacts, b: FileFacts): boolean {
  const text = ({ mtime: _mtime, ...facts }: FileFacts) =>
    JSON.stringify(Object.entries({ ...facts, xattrs: Object.entries(facts.xattrs ?? {}).toSorted() }).toSorted());
  return text(a) === text(b);
}
