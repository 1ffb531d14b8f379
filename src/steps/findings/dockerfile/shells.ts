import type { ShellCommand } from '../../shell/command.ts';
import { isShell } from '../../shell/programs.ts';
import { type Download, downloadsOf } from './fetched.ts';
import { type DockerfileScene, type Fault, shownUrl } from './fault.ts';

const INTERPRETER = /^(?:python|perl|ruby|node|php)[\d.]*$/;

/** `curl … | sh` and its kin: what is run is kept nowhere, and nobody can say afterwards what it was. */
export function* pipedToShell({ steps }: DockerfileScene): Generator<Fault> {
  for (const step of steps) {
    for (const { command, urls } of downloadsOf(step.commands)) {
      const runner = runnerOf(command);
      if (runner === undefined) continue;
      const url = shownUrl(urls[0] ?? '');
      yield {
        code: 'download-executed',
        line: step.lineOf(command),
        message: `${runner} runs what ${url} gives at that moment`,
        evidence: { url },
      };
    }
  }
}

/** The program that runs what a command writes, as it comes. */
export function runnerOf(command: ShellCommand): string | undefined {
  const reader = command.to.find(runsItsInput);
  if (reader !== undefined) return reader.name;
  const { within } = command;
  if (within === undefined) return undefined;
  const { command: around, by } = within;
  if (runsItsWords(around, by)) return around.name;
  // `echo "$(curl …)" | sh`: what only repeats its words hands them on.
  return by === '$(' && /^(?:echo|printf|cat)$/.test(around.name ?? '') ? runnerOf(around) : undefined;
}

/** A shell or interpreter that is given no script of its own. */
function runsItsInput({ name = '', args }: ShellCommand): boolean {
  const first = args.find((word) => word !== '-' && !word.startsWith('--'));
  if (args.includes('-') || args.includes('/dev/stdin')) return isShell(name) || INTERPRETER.test(name);
  if (isShell(name)) return !args.some((word) => /^-[a-z]*c$/i.test(word)) && (first === undefined || first.startsWith('-'));
  return INTERPRETER.test(name) && first === undefined;
}

function runsItsWords({ name = '', args, input, document }: ShellCommand, by: '$(' | '<(' | '>('): boolean {
  if (name === 'eval') return true;
  if (by === '<(') return name === 'source' || name === '.' || isShell(name) || INTERPRETER.test(name);
  if (by !== '$(' || !(isShell(name) || INTERPRETER.test(name))) return false;
  return args.some((word) => /^-[a-z]*[cer]$/i.test(word)) || (input !== '' && document === undefined);
}

/** Downloads that a shell runs as they come are told as such alone. */
export function isPiped({ command }: Pick<Download, 'command'>): boolean {
  return runnerOf(command) !== undefined;
}
