import { visible } from '../text.ts';

const MARK: unique symbol = Symbol('html');
/** Text that is HTML already. Only the `html` tag makes one. */
export type Html = { readonly [MARK]: string };
export type Part = Html | string | number | undefined | false | readonly Part[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Also right within a quoted attribute. What a reader cannot see is shown: it comes from images and their builds. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Every value is escaped, but for what is `Html`. Lists are joined; undefined and false give nothing. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  let out = strings[0] ?? '';
  values.forEach((value, index) => {
    out += textOf(value) + (strings[index + 1] ?? '');
  });
  return { [MARK]: out };
}

export function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escapeHtml(part);
  if (MARK in part) return part[MARK];
  return part.map(textOf).join('');
}

/** A file of our own as a whole element: what stands between its tags is what its hash is of, to the byte. */
export function inlineElement(name: 'style' | 'script', text: string): Html {
  if (/<\/|<!--/.test(text)) throw new Error(`what stands in <${name}> must not hold an end tag or a comment of HTML`);
  return { [MARK]: name === 'style' ? `<style>${text}</style>` : `<script type="module">${text}</script>` };
}

/** The first of the items whose HTML fits into so many characters, at least one of them, and how many are left over. */
export function fitting<T>(
  items: readonly T[],
  render: (item: T, index: number) => Html,
  charactersMax: number,
): { shown: Html[]; rest: number } {
  const shown: Html[] = [];
  let characters = 0;
  for (const [index, item] of items.entries()) {
    const part = render(item, index);
    characters += part[MARK].length;
    if (characters > charactersMax && shown.length > 0) break;
    shown.push(part);
  }
  return { shown, rest: items.length - shown.length };
}
