import { type Dockerfile, expandVariables, type Instruction } from '../model/dockerfile.ts';
import { lineAt } from '../model/joined-lines.ts';
import type { Platform } from '../model/oci.ts';
import { lineageOf, mounts, parentOf, stagesFor, variables } from './build-stages.ts';
import type { ShellCommand } from './shell/command.ts';
import { shellCommands } from './shell/commands.ts';
import { baseName, isShell } from './shell/programs.ts';

/** One instruction of a stage that the image is made of, with what it runs. */
export type Step = {
  instruction: Instruction;
  stage: number;
  /** Whether what it leaves is in the final image; of other stages, only what is copied out of them is. */
  final: boolean;
  /** Arguments and variables that have a known value there. */
  values: ReadonlyMap<string, string>;
  /** Of RUN, and of COPY and ADD with here-documents, which are commands that write files. */
  commands: readonly ShellCommand[];
  /** Folders that the step mounts over the image: nothing written there stays. */
  mounted: readonly string[];
  /** Its script is too long or too nested to be looked into. */
  unread: boolean;
  /** Line of the Dockerfile. */
  lineOf(command: ShellCommand): number;
};

export type StepOptions = {
  platform: Platform;
  buildArgs?: Record<string, string>;
  target?: string;
  /** `Env` of the image, where variables of the base image are told as well. */
  env?: readonly string[];
};

/** The stages that the target needs, and their instructions in the order of the file. */
export function stepsOf(dockerfile: Dockerfile, options: StepOptions): { steps: Step[]; stages: ReadonlySet<number> } {
  const { platform, buildArgs = {} } = options;
  const global = variables(dockerfile, buildArgs, platform);
  const target = options.target === undefined ? {} : { target: options.target };
  const needed = new Set(stagesFor('buildkit', dockerfile, { ...target, buildArgs }, platform)?.map(([index]) => index));
  const lineage = new Set(needed.size === 0 ? [] : lineageOf(dockerfile.stages, Math.max(...needed), global));
  const steps: Step[] = [];
  for (const [index, stage] of dockerfile.stages.entries()) {
    if (!needed.has(index)) continue;
    const parent = parentOf(dockerfile.stages, index, global);
    const inherited = parent === undefined ? undefined : steps.findLast((step) => step.stage === parent);
    const final = lineage.has(index);
    // What the Dockerfile sets has its value from there on; all other variables of the image were there before.
    const values = new Map(inherited?.values ?? (final ? baseEnvironment(dockerfile, options.env ?? []) : []));
    let shell: Shell = { known: true };
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'ENV') for (const [name, value] of pairs(instruction, values)) values.set(name, value);
      if (instruction.keyword === 'ARG') declare(instruction, values, global, buildArgs);
      if (instruction.keyword === 'SHELL') shell = shellOf(instruction);
      steps.push({ ...readStep(instruction, new Map(values), shell), stage: index, final });
    }
  }
  return { steps, stages: needed };
}

function baseEnvironment({ stages }: Dockerfile, env: readonly string[]): Map<string, string> {
  const own = new Set(
    stages
      .flatMap(({ instructions }) => instructions.flatMap((one) => (one.keyword === 'ENV' ? pairs(one, new Map()) : [])))
      .map(([name]) => name),
  );
  const all = env.map((one): [string, string] => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]);
  return new Map(all.filter(([name]) => name !== '' && !own.has(name)));
}

/** `ENV A=1 B="two words"`, and the old form `ENV A one value`. */
function pairs(instruction: Instruction, values: ReadonlyMap<string, string>): [string, string][] {
  const text = bodyOf(instruction).text.trim();
  const old = /^(\w+)[ \t]+([^]*)$/.exec(text);
  if (old !== null) return [[old[1] ?? '', expandVariables(old[2] ?? '', values).text]];
  const [command] = shellCommands(text, { values }) ?? [];
  return command?.assigns.map(({ name, value }): [string, string] => [name, value]) ?? [];
}

function declare(
  { words }: Instruction,
  values: Map<string, string>,
  global: ReadonlyMap<string, string>,
  given: Record<string, string>,
): void {
  for (const word of words) {
    const [name = ''] = word.split('=', 1);
    const default_ = word.includes('=')
      ? expandVariables(word.slice(name.length + 1).replace(/^(["'])(.*)\1$/s, '$2'), values).text
      : global.get(name);
    const value = Object.hasOwn(given, name) ? given[name] : default_;
    if (value !== undefined && !values.has(name)) values.set(name, value);
  }
}

type Shell = { known: boolean; errexit?: boolean; pipefail?: boolean };

function shellOf(instruction: Instruction): Shell {
  const words = listOf(bodyOf(instruction).text) ?? [];
  const flags = words.filter((word) => /^-[A-Za-z]+$/.test(word)).join('');
  return { known: isShell(baseName(words[0] ?? '')), errexit: flags.includes('e'), pipefail: words.includes('pipefail') };
}

function readStep(instruction: Instruction, values: ReadonlyMap<string, string>, shell: Shell): Omit<Step, 'stage' | 'final'> {
  const { keyword, heredoc, flags, source } = instruction;
  const body = bodyOf(instruction);
  const mounted =
    keyword !== 'RUN' ? [] : mounts(flags).flatMap((mount) => (/^(?:cache|tmpfs)$/.test(mount.get('type') ?? '') ? [targetOf(mount)] : []));
  const lineOf = ({ at }: ShellCommand): number => lineAt(source, body.offset + at);
  const step = { instruction, values, mounted, lineOf, commands: [] as ShellCommand[], unread: false };
  if (keyword === 'RUN') {
    const list = listOf(body.text);
    const text = list === undefined ? body.text : list.map(quoted).join(' ');
    if (list === undefined && !shell.known) return step;
    const commands = shellCommands(text, { values, ...(list === undefined ? shell : {}) });
    if (list !== undefined) for (const command of commands ?? []) command.at = 0;
    return { ...step, commands: commands ?? [], unread: commands === undefined };
  }
  if (heredoc && (keyword === 'COPY' || keyword === 'ADD')) {
    // The destination of the documents is the last word.
    const [command] = shellCommands(body.text, { values }) ?? [];
    const words = instruction.words.filter((word) => !word.startsWith('<<'));
    const to = expandVariables(instruction.source.text.split('\n', 1)[0]?.trim().split(/\s+/).at(-1) ?? '', values).text;
    if (command !== undefined && words.length > 0) return { ...step, commands: [{ ...command, name: keyword, writes: [to] }] };
  }
  return step;
}

function targetOf(mount: ReadonlyMap<string, string>): string {
  return (mount.get('target') ?? mount.get('dst') ?? mount.get('destination') ?? '').replace(/(?<=.)\/+$/, '');
}

/** What stands behind keyword and flags, and where in the source that is. */
export function bodyOf({ source, flags }: Pick<Instruction, 'source' | 'flags'>): { text: string; offset: number } {
  const word = /\s*\S+/y;
  for (let left = 1 + flags.length; left > 0; left--) word.test(source.text);
  const offset = word.lastIndex;
  return { text: source.text.slice(offset), offset };
}

/** The exec form: a JSON list of strings. */
function listOf(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
