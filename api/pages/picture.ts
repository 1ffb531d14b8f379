/** An image, or a folder of it, as one picture: area is size, colour is what accounts for it. */
import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { type Folder, sumOf } from '../contents-tree.ts';
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
/** Areas. Each takes some 200 bytes of the page. */
const AREAS_MAX = 260;
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
    const opened = areas < AREAS_MAX ? open(folder, group, total) : undefined;
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

/** What is in a folder: what is large enough by itself, the rest by its account. */
function open(folder: Folder, { path }: Group, total: number): { parts: (Group | Area)[]; inside: { folder: Folder; group: Group }[] } {
  const inside: { folder: Folder; group: Group }[] = [];
  const parts: (Group | Area)[] = [];
  const rest = new Map<Attribution, { files: number; bytes: number }>();
  const lump = (attribution: Attribution, files: number, bytes: number): void => {
    const sum = rest.get(attribution) ?? { files: 0, bytes: 0 };
    rest.set(attribution, { files: sum.files + files, bytes: sum.bytes + bytes });
  };
  for (const one of folder.folders.values()) {
    const weight = ATTRIBUTIONS.reduce((sum, name) => sum + (one.files[name] > 0 ? least(one.bytes[name], name, total) : 0), 0);
    if (weight < LEAST_SHARE * total) {
      for (const name of ATTRIBUTIONS) if (one.files[name] > 0) lump(name, one.files[name], one.bytes[name]);
      continue;
    }
    const group: Group = { path: `${path}/${one.name}`, name: one.name, weight, parts: [] };
    parts.push(group);
    inside.push({ folder: one, group });
  }
  for (const { name, size, attribution } of folder.leaves) {
    const weight = least(size, attribution, total);
    const title = `${path}/${name}, ${bytesText(size)}: ${ATTRIBUTION_WORDS[attribution].name}`;
    if (weight < LEAST_SHARE * total) lump(attribution, 1, size);
    else parts.push({ path: `${path}/${name}`, title, attribution, weight });
  }
  for (const [attribution, { files, bytes }] of rest) {
    if (bytes === 0 && attribution !== 'unexplained') continue;
    const title = `${path}/, ${countText(files)} more, ${bytesText(bytes)}: ${ATTRIBUTION_WORDS[attribution].name}`;
    parts.push({ path, title, attribution, weight: least(bytes, attribution, total) });
  }
  return { parts, inside };
}

/** A folder that is not opened, by its accounts. */
function closedParts(folder: Folder, path: string, total: number): Area[] {
  return ATTRIBUTIONS.flatMap((attribution) => {
    const [files, bytes] = [folder.files[attribution], folder.bytes[attribution]];
    if (files === 0 || (bytes === 0 && attribution !== 'unexplained')) return [];
    const title = `${path}/, ${countText(files)} files, ${bytesText(bytes)}: ${ATTRIBUTION_WORDS[attribution].name}`;
    return [{ path, title, attribution, weight: least(bytes, attribution, total) }];
  });
}
