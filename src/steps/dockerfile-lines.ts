import type { LayerSummary } from '../model/inventory.ts';
import type { DockerfileStep } from '../model/rebuild.ts';

/** Instructions that make a layer. */
const LAYER: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR']);

/**
 * Which line of the Dockerfile made a layer, by the history of the image: `createdBy` holds the instruction's own words. The
 * history is the publisher's word, good for pointing a reader to a line; undefined where the words are not found, or twice.
 */
export function lineOfLayers(
  layers: readonly Pick<LayerSummary, 'createdBy'>[],
  steps: readonly DockerfileStep[],
): (layer: number) => number | undefined {
  const candidates = steps
    .filter(({ instruction }) => LAYER.has(instruction.toUpperCase()))
    .map(({ line, text }) => ({ line, words: plain(text.replace(/^\S+\s+/, '')) }))
    .filter(({ words }) => words.length >= WORDS_MIN);
  return (layer) => {
    const made = plain(layers[layer]?.createdBy ?? '');
    const found = made === '' ? [] : candidates.filter(({ words }) => made.includes(words));
    return found.length === 1 ? found[0]?.line : undefined;
  };
}

const WORDS_MIN = 3; // characters: shorter ones are found anywhere

/** Builders quote and space the same instruction differently. */
function plain(text: string): string {
  return text.replace(/[\s"'[\],\\]+/g, ' ').trim();
}
