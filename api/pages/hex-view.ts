import type { Explanation } from '../../src/model/explanation.ts';
import { html, type Html, type Part } from './html.ts';
import type { Say } from './words/index.ts';

const LINE = 16; // bytes

/** Some bytes of both sides around the first that differs, in lines of 16: those that differ are marked. */
export function hexView(say: Say, { offset, from, rebuilt, published }: NonNullable<Explanation['bytes']>): Html {
  const [ours, theirs] = [Buffer.from(rebuilt, 'hex'), Buffer.from(published, 'hex')];
  const starts = Array.from({ length: Math.ceil(Math.max(ours.length, theirs.length) / LINE) }, (_one, index) => index * LINE);
  const side = (sign: string, bytes: Buffer, other: Buffer, start: number): Part => {
    const line = bytes.subarray(start, start + LINE);
    if (line.length === 0) return undefined;
    const address = (from + start).toString(16).padStart(8, '0');
    const marked = (at: number, text: string): Part => (bytes[start + at] === other[start + at] ? text : html`<mark>${text}</mark>`);
    const hex = [...line].map((byte, at): Part => [marked(at, byte.toString(16).padStart(2, '0')), at === 7 ? '  ' : ' ']);
    const padding = ' '.repeat((LINE - line.length) * 3 + (line.length < 8 ? 1 : 0));
    const text = [...line].map((byte, at) => marked(at, byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'));
    return html`<span class="${sign === '+' ? 'add' : sign === '-' ? 'del' : ''}">${sign}${address} ${hex}${padding} ${text}</span>${'\n'}`;
  };
  const isSame = (start: number): boolean => ours.subarray(start, start + LINE).equals(theirs.subarray(start, start + LINE));
  return html`<p>${say.explanation.bytes(say.count(offset), offset.toString(16))}</p>
    <pre class="diff" tabindex="0">
${starts.map((start) => (isSame(start) ? side(' ', ours, theirs, start) : [side('-', ours, theirs, start), side('+', theirs, ours, start)]))}</pre>`;
}
