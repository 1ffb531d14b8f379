import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { DiffNode } from './explanation.ts';
import { shownLine } from './shown-line.ts';

/** What is kept of the report about one file: what a reader looks at, and a few hundred kilobytes for an image. */
export type DiffLimits = { nodes: number; depth: number; lines: number; characters: number };
const LIMITS: DiffLimits = { nodes: 60, depth: 6, lines: 60, characters: 16_384 };
/** Characters. */
const NAME_MAX = 200;
const LINE_MAX = 300;
const COMMENTS_MAX = 10;

/** One node of a report of diffoscope, `diffoscope-json-version` 1, without what it holds; the names are those of hostile files. */
const Node = Type.Object({
  source1: Type.String(),
  source2: Type.String(),
  unified_diff: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  comments: Type.Optional(Type.Array(Type.String())),
  details: Type.Optional(Type.Array(Type.Unknown())),
});
type Node = Static<typeof Node>;
const Report = Type.Object({ 'diffoscope-json-version': Type.Literal(1), ...Node.properties });

/**
 * What a report on two folders says of each file in them, by the file's name. Undefined for what is no such report. What goes beyond the limits is
 * left out, which a comment tells.
 */
export function parseDiffoscope(text: string, limits: DiffLimits = LIMITS): Map<string, DiffNode[]> | undefined {
  const report = jsonOf(text);
  if (!Value.Check(Report, report)) return undefined;
  const files = new Map<string, DiffNode[]>();
  for (const file of report.details ?? []) {
    // The folders' own listings come as nodes as well.
    if (!Value.Check(Node, file) || !/\/\d+$/.test(file.source1)) continue;
    const left = { nodes: limits.nodes, characters: limits.characters };
    const { diff, comments, inside = [] } = nodeOf(file, limits, left, 0);
    const own =
      diff === undefined && comments === undefined
        ? []
        : [{ rebuilt: '', published: '', ...(diff && { diff }), ...(comments && { comments }) }];
    files.set(file.source1.slice(file.source1.lastIndexOf('/') + 1), [...own, ...inside]);
  }
  return files;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut off, or not written by diffoscope
  }
}

function nodeOf(node: Node, limits: DiffLimits, left: { nodes: number; characters: number }, depth: number): DiffNode {
  const comments = (node.comments ?? []).slice(0, COMMENTS_MAX).map((line) => take(shownLine(oneLine(line), LINE_MAX), left));
  const diff = typeof node.unified_diff === 'string' ? hunksOf(node.unified_diff, limits, left) : undefined;
  const inside: DiffNode[] = [];
  const details = node.details ?? [];
  for (const [index, one] of details.entries()) {
    if (left.nodes <= 0 || left.characters <= 0 || depth >= limits.depth) {
      comments.push(`${details.length - index} more below this are not shown`);
      break;
    }
    if (!Value.Check(Node, one)) continue;
    left.nodes -= 1;
    inside.push(nodeOf(one, limits, left, depth + 1));
  }
  const name = (text: string): string => take(shownLine(oneLine(text), NAME_MAX), left);
  return {
    rebuilt: name(node.source1),
    published: name(node.source2),
    ...(comments.length === 0 ? {} : { comments }),
    ...(diff === undefined ? {} : { diff }),
    ...(inside.length === 0 ? {} : { inside }),
  };
}

function hunksOf(diff: string, limits: DiffLimits, left: { characters: number }): string {
  const lines = diff.split('\n', limits.lines + 1);
  const more = lines.length > limits.lines && diff.trimEnd() !== lines.slice(0, limits.lines).join('\n');
  const shown: string[] = [];
  for (const line of lines.slice(0, limits.lines)) {
    if (left.characters <= 0) return [...shown, '… more is not shown'].join('\n');
    shown.push(take(shownLine(line, LINE_MAX), left));
  }
  if (shown.at(-1) === '') shown.pop();
  return [...shown, ...(more ? ['… more is not shown'] : [])].join('\n');
}

function take(text: string, left: { characters: number }): string {
  left.characters -= text.length + 1;
  return text;
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
