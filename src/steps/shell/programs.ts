import { interpreted, unwrapped } from '../run-wrappers.ts';
import type { ShellCommand } from './command.ts';

/** Programs and builtins that run the command behind them; what unwraps the others is shared with the start of a container. */
const RUNNERS: ReadonlySet<string> = new Set([
  'command',
  'builtin',
  'exec',
  'busybox',
  'eatmydata',
  'fakeroot',
  'xargs',
  'time',
  'unbuffer',
  'doas',
]);
/** In a row. */
const RUNNERS_MAX = 8;
const VALUED: Record<string, RegExp> = { xargs: /^-[EILnPsd]$/, exec: /^-a$/, doas: /^-[uC]$/ };

/** The words of a command without what only runs it: `sudo -E env A=b curl x` is `curl x`. */
export function withoutRunners(given: readonly string[]): string[] {
  let words = [...given];
  for (let left = RUNNERS_MAX; left > 0; left--) {
    const program = baseName(words[0] ?? '');
    const rest = RUNNERS.has(program) ? withoutOptions(words.slice(1), program) : unwrapped(program, words.slice(1));
    if (rest === undefined || rest.length === 0) break;
    words = rest;
  }
  return words;
}

function withoutOptions(words: readonly string[], program: string): string[] {
  let at = 0;
  while (words[at]?.startsWith('-') === true) at += VALUED[program]?.test(words[at] ?? '') === true ? 2 : 1;
  return words.slice(at);
}

/** What a command runs as a script of its own. */
export function scriptOf({
  name,
  args,
  document,
}: Pick<ShellCommand, 'name' | 'args' | 'document'>): { text: string; at?: number } | undefined {
  // `RUN <<EOF`: the builder runs what is in the document. A shell alone would do nothing with it.
  if (name === '' && document !== undefined) return /^#!(?!.*\b(?:ba|da|a|k|z)?sh\b)/.test(document.text) ? undefined : document;
  if (name === 'eval') return { text: args.join(' ') };
  const su = name === 'su' ? args.findIndex((word) => /^(?:-c|--command)$/.test(word)) : -1;
  if (su >= 0) return { text: args[su + 1] ?? '' };
  if (name === undefined || !isShell(name)) return undefined;
  const given = interpreted(
    name,
    args.filter((word) => word !== '-'),
  );
  return given === undefined ? document : 'text' in given ? given : undefined;
}

export function isShell(name: string): boolean {
  return /^(?:ba|da|a|k|mk|z)?sh$/.test(name);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
