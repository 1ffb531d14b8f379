import { completionScript, SHELLS } from '../completion-scripts.ts';
import { type Command, defineCommand, EXIT, UsageError } from './command.ts';

/** Of all commands, this one included. */
export function completionOf(commands: () => readonly Command[]): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Prints what completes commands and options in a shell',
    operands: [SHELLS.join('|')],
    words: SHELLS,
    options: {},
    about: `  bash  source <(conforme completion bash), in ~/.bashrc
  zsh   conforme completion zsh > a folder of $fpath/_conforme
  fish  conforme completion fish > ~/.config/fish/completions/conforme.fish`,
    async run(_values, [name, ...rest]) {
      const shell = SHELLS.find((one) => one === name);
      if (shell === undefined || rest.length > 0) throw new UsageError(`the command is: conforme completion ${SHELLS.join('|')}`);
      process.stdout.write(completionScript(shell, commands()));
      return EXIT.pass;
    },
  });
}
