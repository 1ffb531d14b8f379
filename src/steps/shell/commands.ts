/**
 * The commands of a shell script, with what they are fed and whether their failure ends the script, as far as that can be read off without
 * running anything. What a script really does is known to nobody: this points people to lines, and nothing is excused by it.
 */
import {
  type AndOr,
  type CommandNode,
  type CompoundList,
  parse,
  type PipelineNode,
  type Redirection,
  type Script,
  type Statement,
  type Word,
} from 'unbash';
import type { ShellCommand } from './command.ts';
import { hasEnding, type Outcome, HEEDED, UNHEEDED } from './failure.ts';
import { baseName, scriptOf, withoutRunners } from './programs.ts';
import { makeExpand, type Expanded } from './words.ts';

export type ScriptOptions = {
  /** Values of the environment. */
  values?: ReadonlyMap<string, string>;
  /** `set -e` and `set -o pipefail` as the shell is started with. */
  errexit?: boolean;
  pipefail?: boolean;
};

/** Characters of one script. The longest in published Dockerfiles have some 20,000. */
const TEXT_MAX = 64 * 1024;
/** The parser's work grows with the number of nested scripts times the length; honest scripts stay far below. */
const WORK_MAX = 2 ** 24;
const OPENERS = /\$\(|<\(|>\(|<</g;
/** `sh -c "sh -c …"`. */
const DEPTH_MAX = 3;
const COMMANDS_MAX = 2_000;
/** Commands of one pipeline that are seen together. */
const PIPE_MAX = 32;

/** The commands in the order of the text; undefined where the text is too long or too nested to be looked into. */
export function shellCommands(text: string, options: ScriptOptions = {}): ShellCommand[] | undefined {
  try {
    return readScript(text, options, { status: true, exits: true }, DEPTH_MAX);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined; // the stack's end: nested too deeply
    throw thrown;
  }
}

function readScript(text: string, options: ScriptOptions, outcome: Outcome, depth: number): ShellCommand[] | undefined {
  if (text.length > TEXT_MAX || (text.match(OPENERS)?.length ?? 0) * text.length > WORK_MAX) return undefined;
  const commands: ShellCommand[] = [];
  const state = { errexit: options.errexit === true, pipefail: options.pipefail === true };
  const values = new Map(options.values);

  const add = (at: number, name: string | undefined, args: string[], ending: Outcome): ShellCommand => {
    if (commands.length >= COMMANDS_MAX) throw new RangeError(`more than ${COMMANDS_MAX} commands`);
    const fatal = ending.status || (ending.exits && state.errexit);
    const command: ShellCommand = {
      at,
      name,
      args,
      uses: new Set(),
      assigns: [],
      writes: [],
      reads: [],
      input: '',
      from: [],
      to: [],
      fatal,
    };
    commands.push(command);
    return command;
  };

  /** The scripts in the words of a command come behind it in the list. */
  const expandFor = (command: ShellCommand, ending: Outcome) => {
    const uses = new Set<string>();
    command.uses = uses;
    return makeExpand(values, uses, (script, by) => {
      const start = commands.length;
      readList(script.commands, { status: ending.status && command.name === '', exits: ending.exits });
      for (const one of commands.slice(start)) {
        one.within ??= { command, by };
        if (script.source !== undefined) one.at = command.at; // within backquotes, positions are of another text
      }
    });
  };

  function readList(statements: readonly Statement[], outcomeOfAll: Outcome): void {
    for (const [index, { command, background }] of statements.entries()) {
      const last = index === statements.length - 1;
      readChain(command, background === true ? UNHEEDED : { ...outcomeOfAll, status: last && outcomeOfAll.status });
    }
  }

  function readChain(node: AndOr | PipelineNode, ending: Outcome): void {
    if (node.type !== 'AndOr') return readPipeline(node, ending);
    for (const [index, part] of node.commands.entries()) {
      const or = node.operators.indexOf('||', index);
      const rest = or < 0 ? undefined : node.commands[or + 1];
      // `set -e` heeds the last command of a list alone: POSIX.1-2024, XCU 2.15, set.
      const own = index === node.commands.length - 1 ? ending : { ...ending, exits: false };
      readPipeline(part, rest === undefined ? own : hasEnding(rest) ? HEEDED : UNHEEDED);
    }
  }

  function readPipeline(node: PipelineNode, ending: Outcome): void {
    if (node.type !== 'Pipeline') return readNode(node, ending);
    const negated = node.prefixes.some(({ type }) => type === 'Negation');
    const before: ShellCommand[] = [];
    for (const [index, part] of node.commands.entries()) {
      const start = commands.length;
      const heeded = (index === node.commands.length - 1 || state.pipefail) && (!negated || ending.condition === true);
      readNode(part, heeded ? ending : UNHEEDED);
      const all = new Set(commands.slice(start));
      const own = [...all].filter(({ within }) => within === undefined || !all.has(within.command)).slice(0, PIPE_MAX);
      for (const one of own) {
        for (const earlier of before) earlier.to.push(one);
        one.from.push(...before);
      }
      before.splice(0, Math.max(0, before.length + own.length - PIPE_MAX));
      before.push(...own);
    }
  }

  function readNode(node: CommandNode, ending: Outcome): void {
    switch (node.type) {
      case 'Command':
        return readCommand(node, ending);
      case 'Redirected': {
        const start = commands.length;
        readNode(node.command, ending);
        const inner = commands.slice(start);
        const holder = add(node.pos, '{', [], UNHEEDED);
        redirect(holder, node.redirects, ending);
        for (const one of inner) {
          one.writes.push(...holder.writes);
          one.reads.push(...holder.reads);
          one.input += holder.input;
        }
        return;
      }
      case 'If': {
        const branches = [node.then, ...node.elif.map(({ then }) => then), ...(node.else === undefined ? [] : [node.else])];
        const condition = branches.some((branch) => branch.commands.some(({ command }) => hasEnding(command)));
        for (const clause of [node.clause, ...node.elif.map((one) => one.clause)])
          readList(clause.commands, condition ? { ...HEEDED, condition: true } : UNHEEDED);
        for (const branch of branches) readList(branch.commands, ending);
        return;
      }
      case 'While':
        readList(node.clause.commands, UNHEEDED);
        return readBody(node.body, ending);
      case 'For':
      case 'Select':
        readWords(node.pos, 'for', node.wordlist ?? []);
        values.delete(node.name.value);
        return readBody(node.body, ending);
      case 'ArithmeticFor':
        return readBody(node.body, ending);
      case 'Case':
        readWords(node.pos, 'case', [node.word]);
        for (const { body } of node.items) readList(body.commands, ending);
        return;
      case 'BraceGroup':
        return readList(node.body.commands, ending);
      case 'Subshell': {
        const saved = { ...state };
        // A failure ends the subshell alone; then its own status counts.
        const fatal = ending.status || (ending.exits && state.errexit);
        readList(node.body.commands, { status: fatal, exits: fatal });
        Object.assign(state, saved);
        return;
      }
      case 'Function':
      case 'Coproc':
        // Where it is called, its failure may matter.
        if (node.body.type === 'CompoundList') readList(node.body.commands, { ...ending, status: true });
        else readNode(node.body, { ...ending, status: true });
        return;
      case 'TestCommand': {
        const test = add(node.pos, '[[', [], ending);
        const expand = expandFor(test, ending);
        test.args = expand.test(node.expression);
        return;
      }
      case 'ArithmeticCommand':
        expandFor(add(node.pos, '((', [], ending), ending).arithmetic(node.expression);
    }
  }

  /** Of a loop, the status of the last round alone comes out. */
  function readBody(body: CompoundList, ending: Outcome): void {
    readList(body.commands, { ...ending, status: false });
  }

  function readWords(at: number, name: string, words: readonly Word[]): void {
    const holder = add(at, name, [], UNHEEDED);
    const expand = expandFor(holder, UNHEEDED);
    holder.args = words.map((word) => expand.word(word).text);
  }

  function redirect(command: ShellCommand, redirects: readonly Redirection[], ending: Outcome): void {
    const expand = expandFor(command, ending);
    for (const one of redirects) {
      if (one.type === 'HereDoc') {
        const quoted = one.delimiter?.quoted === true;
        command.input += quoted || one.body.parts === undefined ? one.body.text : expand.parts(one.body.parts).text;
        command.document ??= { text: one.body.text, at: one.body.pos };
      } else if (one.target !== undefined) {
        const { text: target } = expand.word(one.target);
        const descriptor = one.descriptor?.type === 'FileDescriptor' ? one.descriptor.value : undefined;
        if (one.type === 'HereString') command.input += `${target}\n`;
        else if (one.operator === '<') command.reads.push(target);
        else if (one.operator !== '<&' && one.operator !== '>&' && descriptor !== 2) command.writes.push(target);
      }
    }
  }

  function readCommand(node: Extract<CommandNode, { type: 'Command' }>, ending: Outcome): void {
    const assignments = node.prefix.filter((one) => one.type === 'Assignment');
    const command = add(node.pos, node.name === undefined ? '' : undefined, [], ending);
    const expand = expandFor(command, ending);
    for (const { name, value } of assignments) {
      const start = commands.length;
      const { text: given, known } = value.type === 'Word' ? expand.word(value) : { text: '', known: false };
      if (value.type === 'ArrayValue') for (const element of value.elements) expand.word(element);
      command.assigns.push({ name, value: given });
      for (const one of commands.slice(start)) one.into ??= name;
      if (node.name === undefined) remember(name, given, known);
    }
    const words: Expanded[] = node.name === undefined ? [] : [expand.word(node.name)];
    for (const one of node.suffix) {
      if (one.type === 'Word') words.push(expand.word(one));
      else if (one.type === 'Assignment') {
        const start = commands.length;
        const given = one.value.type === 'Word' ? expand.word(one.value) : { text: '', known: false };
        for (const inner of commands.slice(start)) inner.into ??= one.name;
        words.push({ text: `${one.name}=${given.text}`, known: given.known });
        command.assigns.push({ name: one.name, value: given.text });
        if (/^(?:export|declare|local|readonly|typeset)$/.test(words[0]?.text ?? '')) remember(one.name, given.text, given.known);
      }
    }
    const uses = command.uses;
    redirect(command, node.redirects, ending);
    command.uses = new Set([...uses, ...command.uses]);
    if (words.length > 0) nameIt(command, words);
    runScript(command);
    if (command.name === 'set') setOptions(command.args);
    for (const assigned of /^(?:read|unset|getopts)$/.test(command.name ?? '') ? command.args : []) values.delete(assigned);
  }

  /** Two values of one name are none: which of them counts depends on the way that the script takes. */
  function remember(name: string, value: string, known: boolean): void {
    const before = values.get(name);
    if (known && (before === undefined || before === value || options.values?.has(name) === true)) values.set(name, value);
    else values.delete(name);
  }

  function setOptions(args: readonly string[]): void {
    for (const [index, word] of args.entries()) {
      if (!/^[-+][A-Za-z]+$/.test(word)) continue;
      const on = word.startsWith('-');
      if (word.includes('e')) state.errexit = on;
      if (!word.includes('o')) continue;
      if (args[index + 1] === 'errexit') state.errexit = on;
      if (args[index + 1] === 'pipefail') state.pipefail = on;
    }
  }

  function nameIt(command: ShellCommand, expanded: readonly Expanded[]): void {
    const [first = '', ...args] = withoutRunners(expanded.map((word) => word.text));
    command.name = first.includes('$') || first.includes('`') ? undefined : baseName(first);
    command.args = args;
  }

  function runScript(command: ShellCommand): void {
    const script = depth === 0 ? undefined : scriptOf(command);
    if (script === undefined) return;
    const { args, fatal } = command;
    const flags = args.filter((word) => /^-[A-Za-z]+$/.test(word)).join('');
    const settings = { values, errexit: flags.includes('e'), pipefail: args.includes('pipefail') };
    for (const one of readScript(script.text, settings, { status: fatal, exits: fatal }, depth - 1) ?? []) {
      one.at = script.at === undefined ? command.at : script.at + one.at;
      one.writes.push(...command.writes);
      commands.push(one);
    }
  }

  readList((parse(text) satisfies Script).commands, outcome);
  return commands;
}
