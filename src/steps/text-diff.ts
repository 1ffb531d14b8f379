import { structuredPatch } from 'diff';
import { shownLine } from '../model/shown-line.ts';

/** Bytes of either side; a conffile beyond it is data. */
const TEXT_BYTES_MAX = 256 * 1024;
/** Lines added and removed together: what a reader looks at, and a bound on the time of the search. */
const EDITS_MAX = 400;
/** Characters of a line and lines of a diff that are shown. */
const LINE_MAX = 300;
const LINES_MAX = 60;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What was changed, as the hunks of a unified diff (diff(1), "Unified Format") of bounded length; undefined where a side is no
 * text, is too large, or has too little in common with the other. Control characters of either side come out as `\xNN`.
 */
export function textDiff(before: Uint8Array, after: Uint8Array): string | undefined {
  const [from, to] = [textOf(before), textOf(after)];
  if (from === undefined || to === undefined) return undefined;
  const patch = structuredPatch('', '', from, to, undefined, undefined, { context: 1, maxEditLength: EDITS_MAX });
  if (patch === undefined) return undefined;
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: hunk }) => [
    `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`,
    ...hunk.map(printable),
  ]);
  const more = lines.length - LINES_MAX;
  return [...lines.slice(0, LINES_MAX), ...(more > 0 ? [`… ${more} more lines`] : [])].join('\n');
}

/** Of no lines, the line before them is named. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > TEXT_BYTES_MAX || bytes.includes(0)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function printable(line: string): string {
  if (line.startsWith('\\')) return line; // diff's own remark: every line of a file begins with a sign or a space
  return shownLine(line, LINE_MAX);
}
