/** `conforme`, the command line: a client of the HTTP interface, and a checker of signed verdicts. */
import { Problem } from '../src/problem.ts';
import { ServiceError } from './client.ts';
import { check } from './commands/check.ts';
import { type Command, EXIT, type ExitCode, helpOf, parseFor, UsageError } from './commands/command.ts';
import { completionOf } from './commands/completion.ts';
import { keys } from './commands/keys.ts';
import { report } from './commands/report.ts';
import { recompute, serve } from './commands/scripts.ts';
import { say } from './commands/shared.ts';
import { status } from './commands/status.ts';
import { verify } from './commands/verify.ts';

const COMMANDS: readonly Command[] = [verify, status, report, check, keys, serve, recompute, completionOf(() => COMMANDS)];

const LIST = `conforme COMMAND

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join('\n')}

conforme COMMAND --help tells the options of each. Exit code: 0 it passes, 1 it does not, 2 it could not tell, 3 an error.
Colours: NO_COLOR takes them away, FORCE_COLOR keeps them in a pipe.
`;

async function main([name, ...args]: string[]): Promise<ExitCode> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(LIST);
    return EXIT.pass;
  }
  const command = COMMANDS.find((one) => one.name === name);
  try {
    if (command === undefined) throw new UsageError(`the commands are: ${COMMANDS.map((one) => `conforme ${one.name}`).join(', ')}`);
    const parsed = parseFor(command, args);
    if (parsed !== undefined) return await command.run(parsed.values, parsed.operands);
    process.stdout.write(helpOf(command));
    return EXIT.pass;
  } catch (thrown) {
    say(messageOf(thrown));
    if (thrown instanceof UsageError)
      process.stderr.write(`conforme ${command === undefined ? '' : `${command.name} `}--help tells the options\n`);
    return EXIT.error;
  }
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof ServiceError) return thrown.problem === undefined ? thrown.message : `${thrown.problem.code}: ${thrown.message}`;
  if (thrown instanceof Problem) return `${thrown.code}: ${thrown.message}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

// What reads our output may end before us: `conforme report … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.exitCode = await main(process.argv.slice(2));
