/**
 * What maintainer scripts of verified packages divert and override, as far as their text shows it. Scripts are programs: what
 * cannot be read off is not believed, and a re-installation tells what it really does.
 */
import type { Path } from '../model/path.ts';
import type { Diversion, StatOverride } from './dpkg-database.ts';

/** The commands that begin with a word, with what continues on the next line, without comments. */
function commandsOf(script: string, word: string): string[] {
  const lines = script.replaceAll(/\\\n/g, ' ').split('\n');
  return lines.filter((line) => !/^\s*#/.test(line) && line.includes(word));
}

function wordsOf(command: string): string[] {
  return (command.match(/"[^"]*"|'[^']*'|[^\s;&|()<>`]+/g) ?? []).map((word) => word.replaceAll(/["']/g, ''));
}

/** Whether a path stands in the text as a word, not as the beginning of a longer one. Comments do not count. */
function mentions(script: string, path: Path): boolean {
  const text = script.replaceAll(/^\s*#.*$/gm, '');
  for (let at = text.indexOf(path); at >= 0; at = text.indexOf(path, at + 1)) {
    if (/^$|[\s"'=]/.test(text[at - 1] ?? '') && /^$|[\s"';)]/.test(text[at + path.length] ?? '')) return true;
  }
  return false;
}

/**
 * Whether a script of the diverting package adds this diversion. A command that names its paths has to name these; one that
 * works on variables (a loop, a function) is believed for paths that the script names elsewhere.
 */
export function makesDiversion(script: string, { from, to, package: owner }: Diversion): boolean {
  return commandsOf(script, 'dpkg-divert').some((command) => {
    if (/--(?:remove|list|listpackage|truename)\b/.test(command)) return false;
    const words = wordsOf(command);
    const variable = words.some((word) => word.includes('$'));
    const named = words[words.indexOf('--package') + 1] ?? '';
    if (words.includes('--package') && named !== owner && !named.includes('$')) return false;
    const suffix = to.startsWith(from) ? to.slice(from.length) : '';
    const target =
      words.includes(to) ||
      (suffix === '.distrib' && !words.includes('--divert')) ||
      (variable && (mentions(script, to) || (/^\.[A-Za-z0-9._-]{2,}$/.test(suffix) && script.includes(suffix))));
    return target && (words.includes(from) || (variable && mentions(script, from)));
  });
}

/** Whether a script adds exactly this override; variables count where the script gives them one plain value. */
export function makesStatOverride(script: string, override: StatOverride): boolean {
  return commandsOf(script, 'dpkg-statoverride').some((command) => {
    const words = wordsOf(command);
    const at = words.indexOf('dpkg-statoverride');
    const options = words.slice(at + 1).filter((word) => word.startsWith('--'));
    if (at < 0 || !options.includes('--add')) return false;
    const plain = words.slice(at + 1).filter((word) => !word.startsWith('--'));
    const [user, group, mode, path] = plain.map((word) => valueOf(script, word));
    return user === override.user && group === override.group && path === override.path && parseInt(mode ?? '', 8) === override.mode;
  });
}

function valueOf(script: string, word: string): string | undefined {
  const [, name] = /^\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?$/.exec(word) ?? [];
  if (name === undefined) return word.includes('$') ? undefined : word;
  const values = new Set<string>();
  for (const match of script.matchAll(/^[ \t]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/gm)) {
    if (match[1] === name) values.add(match[2]!.trim().replaceAll(/^(["'])(.*)\1$/g, '$2'));
  }
  const [value] = values;
  return values.size === 1 && value !== undefined && /^[\w./#-]+$/.test(value) ? value : undefined;
}
