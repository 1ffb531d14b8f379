/** The layers as a strip: what each brought, covered and took away, beside the instruction that made it. */
import type { Source } from '../../src/model/rebuild.ts';
import type { LayerUse } from '../../src/model/statement.ts';
import { type Attribution, ATTRIBUTIONS } from '../../src/model/verdict.ts';
import { lineAddress } from '../../src/steps/line-address.ts';
import { type Counts, sumOf } from '../contents-tree.ts';
import type { Amount, LayerStory } from '../stored.ts';
import { shortDigest } from '../text.ts';
import { fitting, html, type Html } from './html.ts';
import type { Say } from './words/index.ts';

/** Of the page; a layer takes some 1,000 characters, and an image has 127 of them at most where a container engine made it. */
const CHARACTERS_MAX = 20_000;
/** Characters of an instruction; a here-document can be a whole script. */
const INSTRUCTION_SHOWN = 240;
/** Percent of the widest bar: what is smaller is drawn so wide, to be seen. */
const LEAST_WIDTH = 0.5;

export type LayerStrip = {
  layers: readonly LayerStory[];
  /** Lowest first; empty for verdicts from before this was told. */
  use: readonly LayerUse[];
  /** What the image shows of each layer; undefined where the account could not be read. */
  shown: ReadonlyMap<number, { files: Counts; bytes: Counts }> | undefined;
  lineOf: (layer: number) => number | undefined;
  dockerfile: { source: Source; path: string } | undefined;
  /** Where the files of a layer are listed. */
  addressOf: (layer: number) => string;
};

export function layersSection(say: Say, strip: LayerStrip): Html {
  const { layers, use } = strip;
  if (layers.length === 0) return html``;
  const hidden = use.reduce((sum, layer) => sum + layer.hidden.bytes, 0);
  const most = Math.max(1, ...layers.map((_layer, index) => bytesOf(strip, index)));
  const { shown, rest } = fitting(layers, (layer, index) => layerItem(say, strip, layer, index, most), CHARACTERS_MAX);
  return html`<section aria-labelledby="layers">
    <h2 id="layers">${say.layers.title} <span class="count">${layers.length}</span></h2>
    ${hidden > 0 && html`<p>${say.layers.hidden(say.bytes(hidden))}</p>`}
    <ol class="layers card">
      ${shown}
    </ol>
    ${rest > 0 && html`<p class="soft">${say.site.moreInVerdict(say.count(rest))}</p>`}
  </section>`;
}

const bytesOf = ({ use, shown }: LayerStrip, layer: number): number =>
  (use[layer]?.hidden.bytes ?? 0) + (shown === undefined ? (use[layer]?.shown.bytes ?? 0) : sumOf(shown.get(layer)?.bytes ?? NOTHING));

const NOTHING = Object.fromEntries(ATTRIBUTIONS.map((name) => [name, 0])) as Counts;

function layerItem(say: Say, strip: LayerStrip, layer: LayerStory, index: number, most: number): Html {
  const { use, shown, addressOf } = strip;
  const used = use[index];
  const files =
    used === undefined ? undefined : { files: used.shown.files + used.hidden.files, bytes: used.shown.bytes + used.hidden.bytes };
  const words = say.layers;
  const amount = (one: Amount): string => words.amount(one.files, say.count(one.files), say.bytes(one.bytes));
  const parts = [
    files !== undefined && html`<span>${words.adds(html`<strong>${files.files === 0 ? words.nothing : amount(files)}</strong>`)}</span>`,
    layer.replaces.files > 0 && html`<span>${words.replaces(amount(layer.replaces))}</span>`,
    layer.deletes.files > 0 && html`<span>${words.deletes(amount(layer.deletes))}</span>`,
    used !== undefined && used.hidden.files > 0 && html`<span>${words.notShown(amount(used.hidden))}</span>`,
    html`<span>${words.download(say.bytes(layer.size))}</span>`,
  ];
  return html`<li id="layer-${index}">
    <p class="made">
      <span class="soft">${index + 1}</span> <code>${instructionOf(layer.createdBy) ?? words.notSaid}</code> ${lineLink(say, strip, index)}
    </p>
    ${barOf(say, strip, index, most)}
    <p class="amounts">
      ${parts}<code title="${layer.digest}">${shortDigest(layer.digest)}</code>
      ${sumOf(shown?.get(index)?.files ?? NOTHING) > 0 && html`<a href="${addressOf(index)}">${words.filesOf(index + 1)}</a>`}
    </p>
  </li>`;
}

function lineLink(say: Say, { lineOf, dockerfile }: LayerStrip, layer: number): Html | undefined {
  const line = lineOf(layer);
  if (line === undefined) return undefined;
  const href = dockerfile === undefined ? undefined : lineAddress(dockerfile.source, dockerfile.path, line);
  const text = say.layers.line(line);
  return html`<small>${href === undefined ? text : html`<a href="${href}">${text}</a>`}</small>`;
}

/** As long as the layer is large beside the largest, and coloured by what accounts for its files. */
function barOf(say: Say, { use, shown }: LayerStrip, layer: number, most: number): Html {
  const hidden = use[layer]?.hidden.bytes ?? 0;
  const bytes = shown?.get(layer)?.bytes ?? NOTHING;
  const files = shown?.get(layer)?.files ?? NOTHING;
  const pieces = [
    ...ATTRIBUTIONS.map((name): [Attribution | 'hidden', number] => [
      name,
      bytes[name] > 0 || (name === 'unexplained' && files[name] > 0) ? Math.max((100 * bytes[name]) / most, LEAST_WIDTH) : 0,
    ]),
    ['hidden', hidden > 0 ? Math.max((100 * hidden) / most, LEAST_WIDTH) : 0] as [Attribution | 'hidden', number],
  ].filter(([, width]) => width > 0);
  const scale = Math.min(1, 100 / pieces.reduce((sum, [, width]) => sum + width, 0));
  const titleOf = (name: Attribution | 'hidden'): string =>
    name === 'hidden' ? say.layers.barHidden(say.bytes(hidden)) : say.picture.count(say.attribution[name].name, say.bytes(bytes[name]));
  let x = 0;
  return html`<svg
    class="bar thin"
    viewBox="0 0 100 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${pieces.map(([name]) => titleOf(name)).join(', ') || say.layers.barEmpty}"
  >
    ${pieces.map(([name, width]) => {
      const from = x;
      x += width * scale;
      return html`<rect class="f-${name}" x="${from.toFixed(2)}" width="${(width * scale).toFixed(2)}" height="10"
        ><title>${titleOf(name)}</title></rect
      >`;
    })}
  </svg>`;
}

/** The instruction as a Dockerfile has it, where the history of the image wraps it as Docker, BuildKit and buildah do. */
export function instructionOf(createdBy: string | undefined): string | undefined {
  if (createdBy === undefined || createdBy.trim() === '') return undefined;
  const text = createdBy
    .slice(0, 4 * INSTRUCTION_SHOWN)
    .replace(/^(?:\|\d+ .*? )?\/bin\/sh -c #\(nop\)\s*/, '')
    .replace(/^(?:RUN )?(?:\|\d+ .*? )?\/bin\/sh -c\s+/, 'RUN ')
    .replace(/\s*# buildkit$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > INSTRUCTION_SHOWN ? `${text.slice(0, INSTRUCTION_SHOWN)}…` : text;
}
