import type { Entry } from '../model/inventory.ts';
import { type Path, textFromBytes } from '../model/path.ts';
import type { AccountLine, RunProgram } from '../model/verdict.ts';
import type { Case } from './case.ts';
import { isBelow } from './follow-path.ts';
import { locate, type Located, type RunPlace, runPlace } from './locate-program.ts';
import { interpreted, unwrapped } from './run-wrappers.ts';
import { simpleCommands } from './shell-words.ts';
import { whoseFile } from './whose-file.ts';

/** Programs that are told; the first is what was asked for. */
const PROGRAMS_MAX = 16;
/** A script that runs a script that … */
const DEPTH_MAX = 8;
/** Words that are looked up: scripts that name each other may go on for ever. */
const ORDERS_MAX = 200;
/** Characters of a word. */
const WORD_MAX = 4096;
/** Before a word that the shell makes something of when it runs; no word of a process can hold it. */
const UNREADABLE = '\0';

type Order = {
  by: RunProgram['by'];
  words: readonly string[];
  depth: number;
  /** Told only where it is a file of the image: words that a program may take for anything. */
  perhaps?: true;
  /** An interpreter needs no x bit on what it reads. */
  readable?: true;
};

/**
 * Which programs a container of the image runs when nothing else is asked for, and whose they are: Entrypoint and Cmd looked up as
 * an engine does it, start scripts and wrappers read as far as they can be. OCI image specification 1.1, config.md. It names files;
 * it excuses and accuses nothing.
 */
export function whatItRuns(file: Case, account: ReadonlyMap<Path, AccountLine>): RunProgram[] {
  const config = file.published.inventory.config.config ?? {};
  const place = runPlace(config, file.published.entries);
  const programs = new Map<string, RunProgram>();
  const followed = new Set<string>();
  const orders: Order[] = [{ by: 'entry-point', words: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])], depth: 0 }];
  for (let count = 0; count < ORDERS_MAX && programs.size < PROGRAMS_MAX; count++) {
    const order = orders.shift();
    if (order === undefined) break;
    const [word, ...rest] = order.words;
    const key = JSON.stringify([order.by === 'interpreter', order.words]);
    if (word === undefined || word === '' || followed.has(key)) continue;
    followed.add(key);
    const located = word.startsWith(UNREADABLE)
      ? { problem: 'what this is depends on variables, and is only known when it runs', doubts: [] }
      : locate(place, word.slice(0, WORD_MAX), order.readable === true);
    if (order.perhaps === true && !('entry' in located)) continue;
    const program = programOf(file, account, place, order.by, word, located);
    const name = program.path ?? program.command;
    if (!programs.has(name)) programs.set(name, program);
    if ('entry' in located && order.depth < DEPTH_MAX) orders.unshift(...next(file, located.entry, rest, order));
  }
  return [...programs.values()];
}

/** What a program goes on to run, as far as its name, its words and its text tell. */
function next(file: Case, entry: Entry, words: string[], { by, depth: before }: Order): Order[] {
  const depth = before + 1;
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
  if (entry.interpreter !== undefined) return ofScript(file, entry, words, depth);
  // The shell of a script is asked what it runs by the script itself.
  const wrapped = unwrapped(name, words);
  if (wrapped !== undefined) return [{ by: by === 'interpreter' ? 'interpreter' : 'argument', words: wrapped, depth }];
  if (by === 'interpreter') return [];
  const told = interpreted(name, words);
  if (told === undefined) return [];
  if ('file' in told)
    return [{ by: 'argument', words: [told.file, ...words.slice(words.indexOf(told.file) + 1)], depth, perhaps: true, readable: true }];
  return commandsOf(told.text, words.slice(words.indexOf(told.text) + 2), 'shell', depth, false);
}

function ofScript(file: Case, entry: Entry, words: string[], depth: number): Order[] {
  // The kernel hands over everything behind the first blank as one word.
  const [, program = '', argument] = /^(\S+)\s*(.*)$/.exec(entry.interpreter ?? '') ?? [];
  const orders: Order[] = [
    { by: 'interpreter', words: [program, ...(argument === undefined || argument === '' ? [] : [argument])], depth },
  ];
  const bytes = entry.digest === undefined ? undefined : file.published.contents.get(entry.digest);
  const isShell = /sh(?:\s|$)/.test(entry.interpreter ?? '');
  if (bytes !== undefined && isShell) return [...orders, ...commandsOf(Buffer.from(bytes).toString('utf8'), words, 'script', depth, true)];
  return [...orders, { by: 'argument', words, depth, perhaps: true }];
}

/** Of a whole script the commands that take its place (`exec`), else the last one; of `sh -c` every one. */
function commandsOf(text: string, handed: readonly string[], by: 'shell' | 'script', depth: number, chosen: boolean): Order[] {
  const commands = simpleCommands(text);
  const executed = commands.filter(({ exec }) => exec);
  const told = !chosen ? commands : executed.length > 0 ? executed : commands.slice(-1);
  return told.slice(0, PROGRAMS_MAX).map(({ words }): Order => {
    const expanded = words.flatMap(({ text: word, plain }) => {
      if (plain) return [word];
      return ALL_ARGUMENTS.test(word) ? handed : [`${UNREADABLE}${word}`];
    });
    return { by: words[0]?.plain === false ? 'argument' : by, words: expanded, depth, ...(chosen ? { perhaps: true } : {}) };
  });
}

const ALL_ARGUMENTS = /^\$(?:[@*]|\{[@*]\})$/;

function programOf(
  file: Case,
  account: ReadonlyMap<Path, AccountLine>,
  place: RunPlace,
  by: RunProgram['by'],
  word: string,
  located: Located,
): RunProgram {
  const command = textFromBytes(Buffer.from(word.replace(UNREADABLE, '').slice(0, WORD_MAX)));
  if (!('entry' in located)) return { by, command, statement: [located.problem, ...located.doubts].join('; ') };
  const { entry, via, doubts } = located;
  const whose = whoseFile(file, entry, account.get(entry.path));
  const strange = via.filter((path) => account.get(path)?.attribution === 'unexplained');
  const volume = isBelow(entry.path, place.volumes);
  const claims = whose.attribution === 'debian-official' || whose.attribution === 'debian-generated' ? [] : (entry.claims ?? []);
  const statement = [
    whose.statement,
    ...claims.slice(0, 3).map(({ name, version = '' }) => `its bytes say ${`${name} ${version}`.trim()}`),
    ...strange.slice(0, 3).map((path) => `reached through ${path}, a link that nothing accounts for`),
    ...(volume === undefined ? [] : [`${volume} is a volume: what is mounted there runs instead`]),
    ...doubts,
  ].join('; ');
  const { package: purl, version, attribution } = whose;
  return {
    by,
    command,
    path: entry.path,
    ...(via.length === 0 ? {} : { via: via.slice(0, 10) }),
    ...(entry.digest === undefined ? {} : { digest: entry.digest }),
    ...(purl === undefined ? {} : { package: purl }),
    ...(version === undefined ? {} : { version }),
    ...(attribution === undefined ? {} : { attribution }),
    statement,
  };
}
