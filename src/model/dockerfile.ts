import { DockerfileParser, type Instruction as AstInstruction } from 'dockerfile-ast';
import { joinContinued, type JoinedLines } from './joined-lines.ts';
import type { DockerfileStep } from './rebuild.ts';

/** An instruction as written. Dockerfile reference: https://docs.docker.com/reference/dockerfile/ */
export type Instruction = {
  /** From 1. */
  line: number;
  /** Upper case: `RUN`. */
  keyword: string;
  /** On one line: without comments, line breaks and the escapes that join lines. */
  text: string;
  /** As a builder hands it on, here-documents included, with the lines it came from. */
  source: JoinedLines;
  /** `--mount=type=cache,target=/x` is `['mount', 'type=cache,target=/x']`. */
  flags: [name: string, value: string][];
  /** What stands behind keyword and flags. */
  words: string[];
  heredoc: boolean;
};

export type Stage = {
  line: number;
  /** As written, with its variables. */
  image: string;
  platform?: string;
  /** Lower case: names of stages compare without case. */
  name?: string;
  /** Without the FROM itself. */
  instructions: Instruction[];
};

export type Dockerfile = {
  /** `# syntax=…`: the frontend that the file asks for. */
  syntax?: string;
  /** ARG before the first FROM: what the variables of a FROM stand for. */
  args: { name: string; value?: string }[];
  stages: Stage[];
  /** All instructions from the first FROM on. */
  steps: DockerfileStep[];
};

export type ParsedDockerfile = { ok: true; dockerfile: Dockerfile } | { ok: false; message: string; line: number };

const BYTES_MAX = 256 * 1024; // the parser's work grows with the square of some lines; a generated Dockerfile of this size is unknown
const INSTRUCTIONS_MAX = 10_000;

const KEYWORDS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);
const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/i;

/** Parses what an author wrote; never throws. What a builder of some version makes of it is not decided here. */
export function parseDockerfile(text: string): ParsedDockerfile {
  if (Buffer.byteLength(text) > BYTES_MAX) return { ok: false, message: `it is larger than ${BYTES_MAX} bytes`, line: 1 };
  const nul = text.indexOf('\0');
  if (nul >= 0) return { ok: false, message: 'it holds a NUL byte', line: text.slice(0, nul).split('\n').length };
  try {
    return assemble(text);
  } catch {
    return { ok: false, message: 'the parser gives up on it', line: 1 };
  }
}

function assemble(text: string): ParsedDockerfile {
  const ast = DockerfileParser.parse(text);
  const dockerfile: Dockerfile = { args: [], stages: [], steps: [] };
  const syntax = ast.getDirectives().find((directive) => directive.getName().toLowerCase() === 'syntax');
  if (syntax !== undefined) dockerfile.syntax = syntax.getValue();
  const instructions = ast.getInstructions();
  if (instructions.length > INSTRUCTIONS_MAX) return { ok: false, message: `it has more than ${INSTRUCTIONS_MAX} instructions`, line: 1 };
  for (const node of instructions) {
    const instruction = read(node, ast.getEscapeCharacter());
    const message = faultOf(instruction, dockerfile.stages.length > 0) ?? add(dockerfile, instruction);
    if (message !== undefined) return { ok: false, message, line: instruction.line };
  }
  if (dockerfile.stages.length === 0) return { ok: false, message: 'it has no FROM', line: 1 };
  return { ok: true, dockerfile };
}

function read(node: AstInstruction, escape: string): Instruction {
  const { start } = node.getRange();
  const heredoc = 'getHeredocs' in node && (node as unknown as { getHeredocs(): unknown[] }).getHeredocs().length > 0;
  const text = heredoc ? node.getTextContent() : joinLines(node.getTextContent(), escape);
  const flags =
    'getFlags' in node ? (node as unknown as { getFlags(): { getName(): string; getValue(): string | null }[] }).getFlags() : [];
  return {
    line: start.line + 1,
    keyword: node.getKeyword().toUpperCase(),
    text,
    source: joinContinued(node.getTextContent(), start.line + 1, escape),
    flags: flags.map((flag) => [flag.getName(), flag.getValue() ?? '']),
    words: text
      .split(/\s+/)
      .slice(1 + flags.length)
      .filter((word) => word !== ''),
    heredoc,
  };
}

/** Comment lines between the lines of an instruction are taken out first, as the reference says. */
function joinLines(text: string, escape: string): string {
  const lines = text.split(/\r?\n/).filter((line, index) => index === 0 || !/^\s*(#|$)/.test(line));
  return lines
    .map((line) => (line.trimEnd().endsWith(escape) ? line.trimEnd().slice(0, -1) : line))
    .join(' ')
    .trim();
}

function faultOf({ keyword, words, heredoc }: Instruction, afterFrom: boolean): string | undefined {
  if (!KEYWORDS.has(keyword)) return `unknown instruction ${keyword.slice(0, 40)}`;
  if (words.length === 0 && !heredoc) return `${keyword} needs an argument`;
  if (!afterFrom && keyword !== 'FROM' && keyword !== 'ARG') return `${keyword} stands before the first FROM`;
  const isList = words[0]?.startsWith('[') === true;
  if ((keyword === 'COPY' || keyword === 'ADD') && words.length < 2 && !isList && !heredoc)
    return `${keyword} needs a source and a destination`;
  return undefined;
}

function add(dockerfile: Dockerfile, instruction: Instruction): string | undefined {
  const { keyword, line, text, words, flags } = instruction;
  const { stages, args, steps } = dockerfile;
  if (keyword === 'FROM') {
    const [image = '', as, name] = words;
    if (words.length !== 1 && (words.length !== 3 || as?.toUpperCase() !== 'AS')) return 'FROM takes an image, or an image AS a name';
    if (name !== undefined && !STAGE_NAME.test(name)) return `${name.slice(0, 40)} cannot be the name of a stage`;
    const platform = flags.find(([flag]) => flag === 'platform')?.[1];
    stages.push({
      line,
      image,
      ...(platform === undefined ? {} : { platform }),
      ...(name === undefined ? {} : { name: name.toLowerCase() }),
      instructions: [],
    });
  } else if (stages.length === 0) {
    for (const word of words) {
      const equals = word.indexOf('=');
      if (equals < 0) args.push({ name: word });
      else args.push({ name: word.slice(0, equals), value: unquote(word.slice(equals + 1)) });
    }
    return undefined;
  } else stages.at(-1)?.instructions.push(instruction);
  steps.push({ line, instruction: keyword, text, stage: stages.length - 1 });
  return undefined;
}

function unquote(text: string): string {
  return /^(["']).*\1$/s.test(text) && text.length > 1 ? text.slice(1, -1) : text;
}

/** `$A`, `${A}`, `${A:-else}` and `${A:+then}`. Dockerfile reference, "Environment replacement". Names the first that has no value. */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): { text: string; missing?: string } {
  let missing: string | undefined;
  const expanded = text.replace(
    /\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})/g,
    (_all, plain?: string, braced?: string, sign?: string, word = '') => {
      const name = plain ?? braced ?? '';
      const value = values.get(name) ?? '';
      if (sign === '-') return value === '' ? word : value;
      if (sign === '+') return value === '' ? '' : word;
      if (value === '') missing ??= name;
      return value;
    },
  );
  return missing === undefined ? { text: expanded } : { text: expanded, missing };
}
