import type { Explanation } from '../../model/explanation.ts';
import { textDiff } from '../text-diff.ts';
import type { Pair } from './choose.ts';
import { firstDifferingBytes } from './first-bytes.ts';
import { differingSections } from './sections.ts';

/** Whether the text of an explanation shows all that differs; a line that was cut, as of a minified script, may not. */
export function isTold({ text }: Pick<Explanation, 'text'>): boolean {
  return text !== undefined && !/…$/m.test(text);
}

/** What can be told of two files by their bytes alone, without any program: as text, as programs, else where they begin to differ. */
export function explainBytes(pair: Pair, rebuilt: Uint8Array, published: Uint8Array): Omit<Explanation, 'notes'> {
  const side = ({ digest, size }: Pair['rebuilt']): Explanation['rebuilt'] => ({ digest, size });
  const about = { path: pair.path, rebuilt: side(pair.rebuilt), published: side(pair.published) };
  const text = textDiff(rebuilt, published);
  if (text !== undefined && isTold({ text })) return { ...about, text };
  const sections = differingSections(rebuilt, published);
  const bytes = firstDifferingBytes(rebuilt, published);
  return {
    ...about,
    ...(text === undefined ? {} : { text }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(sections === undefined ? {} : { sections }),
  };
}
