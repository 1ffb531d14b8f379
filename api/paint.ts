import { styleText } from 'node:util';

export type Color = 'green' | 'yellow' | 'red' | 'dim' | 'bold';
/** Paints, or does not. */
export type Paint = (color: Color, text: string) => string;
export const painted: Paint = (color, text) => styleText(color, text, { validateStream: false });
export const plain: Paint = (_color, text) => text;

/**
 * Colours for a terminal, none for a pipe. NO_COLOR (https://no-color.org/) takes them away, FORCE_COLOR (https://force-color.org/) adds them
 * where nobody said no: pipelines set it because their logs show colours.
 */
export function paintFor(stream: { isTTY?: boolean }, environment: Record<string, string | undefined>): Paint {
  const { NO_COLOR: no = '', FORCE_COLOR: force = '', TERM: terminal } = environment;
  if (no !== '') return plain;
  if (force !== '') return force === '0' || force === 'false' ? plain : painted;
  return stream.isTTY === true && terminal !== 'dumb' ? painted : plain;
}
