/** An image, or a folder of it, as one picture: area is size, colour is what accounts for it. */
import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { emptyCounts, type Folder, sumOf } from '../contents-tree.ts';
import { bytesText, countText } from '../text.ts';
import { html, type Html } from './html.ts';
import { ATTRIBUTION_WORDS } from './words.ts';

/** Units of the drawing, which scales with the page. */
const WIDTH = 1000;
const HEIGHT = 480;
const LABEL_HEIGHT = 16;
/** Folders in folders; below, the names would take more room than what they name. */
const LABELS_DEEP = 3;
const CHARACTER_WIDTH = 6.6;
/** Areas, and folders that wait to be drawn. Each takes some 200 bytes of the page. */
const AREAS_MAX = 260;
/** Files and folders of one folder that are drawn by themselves. */
const PARTS_MAX = 60;
/** Of the whole: what is smaller is drawn together with its like. */
const LEAST_SHARE = 0.0012;
/** Of the whole: what nothing accounts for is drawn at least so large, be it a file of one byte. */
const SEEN_SHARE = 0.006;

type Area = { path: string; title: string; attribution: Attribution; weight: number };
type Group = { path: string; name: string; weight: number; parts: (Group | Area)[] };
type Laid = HierarchyRectangularNode<Group | Area>;
const isGroup = (part: Group | Area): part is Group => 'parts' in part;

export function pictureOf(root: Folder, path: string, addressOf: (path: string) => string): Html {
  const total = sumOf(root.bytes);
  if (total === 0 && root.files.unexplained === 0) return html``;
  const plan = hierarchy<Group | Area>(groupsOf(root, path, Math.max(total, 1)), (part) => (isGroup(part) ? part.parts : []))
    .sum((part) => (isGroup(part) ? 0 : part.weight))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const laid = treemap<Group | Area>()
    .tile(treemapSquarify)
    .size([WIDTH, HEIGHT])
    .paddingInner(1)
    .paddingTop((node) => (isLabelled(node) ? LABEL_HEIGHT : 0))(plan);
  const shapes = laid.descendants().map((node) => {
    const part = node.data;
    const [x, y, width, height] = [node.x0, node.y0, node.x1 - node.x0, node.y1 - node.y0].map((number) => number.toFixed(1));
    if (!isGroup(part))
      return html`<a href="${addressOf(part.path)}" tabindex="-1"
        ><rect class="f-${part.attribution}" x="${x}" y="${y}" width="${width}" height="${height}"><title>${part.title}</title></rect></a
      >`;
    if (!isLabelled(node)) return undefined;
    const characters = Math.floor((node.x1 - node.x0 - 6) / CHARACTER_WIDTH);
    return html`<a href="${addressOf(part.path)}"
      ><text x="${(node.x0 + 3).toFixed(1)}" y="${(node.y0 + 12).toFixed(1)}"
        >${part.name.length > characters ? `${part.name.slice(0, characters - 1)}…` : part.name}</text
      ></a
    >`;
  });
  return html`<svg
    class="picture"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="group"
    aria-label="${countText(sumOf(root.files))} files by size, coloured by where they come from. The table below says the same in words."
  >
    ${shapes}
  </svg>`;
}

function isLabelled({ depth, x0, x1, y0, y1, data }: Laid): boolean {
  return isGroup(data) && depth > 0 && depth <= LABELS_DEEP && x1 - x0 > 48 && y1 - y0 > 3 * LABEL_HEIGHT;
}

/** Opens the folder that holds most, again and again, until there are as many areas as a reader can tell apart. */
function groupsOf(root: Folder, path: string, total: number): Group {
  const whole: Group = { path, name: path, weight: total, parts: [] };
  const closed: { folder: Folder; group: Group }[] = [{ folder: root, group: whole }];
  let areas = 0;
  for (let next = takeLargest(closed); next !== undefined; next = takeLargest(closed)) {
    const { folder, group } = next;
    const opened = areas + closed.length < AREAS_MAX ? open(folder, group, total) : undefined;
    group.parts = opened?.parts ?? closedParts(folder, group.path, total);
    areas += group.parts.filter((part) => !isGroup(part)).length;
    closed.push(...(opened?.inside ?? []));
  }
  return whole;
}

function takeLargest<T extends { group: Group }>(list: T[]): T | undefined {
  const largest = Math.max(...list.map(({ group }) => group.weight));
  return list.splice(
    list.findIndex(({ group }) => group.weight === largest),
    1,
  )[0];
}

const least = (bytes: number, attribution: Attribution, total: number): number =>
  attribution === 'unexplained' ? Math.max(bytes, SEEN_SHARE * total) : bytes;

/** What is in a folder: what weighs most by itself, the rest by its account. */
function open(folder: Folder, { path }: Group, total: number): { parts: (Group | Area)[]; inside: { folder: Folder; group: Group }[] } {
  const folders = [...folder.folders.values()].map((one) => ({
    folder: one,
    weight: ATTRIBUTIONS.reduce((sum, name) => sum + (one.files[name] > 0 ? least(one.bytes[name], name, total) : 0), 0),
  }));
  const leaves = folder.leaves.map((leaf) => ({ leaf, weight: least(leaf.size, leaf.attribution, total) }));
  const weights = [...folders, ...leaves].map(({ weight }) => weight).sort((a, b) => b - a);
  const lightest = Math.max(LEAST_SHARE * total, weights[PARTS_MAX - 1] ?? 0);
  const inside: { folder: Folder; group: Group }[] = [];
  const parts: (Group | Area)[] = [];
  const rest = { files: emptyCounts(), bytes: emptyCounts() };
  // Of many that weigh the same, as what nothing accounts for may, the first ones are drawn by themselves.
  const isDrawn = (weight: number): boolean => weight >= lightest && parts.length < PARTS_MAX;
  for (const { folder: one, weight } of folders) {
    if (isDrawn(weight)) {
      const group: Group = { path: `${path}/${one.name}`, name: one.name, weight, parts: [] };
      parts.push(group);
      inside.push({ folder: one, group });
    } else {
      for (const name of ATTRIBUTIONS) {
        rest.files[name] += one.files[name];
        rest.bytes[name] += one.bytes[name];
      }
    }
  }
  for (const { leaf, weight } of leaves) {
    const { name, size, attribution } = leaf;
    if (isDrawn(weight)) {
      const title = `${path}/${name}, ${bytesText(size)}: ${ATTRIBUTION_WORDS[attribution].name}`;
      parts.push({ path: `${path}/${name}`, title, attribution, weight });
    } else {
      rest.files[attribution] += 1;
      rest.bytes[attribution] += size;
    }
  }
  return { parts: [...parts, ...closedParts(rest, path, total)], inside };
}

/** What is not drawn file by file, by its accounts. */
function closedParts(folder: Pick<Folder, 'files' | 'bytes'>, path: string, total: number): Area[] {
  return ATTRIBUTIONS.flatMap((attribution) => {
    const [files, bytes] = [folder.files[attribution], folder.bytes[attribution]];
    if (files === 0 || (bytes === 0 && attribution !== 'unexplained')) return [];
    const title = `${path}/, ${countText(files)} files, ${bytesText(bytes)}: ${ATTRIBUTION_WORDS[attribution].name}`;
    return [{ path, title, attribution, weight: least(bytes, attribution, total) }];
  });
}
