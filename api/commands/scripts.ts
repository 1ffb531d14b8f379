/** Commands that run the service itself and not a client of it: `scripts/conforme` hands them over before it comes to this program. */
import { type Command, defineCommand, UsageError } from './command.ts';

function script(name: string, summary: string, operands: string[], path: string): Command {
  return defineCommand({
    name,
    summary,
    operands,
    options: {},
    about: `It is ${path}, which says the rest with --help.`,
    async run() {
      throw new UsageError(`${name} is run by scripts/conforme, or as ${path}`);
    },
  });
}

export const serve = script('serve', 'Starts the service', ['[options]'], 'scripts/start');
export const recompute = script(
  'recompute',
  'Judges the stored inputs of a verdict again and compares the bytes',
  ['DIGEST [options]'],
  'scripts/recompute',
);
