import { parseArgs } from 'node:util';

/** How the command line ends. Stable: pipelines rely on them. */
export const EXIT = { pass: 0, fail: 1, unknown: 2, error: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Said of the arguments; nothing was asked of any service. */
export class UsageError extends Error {}

export type Option = {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: true;
  /** What stands for the value in the help: `DIR`. */
  value?: string;
  means: string;
  /** Values that completion offers. */
  words?: readonly string[];
  /** Completion offers files. */
  files?: true;
};
type Options = Record<string, Option>;

export type Values<O extends Options> = {
  [Name in keyof O]?: O[Name]['type'] extends 'boolean' ? boolean : O[Name] extends { multiple: true } ? string[] : string;
};

export type Command = {
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** `IMAGE [options]`, one line for each form. */
  operands: readonly string[];
  /** Of the operands that are one of a few words. */
  words?: readonly string[];
  options: Options;
  about?: string;
  run(values: Record<string, unknown>, operands: string[]): Promise<ExitCode>;
};

/** With the types of its options for `run`. */
export function defineCommand<const O extends Options>(
  command: Omit<Command, 'options' | 'run'> & { options: O; run(values: Values<O>, operands: string[]): Promise<ExitCode> },
): Command {
  return { ...command, run: (values, operands) => command.run(values as Values<O>, operands) };
}

const HELP: Options = { help: { type: 'boolean', short: 'h', means: 'this' } };

/** Throws {@link UsageError}; undefined where only help is wanted. */
export function parseFor(command: Command, args: string[]): { values: Record<string, unknown>; operands: string[] } | undefined {
  try {
    const { values, positionals } = parseArgs({ args, options: { ...command.options, ...HELP }, allowPositionals: true });
    return values['help'] === true ? undefined : { values, operands: positionals };
  } catch (thrown) {
    throw new UsageError((thrown as Error).message, { cause: thrown });
  }
}

const MEANS_AT = 26; // column

export function helpOf({ name, operands, summary, options, about }: Command): string {
  const rows = Object.entries({ ...options, ...HELP }).map(([long, { short, value, means, words }]) => {
    const left = `  --${long}${short === undefined ? '' : `, -${short}`}${value === undefined ? '' : ` ${value}`}`;
    const right = [...means.split('\n'), ...(words === undefined || words.length > 8 ? [] : [`one of ${words.join(', ')}`])];
    const gap = left.length < MEANS_AT - 1 ? left.padEnd(MEANS_AT) : `${left}\n${' '.repeat(MEANS_AT)}`;
    return `${gap}${right.join(`\n${' '.repeat(MEANS_AT)}`)}`;
  });
  const usage = operands.map((form) => `conforme ${name} ${form}`.trim()).join('\n');
  return `${usage}\n\n${summary}.\n\n${rows.join('\n')}\n${about === undefined ? '' : `\n${about}\n`}`;
}
