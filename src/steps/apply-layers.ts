import { makeAnomalyList } from '../model/anomalies.ts';
import type { Digest } from '../model/digest.ts';
import type { Anomaly, Entry, FileFacts, HiddenEntry, Inventory, LayerScan, LayerSummary } from '../model/inventory.ts';
import type { ImageConfig, ImageManifest } from '../model/oci.ts';
import { byText, type Path } from '../model/path.ts';
import { Problem } from '../problem.ts';
import { type Budget, directory, join, type Node, nodeAt, PLAIN_DIRECTORY, resolveInRoot, type Tell } from './layer-tree.ts';
import { unpackLayer } from './unpack-layer.ts';

/** Entries of all layers together, with the directories that they imply: some hundred bytes of memory each. */
const ENTRIES_MAX = 2_000_000;
/** Components of followed links: two seconds or so. An honest image has a few links on the way to each of its files. */
const STEPS_MAX = 20_000_000;

/**
 * The effective file system that the layers make, lowest first, as an overlay file system shows it, and what it hides. OCI
 * image specification 1.1, layer.md "Applying Changesets". Throws `image-malformed` where the layers are not the ones that
 * manifest and configuration name, `limit-exceeded`.
 */
export function applyLayers(
  image: { manifestDigest: Digest; manifest: ImageManifest; config: ImageConfig },
  scans: readonly LayerScan[],
): Inventory {
  checkDigests(image, scans);
  const root: Node = { ...directory(PLAIN_DIRECTORY, 0), implied: true };
  const budget = makeBudget();
  const merge = makeMerge(root, budget);
  const anomalies: Anomaly[] = [];
  for (const [layer, scan] of scans.entries()) {
    const list = makeAnomalyList();
    const tell: Tell = (code, path, detail) => list.add({ code, path, detail });
    merge.layer(unpackLayer(scan, layer, root, tell, budget), layer, tell);
    for (const anomaly of [...scan.anomalies, ...list.list()]) anomalies.push({ ...anomaly, layer });
  }
  return {
    manifestDigest: image.manifestDigest,
    configDigest: image.manifest.config.digest,
    config: image.config,
    layers: summaries(image, scans),
    ...merge.result(),
    anomalies,
    contents: [...new Set(scans.flatMap(({ contents }) => contents ?? []))],
  };
}

function makeBudget(): Budget {
  let entries = 0;
  let steps = 0;
  return {
    entry() {
      if (++entries > ENTRIES_MAX) throw new Problem('limit-exceeded', `the image has more than ${ENTRIES_MAX} entries in its layers`);
    },
    steps(count) {
      if ((steps += count) > STEPS_MAX) throw new Problem('limit-exceeded', 'the symbolic links of the image take too long to follow');
    },
  };
}

function checkDigests({ manifest, config }: { manifest: ImageManifest; config: ImageConfig }, scans: readonly LayerScan[]): void {
  const diffIds = config.rootfs.diff_ids;
  if (scans.length !== manifest.layers.length || diffIds.length !== scans.length)
    throw new Problem(
      'image-malformed',
      `the manifest has ${manifest.layers.length} layers, the configuration ${diffIds.length}, ${scans.length} were read`,
    );
  for (const [layer, scan] of scans.entries()) {
    if (scan.digest !== manifest.layers[layer]?.digest)
      throw new Problem(
        'image-malformed',
        `layer ${layer} has the digest ${scan.digest}, the manifest says ${manifest.layers[layer]?.digest}`,
      );
    if (scan.diffId !== diffIds[layer])
      throw new Problem('image-malformed', `layer ${layer} has the diffID ${scan.diffId}, the configuration says ${diffIds[layer]}`);
  }
}

function summaries({ manifest, config }: { manifest: ImageManifest; config: ImageConfig }, scans: readonly LayerScan[]): LayerSummary[] {
  const made = (config.history ?? []).filter(({ empty_layer }) => empty_layer !== true);
  return scans.map((scan, layer) => {
    const createdBy = made.length === scans.length ? made[layer]?.created_by : undefined;
    return {
      digest: scan.digest,
      diffId: scan.diffId,
      mediaType: manifest.layers[layer]?.mediaType ?? '',
      size: scan.size,
      uncompressedSize: scan.uncompressedSize,
      entries: scan.entries.length,
      ...(createdBy !== undefined && { createdBy }),
    };
  });
}

/** Lays one unpacked layer after the other over `root`. */
function makeMerge(root: Node, budget: Budget) {
  const hidden: HiddenEntry[] = [];
  /** Layers that set a path and were overruled. */
  const earlier = new Map<Path, Set<number>>();

  function overruled(path: Path, node: Node): void {
    const layers = earlier.get(path);
    if (layers === undefined) earlier.set(path, new Set([node.layer]));
    else layers.add(node.layer);
  }

  function hide(node: Node, path: Path, hiddenBy: number, how: HiddenEntry['how']): void {
    overruled(path, node);
    hidden.push({ ...node.facts, path, layer: node.layer, hiddenBy, how });
    for (const [name, child] of node.children ?? []) hide(child, join(path, name), hiddenBy, how);
  }

  function mergeDirectory(under: Node, over: Node, path: Path, layer: number, tell: Tell): void {
    const lower = under.children ?? new Map<string, Node>();
    if (over.opaque === true) {
      for (const [name, child] of lower) hide(child, join(path, name), layer, 'opaque');
      lower.clear();
    }
    for (const [name, node] of over.children ?? []) {
      const at = join(path, name);
      const there = lower.get(name);
      if (node.whiteout === true) {
        if (there !== undefined) hide(there, at, layer, 'whiteout');
        lower.delete(name);
      } else if (node.children === undefined) {
        if (there !== undefined) hide(there, at, layer, 'replaced');
        lower.set(name, node);
      } else if (there?.children !== undefined) {
        if (node.implied !== true) setDirectory(there, node, at);
        mergeDirectory(there, node, at, layer, tell);
      } else {
        const made = directory(node.facts, layer);
        if (there !== undefined) {
          if (node.implied === true) made.facts = impliedOver(there, at, tell);
          hide(there, at, layer, 'replaced');
        }
        lower.set(name, made);
        mergeDirectory(made, { ...node, opaque: false }, at, layer, tell);
      }
    }
  }

  function setDirectory(there: Node, node: Node, path: Path): void {
    overruled(path, there);
    there.facts = node.facts;
    there.layer = node.layer;
  }

  /** containerd makes a real directory, with the facts of the one that the link below it leads to. */
  function impliedOver(there: Node, path: Path, tell: Tell): FileFacts {
    if (there.facts.kind !== 'symlink') {
      tell('unsupported-entry', path, 'entries below what is no directory in a lower layer, which containerd refuses in part');
      return PLAIN_DIRECTORY;
    }
    tell('symlinked-parent', path, 'entries below a symbolic link of a lower layer: an overlay replaces it, other unpackers follow it');
    const resolved = resolveInRoot(root, path, budget);
    const target = resolved === undefined ? undefined : nodeAt(root, resolved);
    return target?.children === undefined ? PLAIN_DIRECTORY : target.facts;
  }

  return {
    layer(upper: Node, layer: number, tell: Tell): void {
      if (upper.implied !== true) {
        if (root.implied !== true) overruled('/', root);
        root.facts = upper.facts;
        root.layer = layer;
        root.implied = false;
      }
      mergeDirectory(root, upper, '/', layer, tell);
    },
    result(): Pick<Inventory, 'entries' | 'hidden'> {
      return {
        entries: entriesOf(root, earlier),
        hidden: hidden.toSorted((a, b) => byText(a.path, b.path) || a.layer - b.layer || a.hiddenBy - b.hiddenBy),
      };
    },
  };
}

function entriesOf(root: Node, earlier: ReadonlyMap<Path, ReadonlySet<number>>): Entry[] {
  const rows: { node: Node; path: Path }[] = [];
  const walk = (node: Node, path: Path): void => {
    rows.push({ node, path });
    for (const [name, child] of node.children ?? []) walk(child, join(path, name));
  };
  walk(root, '/');
  rows.sort((a, b) => byText(a.path, b.path));

  const links = new Map<FileFacts, { first: Path; count: number }>();
  for (const { node, path } of rows) {
    if (node.children !== undefined) continue;
    const group = links.get(node.facts);
    if (group === undefined) links.set(node.facts, { first: path, count: 1 });
    else group.count++;
  }
  return rows.map(({ node, path }): Entry => {
    const group = links.get(node.facts);
    const before = [...(earlier.get(path) ?? [])].filter((layer) => layer < node.layer).sort((a, b) => a - b);
    return {
      ...node.facts,
      path,
      layer: node.layer,
      ...(group !== undefined && group.count > 1 && { linkGroup: group.first }),
      ...(before.length > 0 && { earlier: before }),
    };
  });
}
