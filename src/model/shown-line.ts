import { textFromBytes } from './path.ts';

/** Lines as a reader may see them: control characters as `\xNN`, but for tabs, which are layout; long ones are cut. Lengths in characters. */
export function shownLine(line: string, max: number): string {
  const cut = line.length > max ? `${line.slice(0, max)}…` : line;
  return cut
    .split('\t')
    .map((part) => textFromBytes(Buffer.from(part)))
    .join('\t');
}
