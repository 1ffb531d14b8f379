import { type Html, textOf } from '../../api/pages/html.ts';

/** Every text of a catalogue with its place; what takes values is given marks. */
export function* textsOf(value: unknown, place: string): Generator<[place: string, text: string]> {
  if (typeof value === 'string') yield [place, value];
  else if (typeof value === 'function') {
    if (!/^(?:finding|summary|problem)$/.test(place))
      yield* textsOf((value as (...marks: unknown[]) => unknown)('§', '§', '§', '§', '§'), place);
  } else if (typeof value === 'object' && value !== null) {
    if (Object.getOwnPropertySymbols(value).length > 0) yield [place, textOf(value as Html)];
    else for (const [name, part] of Object.entries(value)) yield* textsOf(part, place === '' ? name : `${place}.${name}`);
  }
}
