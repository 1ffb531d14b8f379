/** An image, or a folder of it, as one picture: area is size, colour is what accounts for it. */
import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { emptyCounts, type Folder, sumOf } from '../contents-tree.ts';
import { html, type Html, textOf } from './html.ts';
import type { Say } from './words/index.ts';

/** Units of the drawing, which scales with the page. */
const WIDTH = 1000;
const HEIGHT = 480;
const LABEL_HEIGHT = 16;
/** Folders in folders; below, the names would take more room than what they name. */
const LABELS_DEEP = 3;
const CHARACTER_WIDTH = 6.6;
/** Areas, and folders that wait to be drawn. Each takes some 300 characters of the page. */
const AREAS_MAX = 220;
/** Of the page; where names are so long that it would take more, less is drawn. */
const CHARACTERS_MAX = 50_000;
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

export function pictureOf(say: Say, root: Folder, path: string, addressOf: (path: string) => string): Html {
  if (sumOf(root.bytes) === 0 && root.files.unexplained === 0) return html``;
  for (let areas = AREAS_MAX; ; areas = Math.floor(areas / 2)) {
    const picture = drawingOf(say, root, path, addressOf, areas);
    if (textOf(picture).length <= CHARACTERS_MAX || areas === 0) return picture;
  }
}

function drawingOf(say: Say, root: Folder, path: string, addressOf: (path: string) => string, areasMax: number): Html {
  const whole = groupsOf(say, root, path, Math.max(sumOf(root.bytes), 1), areasMax);
  const plan = hierarchy<Group | Area>(whole, (part) => (isGroup(part) ? part.parts : []))
    .sum((part) => (isGroup(part) ? 0 : part.weight))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const nodes = treemap<Group | Area>()
    .tile(treemapSquarify)
    .size([WIDTH, HEIGHT])
    .paddingInner(1)
    .paddingTop((node) => (isLabelled(node) ? LABEL_HEIGHT : 0))(plan)
    .descendants();
  // The areas are for the eye alone: each folder with a name leads on to what is in it.
  return html`<svg
    class="picture"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    preserveAspectRatio="none"
    role="group"
    aria-label="${say.picture.label(say.count(sumOf(root.files)))}"
  >
    <defs>
      <pattern id="alarm" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="8" height="8" />
        <path d="M0 0v8" />
      </pattern>
    </defs>
    <g aria-hidden="true">${nodes.map((node) => areaOf(node, addressOf))}</g>
    ${nodes.map((node) => labelOf(node, addressOf))}
  </svg>`;
}

function areaOf({ data, x0, y0, x1, y1 }: Laid, addressOf: (path: string) => string): Html | undefined {
  if (isGroup(data)) return undefined;
  const [x, y, width, height] = [x0, y0, x1 - x0, y1 - y0].map((number) => number.toFixed(1));
  const shape = html`<rect class="f-${data.attribution}" x="${x}" y="${y}" width="${width}" height="${height}"
    ><title>${data.title}</title></rect
  >`;
  return html`<a href="${addressOf(data.path)}" tabindex="-1">${shape}</a>`;
}

function labelOf(node: Laid, addressOf: (path: string) => string): Html | undefined {
  const { data, x0, y0, x1 } = node;
  if (!isGroup(data) || !isLabelled(node)) return undefined;
  const characters = Math.floor((x1 - x0 - 6) / CHARACTER_WIDTH);
  const name = data.name.length > characters ? `${data.name.slice(0, characters - 1)}…` : data.name;
  return html`<a href="${addressOf(data.path)}"><text x="${(x0 + 3).toFixed(1)}" y="${(y0 + 12).toFixed(1)}">${name}</text></a>`;
}

function isLabelled({ depth, x0, x1, y0, y1, data }: Laid): boolean {
  return isGroup(data) && depth > 0 && depth <= LABELS_DEEP && x1 - x0 > 48 && y1 - y0 > 3 * LABEL_HEIGHT;
}

/** Opens the folder that holds most, again and again, until there are as many areas as a reader can tell apart. */
function groupsOf(say: Say, root: Folder, path: string, total: number, areasMax: number): Group {
  const whole: Group = { path, name: path, weight: total, parts: [] };
  const closed: { folder: Folder; group: Group }[] = [{ folder: root, group: whole }];
  let areas = 0;
  for (let next = takeLargest(closed); next !== undefined; next = takeLargest(closed)) {
    const { folder, group } = next;
    const opened = areas + closed.length < areasMax ? open(say, folder, group, total) : undefined;
    group.parts = opened?.parts ?? closedParts(say, folder, group.path, total);
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
function open(
  say: Say,
  folder: Folder,
  { path }: Group,
  total: number,
): { parts: (Group | Area)[]; inside: { folder: Folder; group: Group }[] } {
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
      const title = say.picture.file(`${path}/${name}`, say.bytes(size), say.attribution[attribution].name);
      parts.push({ path: `${path}/${name}`, title, attribution, weight });
    } else {
      rest.files[attribution] += 1;
      rest.bytes[attribution] += size;
    }
  }
  return { parts: [...parts, ...closedParts(say, rest, path, total)], inside };
}

/** What is not drawn file by file, by its accounts. */
function closedParts(say: Say, folder: Pick<Folder, 'files' | 'bytes'>, path: string, total: number): Area[] {
  return ATTRIBUTIONS.flatMap((attribution) => {
    const [files, bytes] = [folder.files[attribution], folder.bytes[attribution]];
    if (files === 0 || (bytes === 0 && attribution !== 'unexplained')) return [];
    const title = say.picture.folder(path, say.count(files), say.bytes(bytes), say.attribution[attribution].name);
    return [{ path, title, attribution, weight: least(bytes, attribution, total) }];
  });
}
