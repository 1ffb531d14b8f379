/** What completes the command line in shells: made of the table of commands, so that no option is forgotten. */
import type { Command, Option } from './commands/command.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands);
}

const optionsOf = ({ options }: Command): [name: string, option: Option][] => [
  ...Object.entries(options),
  ['help', { type: 'boolean', means: 'what the options mean' }],
];
/** In single quotes, as every shell reads them. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').replace(/[;:,]$/, '');

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const valued = optionsOf(command).filter(([, { type }]) => type === 'string');
    const afterOption = valued.map(
      ([name, { words, files }]) =>
        `      --${name}) ${words !== undefined ? `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$word"))` : files === true ? 'COMPREPLY=($(compgen -f -- "$word"))' : ':'}; return ;;`,
    );
    const all = optionsOf(command).map(([name]) => `--${name}`);
    const files =
      command.words === undefined
        ? 'COMPREPLY=($(compgen -f -- "$word"))'
        : `COMPREPLY=($(compgen -W ${quoted(command.words.join(' '))} -- "$word"))`;
    return [
      `    ${command.name})`,
      `      case $before in`,
      ...afterOption,
      `      esac`,
      `      case $word in`,
      `      -*) COMPREPLY=($(compgen -W ${quoted(all.join(' '))} -- "$word")) ;;`,
      `      *) ${files} ;;`,
      `      esac ;;`,
    ].join('\n');
  });
  return `# bash completion of conforme: source <(conforme completion bash)
_conforme() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(commands.map(({ name }) => name).join(' '))} -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
}
complete -F _conforme conforme
`;
}

function zsh(commands: readonly Command[]): string {
  // In a specification a colon ends a part, and brackets hold the description.
  const plain = (text: string): string => text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const cases = commands.map((command) => {
    const specs = optionsOf(command).map(([name, { type, multiple, value = 'VALUE', words, files, means }]) => {
      const action = words !== undefined ? `(${words.join(' ')})` : files === true ? '_files' : ' ';
      return quoted(
        `${multiple === true ? '*' : ''}--${name}[${plain(firstLine(means))}]${type === 'boolean' ? '' : `:${plain(value)}:${action}`}`,
      );
    });
    const operand = quoted(command.words === undefined ? '*:operand:_files' : `1:operand:(${command.words.join(' ')})`);
    return `    ${command.name}) _arguments ${[...specs, operand].join(' ')} ;;`;
  });
  return `#compdef conforme
_conforme() {
  if (( CURRENT == 2 )); then
    local -a commands
    commands=(${commands.map(({ name, summary }) => quoted(`${name}:${plain(summary)}`)).join(' ')})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _conforme ]; then _conforme "$@"; else compdef _conforme conforme; fi
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const when = `-n '__fish_seen_subcommand_from ${command.name}'`;
    return [
      `complete -c conforme -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
      ...(command.words === undefined ? [] : [`complete -c conforme ${when} -f -a ${quoted(command.words.join(' '))}`]),
      ...optionsOf(command).map(([name, { type, short, words, files, means }]) => {
        const value =
          type === 'boolean' ? '' : words !== undefined ? ` -x -a ${quoted(words.join(' '))}` : files === true ? ' -r -F' : ' -x';
        return `complete -c conforme ${when} -l ${name}${short === undefined ? '' : ` -s ${short}`}${value} -d ${quoted(firstLine(means))}`;
      }),
    ];
  });
  return `# fish completion of conforme\n${lines.join('\n')}\n`;
}
