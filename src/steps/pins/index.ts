import { type Dockerfile, expandVariables } from '../../model/dockerfile.ts';
import type { PinPlace } from '../../model/download.ts';
import { type StepOptions, stepsOf } from '../dockerfile-steps.ts';
import type { ShellCommand } from '../shell/command.ts';
import { shellCommands } from '../shell/commands.ts';
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
 * lists that a step checks and lock files that a step installs by. A digest that merely stands somewhere is none, nor one that a base image sets.
 */
export function pinsOf(dockerfile: Dockerfile, path: string, options: Omit<StepOptions, 'env'>, texts: ReadonlyMap<string, string>): Pins {
  const pins = noPins();
  for (const { instruction, commands, values } of stepsOf(dockerfile, options).steps) {
    const place: PinPlace = { path, line: instruction.line };
    for (const [name, value] of instruction.keyword === 'ADD' ? instruction.flags : [])
      if (name === 'checksum') addHex(pins, expandVariables(value, values).text, () => place);
    if (instruction.keyword === 'RUN') addRun(pins, commands, { values, texts, place });
  }
  return pins;
}

function addRun(
  pins: Pins,
  commands: readonly ShellCommand[],
  scene: { values: ReadonlyMap<string, string>; texts: ReadonlyMap<string, string>; place: PinPlace },
): void {
  const { values, texts, place } = scene;
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
