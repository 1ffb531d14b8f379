export type ShellCommand = {
  /** Offset in the text. */
  at: number;
  /** Base name of the program, without what only runs it (sudo, env, `sh -c`); empty for assignments alone; undefined where it is not known. */
  name: string | undefined;
  /** Without the name. What is not known stays as it is written: `${NAME}`, `$(…)`. */
  args: string[];
  /** Names of variables that its words use. */
  uses: ReadonlySet<string>;
  assigns: { name: string; value: string }[];
  /** Where its output is redirected to. */
  writes: string[];
  /** Files it is fed with by `<`. */
  reads: string[];
  /** Text it is fed with: here-documents and here-strings. */
  input: string;
  /** A here-document as it is written: where a shell is fed with it, it is a script. */
  document?: { text: string; at: number };
  /** The nearest commands before and behind it in its pipelines. */
  from: ShellCommand[];
  to: ShellCommand[];
  /** The command in whose words it stands, and how. */
  within?: { command: ShellCommand; by: '$(' | '<(' | '>(' };
  /** Whether the script ends with a failure when this command fails. */
  fatal: boolean;
  /** The variable that its output is assigned to: `X=$(…)`. */
  into?: string;
};
