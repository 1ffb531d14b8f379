import type { Path } from '../../model/path.ts';
import { equalBy, linesOf, type Rule, type RuleContext, type Side } from './rule.ts';

/** Binary distribution format, "The .dist-info directory": path, hash, size; none for the file itself and for compiled code. */
const LINE = /^([^",]+),sha256=([A-Za-z0-9_-]{43}),(\d+)$/;

/**
 * The lines in order; of those that say what the file beside them is in the same image the path alone, since that file is compared by
 * itself. Every other line stands as it is.
 */
function lines(side: Side, neighbour: (path: string) => Side | undefined): string[] | undefined {
  const folder = side.facts.path.split('/').slice(0, -2);
  return linesOf(side)
    ?.map((line) => {
      const [, path = '', hash = '', size] = LINE.exec(line) ?? [];
      const facts = size === undefined ? undefined : neighbour(pathFrom(folder, path))?.facts;
      const digest = `sha256:${Buffer.from(hash, 'base64url').toString('hex')}`;
      return facts?.kind === 'file' && facts.digest === digest && facts.size === Number(size) ? `\0${path}` : line; // no text holds a NUL
    })
    .sort();
}

function pathFrom(folder: readonly string[], path: string): Path {
  const parts = path.startsWith('/') ? [''] : [...folder];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

export const wheelRecord: Rule = {
  name: 'wheel-record',
  version: 1,
  reason:
    'pip notes path, SHA-256 and size of each file that it installed; what each image notes of its own files has to be true, and follows from files that are compared by themselves. All other lines are compared',
  applies: (path) => path.endsWith('.dist-info/RECORD'),
  equal: (published, rebuilt, context: RuleContext) => {
    const compared = equalBy((side) => lines(side, (path) => context.neighbour(side === published ? 'published' : 'other', path)));
    return compared(published, rebuilt, context);
  },
};
