/** Digests that a script holds files against: `sha256sum --check`, and a digest that is compared. */
import type { PinPlace } from '../../model/download.ts';
import type { ShellCommand } from '../shell/command.ts';
import { baseName } from '../shell/programs.ts';
import { addHex, lines, type Pins } from './pin.ts';

const HASHER = /^(?:sha(?:256|512)sum|shasum|sha(?:256|512))$/;
const TESTS = /^(?:\[|\[\[|test)$/;

export type ScriptScene = {
  commands: readonly ShellCommand[];
  /** Variables that the environment gives. */
  values: ReadonlyMap<string, string>;
  /** Text files of the source, by path. */
  texts: ReadonlyMap<string, string>;
  placeOf(command: ShellCommand): PinPlace;
};

/** A check whose failure does not end the build is none. */
export function addChecked(pins: Pins, scene: ScriptScene): void {
  for (const command of scene.commands) {
    if (!HASHER.test(command.name ?? '')) continue;
    const isCheck = command.args.some((word) => word === '--check' || /^-[a-z]*c[a-z]*$/i.test(word));
    if (isCheck) {
      if (command.fatal) addList(pins, scene, command);
    } else for (const test of comparisons(command, scene.commands)) addSpoken(pins, scene, test);
  }
}

/** What the list says: what is piped or fed into the command, and the files that it names. */
function addList(pins: Pins, scene: ScriptScene, command: ShellCommand): void {
  addSpoken(pins, scene, { ...command, args: [], uses: new Set() });
  const files = [...command.args.filter((word) => !word.startsWith('-')), ...command.reads];
  for (const feeder of command.from) {
    if (/^(?:echo|printf)$/.test(feeder.name ?? '') || feeder.input !== '') addSpoken(pins, scene, feeder);
    else files.push(...feeder.args, ...feeder.reads);
  }
  for (const file of files) addFile(pins, scene, baseName(file));
}

function addFile(pins: Pins, scene: ScriptScene, name: string): void {
  if (name === '') return;
  for (const writer of scene.commands) if (writer.writes.some((one) => baseName(one) === name)) addSpoken(pins, scene, writer);
  for (const [path, text] of scene.texts) {
    if (baseName(path) !== name) continue;
    // sha256sum(1) passes over lines that begin with a number sign.
    addHex(
      pins,
      text.replace(/^#[^\n]*/gm, (comment) => ' '.repeat(comment.length)),
      lines(path, text),
    );
  }
}

/** The digests in a command's words, and in every value that a variable in them can have. */
function addSpoken(pins: Pins, scene: ScriptScene, command: ShellCommand): void {
  const place = (): PinPlace => scene.placeOf(command);
  addHex(pins, `${command.args.join(' ').replaceAll('\\n', '\n')}\n${command.input}`, place);
  for (const name of command.uses) {
    addHex(pins, scene.values.get(name) ?? '', place);
    for (const { assigns } of scene.commands) for (const one of assigns) if (one.name === name) addHex(pins, one.value, place);
  }
}

/** `[ "$(sha256sum f | cut …)" = DIGEST ]`, `sum=$(sha256sum f …); [ "$sum" = DIGEST ]`. */
function comparisons(command: ShellCommand, commands: readonly ShellCommand[]): ShellCommand[] {
  const isTest = (one: ShellCommand): boolean => one.fatal && TESTS.test(one.name ?? '') && isEquality(one.args);
  const { within, into } = command;
  if (within !== undefined && isTest(within.command)) return [within.command];
  return into === undefined ? [] : commands.filter((one) => isTest(one) && one.uses.has(into));
}

function isEquality(args: readonly string[]): boolean {
  return args.includes('=') || args.includes('==');
}
