import type { LayerSummary } from '../model/inventory.ts';
import type { DockerfileStep } from '../model/rebuild.ts';

/** Instructions that make a layer. */
const LAYER: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR']);
/** What older builders and buildah say of a copy in place of its sources: `#(nop) COPY dir:4c1e… in /srv `. */
const COPIED = /#\(nop\)\s+(COPY|ADD)\s+(?:file|dir|multi):\S+\s+in\s+(\S+)\s*$/;

type Step = { line: number; instruction: string; words: string };

/**
 * Which line of the Dockerfile made a layer, by the history of the image: `createdBy` holds the instruction's own words, or where a copy went. The
 * history is the publisher's word, good for pointing a reader to a line; undefined where the words are not found. Where several steps have the
 * same words, as many layers tell them apart by their order.
 */
export function lineOfLayers(
  layers: readonly Pick<LayerSummary, 'createdBy'>[],
  steps: readonly DockerfileStep[],
): (layer: number) => number | undefined {
  const candidates = steps
    .map(({ line, instruction, text }) => ({ line, instruction: instruction.toUpperCase(), words: plain(text.replace(/^\S+\s+/, '')) }))
    .filter(({ instruction, words }) => LAYER.has(instruction) && words.length >= WORDS_MIN);
  const found = layers.map(({ createdBy = '' }) => candidates.filter((step) => mayHaveMade(step, createdBy)));
  const lines = found.map((some, layer) => {
    if (some.length === 1) return some[0]?.line;
    const alike = found.flatMap((others, index) => (some.length > 0 && isSame(some, others) ? [index] : []));
    return alike.length === some.length ? some[alike.indexOf(layer)]?.line : undefined;
  });
  return (layer) => lines[layer];
}

const WORDS_MIN = 3; // characters: shorter ones are found anywhere

function mayHaveMade({ instruction, words }: Step, createdBy: string): boolean {
  const [, copied, to = ''] = COPIED.exec(createdBy) ?? [];
  if (copied === undefined) return plain(createdBy).includes(words);
  return instruction === copied && folder(words.split(' ').at(-1) ?? '') === folder(to);
}

/** `.` and relative names are below a folder that another instruction names. */
function folder(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

function isSame(a: readonly Step[], b: readonly Step[]): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}

/** Builders quote and space the same instruction differently. */
function plain(text: string): string {
  return text.replace(/[\s"'[\],\\]+/g, ' ').trim();
}
