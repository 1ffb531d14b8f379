import type { Dockerfile, Instruction } from '../../model/dockerfile.ts';
import { expandVariables } from '../../model/dockerfile.ts';
import type { PinPlace } from '../../model/download.ts';
import { type ShellCommand, shellCommands } from '../shell/commands.ts';
import { baseName } from '../shell/programs.ts';
import { addChecked } from './checks.ts';
import { addLockFiles, isLockFile } from './lock-files.ts';
import { addHex, noPins, type Pins } from './pin.ts';

export type { Pins };

const SCRIPT = /\.(?:sh|bash)$/;
const CHECKSUMS = /(?:sha(?:256|512)|checksum)/i;
/** Bytes. Lock files of large projects have some MB; scripts and lists far less. */
const LOCK_BYTES_MAX = 16 * 1024 * 1024;
const TEXT_BYTES_MAX = 64 * 1024;

/** Whether a file of the source may say what a build's downloads have to be. */
export function mayPin(path: string, size: number): boolean {
  if (isLockFile(path)) return size <= LOCK_BYTES_MAX;
  return size <= TEXT_BYTES_MAX && (SCRIPT.test(path) || CHECKSUMS.test(baseName(path)));
}

/**
 * The digests that the steps of a Dockerfile check their downloads against: in the Dockerfile itself, in scripts of the source that a step runs, in
 * lists that a step checks and lock files that a step installs by. A digest that merely stands somewhere is none.
 */
export function pinsOf(
  dockerfile: Dockerfile,
  path: string,
  buildArgs: Readonly<Record<string, string>>,
  texts: ReadonlyMap<string, string>,
): Pins {
  const pins = noPins();
  const values = new Map<string, string>();
  for (const { name, value = '' } of dockerfile.args) values.set(name, buildArgs[name] ?? value);
  for (const { instructions } of dockerfile.stages) {
    for (const instruction of instructions) {
      const place: PinPlace = { path, line: instruction.line };
      if (instruction.keyword === 'ENV' || instruction.keyword === 'ARG') setVariables(instruction, values, buildArgs);
      if (instruction.keyword === 'ADD') {
        for (const [name, value] of instruction.flags)
          if (name === 'checksum') addHex(pins, expandVariables(value, values).text, () => place);
      }
      if (instruction.keyword === 'RUN') addRun(pins, scriptOf(instruction), { values, texts, place });
    }
  }
  return pins;
}

function addRun(
  pins: Pins,
  script: string,
  scene: { values: ReadonlyMap<string, string>; texts: ReadonlyMap<string, string>; place: PinPlace },
): void {
  const { values, texts, place } = scene;
  const commands = shellCommands(script, { values }) ?? [];
  addChecked(pins, { commands, values, texts, placeOf: () => place });
  addLockFiles(pins, commands, texts);
  for (const [file, text] of texts) {
    if (!SCRIPT.test(file) || !commands.some((command) => runs(command, baseName(file)))) continue;
    const errexit = /^#![^\n]* -[a-z]*e/.test(text);
    const inner = shellCommands(text, { values, errexit }) ?? [];
    const placeOf = ({ at }: ShellCommand): PinPlace => ({ path: file, line: text.slice(0, at).split('\n').length });
    addChecked(pins, { commands: inner, values, texts, placeOf });
    addLockFiles(pins, inner, texts);
  }
}

/** `./install.sh`, `sh install.sh`, `. install.sh`. */
function runs({ name, args }: ShellCommand, file: string): boolean {
  return name === file || (/^(?:sh|bash|dash|\.|source)$/.test(name ?? '') && args.some((word) => baseName(word) === file));
}

/** What a shell is given: the shell form, or the script of `["/bin/sh", "-c", "…"]`. */
function scriptOf({ words }: Instruction): string {
  const text = words.join(' ');
  if (!text.startsWith('[')) return text;
  try {
    const parts = JSON.parse(text) as unknown;
    if (Array.isArray(parts) && parts.every((one) => typeof one === 'string'))
      return /^-[a-z]*c$/.test(parts[1] ?? '') ? (parts[2] ?? '') : parts.join(' ');
  } catch {
    // the shell form of a command that begins with a bracket
  }
  return text;
}

/** `ENV A=1 B=2`, the old form `ENV A one value`, `ARG A=1`. */
function setVariables({ keyword, words }: Instruction, values: Map<string, string>, buildArgs: Readonly<Record<string, string>>): void {
  const old = keyword === 'ENV' && words[0]?.includes('=') === false;
  const pairs = old ? [`${words[0]}=${words.slice(1).join(' ')}`] : words;
  for (const pair of pairs) {
    const [name = ''] = pair.split('=', 1);
    const given = keyword === 'ARG' && Object.hasOwn(buildArgs, name) ? buildArgs[name] : undefined;
    const value = given ?? (pair.includes('=') ? pair.slice(name.length + 1).replace(/^(["'])(.*)\1$/s, '$2') : undefined);
    if (value !== undefined) values.set(name, expandVariables(value, values).text);
  }
}
