/**
 * The simple commands of a shell script, as far as they can be read off without running it. POSIX.1-2024, XCU 2.2, 2.3 and 2.9.1.
 * Nothing is judged by this: it only says which programs a line names, and what depends on the moment is said to.
 */

/** A word; `plain` where no expansion can make it another. */
export type ShellWord = { text: string; plain: boolean };

/** Characters of a script that are read; a start script is a few hundred. */
const TEXT_MAX = 64 * 1024;
const COMMANDS_MAX = 2_000;

const KEYWORDS: ReadonlySet<string> = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'time', 'command']);
/** Begin or end what is no simple command, or change the shell alone. */
const BUILTINS: ReadonlySet<string> = new Set(
  '. : [ [[ alias bg break case cd continue declare done echo esac eval exit export false fg fi for function getopts hash let local printf pwd read readonly return select set shift shopt source test times trap true type typeset ulimit umask unalias unset wait }'.split(
    ' ',
  ),
);
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*\+?=/;

export type SimpleCommand = { words: ShellWord[]; exec: boolean };

/** The commands that are programs, in the order of the text; keywords, assignments and redirections are left out. */
export function simpleCommands(text: string): SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  for (const words of lists(text.slice(0, TEXT_MAX))) {
    const command = simple(words);
    if (command !== undefined) commands.push(command);
    if (commands.length >= COMMANDS_MAX) break;
  }
  return commands;
}

function simple(words: ShellWord[]): SimpleCommand | undefined {
  let at = 0;
  let exec = false;
  for (; at < words.length; at++) {
    const { text, plain } = words[at]!;
    if (plain && text === 'exec') exec = true;
    else if (exec && text === '-a') at++;
    else if (!(plain && KEYWORDS.has(text)) && !ASSIGNMENT.test(text) && !(exec && /^-[cl]+$/.test(text))) break;
  }
  const first = words[at];
  if (first === undefined || (first.plain && BUILTINS.has(first.text))) return undefined;
  return { words: words.slice(at), exec };
}

/** Words between the operators that end a command. */
function* lists(text: string): Generator<ShellWord[]> {
  let words: ShellWord[] = [];
  let redirects = false;
  for (const token of tokens(text)) {
    if (token === 'end') {
      if (words.length > 0) yield words;
      words = [];
      redirects = false;
    } else if (token === 'function') {
      words = []; // the word before was the name of a function
    } else if (token === 'redirect') {
      redirects = true;
      // The number before it is a file descriptor.
      if (/^\d$/.test(words.at(-1)?.text ?? '')) words.pop();
    } else if (redirects) redirects = false;
    else words.push(token);
  }
  if (words.length > 0) yield words;
}

// One alternative for each kind of piece; none can match in two ways, so that this is linear.
const PIECE =
  /(?<comment>(?<![^\s;&|()])#[^\n]*)|(?<blank>(?:[ \t\r]|\\\n)+)|(?<end>[\n;&|()]+)|(?<redirect>[<>]+&?)|(?<single>'[^']*'?)|(?<double>"(?:[^"\\]|\\[^])*"?)|(?<escape>\\[^]?)|(?<plain>[^\s\\'";&|()<>$`*?~]+)|(?<other>[^])/y;

function* tokens(text: string): Generator<ShellWord | 'end' | 'redirect' | 'function'> {
  let word: ShellWord | undefined;
  const add = (piece: string, plain: boolean): void => {
    word = { text: (word?.text ?? '') + piece, plain: (word?.plain ?? true) && plain };
  };
  PIECE.lastIndex = 0;
  for (let match = PIECE.exec(text); match?.groups !== undefined; match = PIECE.exec(text)) {
    const { comment, blank, end, redirect, single, double, escape, plain } = match.groups;
    const piece = match[0];
    const resume = PIECE.lastIndex;
    if (comment ?? blank ?? end ?? redirect) {
      if (word !== undefined) yield word;
      word = undefined;
      if (end !== undefined) yield end.startsWith('()') ? 'function' : 'end';
      if (redirect !== undefined) yield 'redirect';
    } else if (single !== undefined) add(piece.slice(1).replace(/'$/, ''), true);
    else if (double !== undefined) add(unquoted(piece), !/(?<!\\)[$`]/.test(piece));
    else if (escape !== undefined) add(piece.slice(1), true);
    else add(piece, plain !== undefined);
    PIECE.lastIndex = resume; // another script may have been read between two words of this one
  }
  if (word !== undefined) yield word;
}

function unquoted(piece: string): string {
  return piece
    .slice(1)
    .replace(/"$/, '')
    .replaceAll(/\\([$`"\\])/g, '$1');
}
