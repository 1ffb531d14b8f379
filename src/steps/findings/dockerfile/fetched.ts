import { expandVariables } from '../../../model/dockerfile.ts';
import type { ShellCommand } from '../../shell/command.ts';
import { baseName } from '../../shell/programs.ts';
import type { Step } from '../../dockerfile-steps.ts';

/** What a command downloads, and where it puts it. */
export type Download = {
  command: ShellCommand;
  urls: string[];
  /** Files that hold it in the end; empty where nothing says. */
  outputs: string[];
  /** Commands that read it as it comes. */
  to: ShellCommand[];
};

/** Options whose value is the next word, as far as they are in use: curl(1), wget(1). */
const CURL_VALUED =
  /^(?:-[A-Za-z]*[AbcCdDeEFhHKmoPQrtTuUwxXyYz]|--(?:user-agent|cookie|cookie-jar|continue-at|data|data-raw|data-binary|data-urlencode|dump-header|referer|cert|key|cacert|capath|form|header|config|max-time|connect-timeout|output|output-dir|quote|range|upload-file|user|write-out|proxy|request|retry|retry-delay|retry-max-time|limit-rate|resolve|proto|proto-redir|ciphers|tls-max|interface|url-query|speed-limit|speed-time))$/;
const WGET_VALUED =
  /^(?:-[A-Za-z]*[oaOPtTwQeUiYlADIXR]|--(?:output-document|output-file|directory-prefix|tries|timeout|wait|execute|user-agent|header|post-data|referer|user|password|ca-certificate|load-cookies|progress|waitretry|method|body-data|read-timeout|connect-timeout|dns-timeout))$/;
const NO_CONTENT: Record<string, RegExp> = {
  curl: /^(?:--head|-[a-zA-Z]*I[a-zA-Z]*|-[a-zA-Z]*T|--upload-file|--version|-V|--help)$/,
  wget: /^(?:--spider|--version|-V|--help)$/,
};
const LOCAL = /^[a-z]+:\/\/(?:[^/@]*@)?(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)(?:[:/]|$)/i;

/** The downloads of curl and wget among these commands. */
export function downloadsOf(commands: readonly ShellCommand[]): Download[] {
  return commands.flatMap((command) => download(command) ?? []);
}

function download(command: ShellCommand): Download | undefined {
  const { name } = command;
  if ((name !== 'curl' && name !== 'wget') || command.args.some((word) => NO_CONTENT[name]?.test(word) === true)) return undefined;
  const { operands, options } = readWords(command.args, name === 'curl' ? CURL_VALUED : WGET_VALUED);
  const given = operands.concat(name === 'curl' ? (options.get('--url') ?? []) : []);
  const urls = given.filter((word) => isAddress(word) && !LOCAL.test(word));
  if (urls.length === 0) return undefined;
  const own = name === 'curl' ? curlOutputs(urls, options) : wgetOutputs(urls, options);
  const piped = own === undefined;
  // What is written down the pipeline, or by the command around it, is this download or is made of it.
  const to = piped ? [...command.to] : [];
  const outputs = [...(own ?? []), ...(piped ? command.writes : []), ...to.flatMap(written)];
  return { command, urls, outputs: outputs.filter((path) => path !== '/dev/null'), to };
}

/** An address, or a word that is not known before the step runs. */
function isAddress(word: string): boolean {
  return /^(?:https?|ftps?):\/\//i.test(word) || /^(?:"?\$[({A-Za-z])/.test(word) || /^[\w-]+(?:\.[\w-]+)+(?::\d+)?\/\S/.test(word);
}

function readWords(args: readonly string[], valued: RegExp): { operands: string[]; options: Map<string, string[]> } {
  const operands: string[] = [];
  const options = new Map<string, string[]>();
  const note = (name: string, value: string): void => void options.set(name, [...(options.get(name) ?? []), value]);
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith('-') || word === '-') operands.push(word);
    else if (word.startsWith('--') && word.includes('=')) note(word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1));
    else if (valued.test(word)) {
      // Of a cluster of short options, the last one has the value.
      note(word.startsWith('--') ? word : `-${word.slice(-1)}`, args[++at] ?? '');
      if (!word.startsWith('--')) for (const letter of word.slice(1, -1)) note(`-${letter}`, '');
    } else if (word.startsWith('--')) note(word, word === '--url' ? (args[++at] ?? '') : '');
    else {
      // `-ofile`, `-O-`, `-qO-`.
      const glued = /^-([A-Za-z]*?)([oOP])([^A-Za-z].*|[A-Za-z]*[./].*)$/.exec(word);
      for (const letter of glued?.[1] ?? word.slice(1)) note(`-${letter}`, '');
      if (glued !== null) note(`-${glued[2] ?? ''}`, glued[3] ?? '');
    }
  }
  return { operands, options };
}

/** Undefined where it goes to the standard output. */
function curlOutputs(urls: readonly string[], options: ReadonlyMap<string, string[]>): string[] | undefined {
  const named = [...(options.get('-o') ?? []), ...(options.get('--output') ?? [])];
  if (named.includes('-')) return undefined;
  if (named.length > 0) return named;
  return options.has('-O') || options.has('--remote-name') || options.has('--remote-name-all') ? urls.map(remoteName) : undefined;
}

function wgetOutputs(urls: readonly string[], options: ReadonlyMap<string, string[]>): string[] | undefined {
  const named = [...(options.get('-O') ?? []), ...(options.get('--output-document') ?? [])].filter((one) => one !== '');
  if (named.includes('-') || named.includes('/dev/stdout')) return undefined;
  return named.length > 0 ? named : urls.map(remoteName);
}

function remoteName(url: string): string {
  return baseName(url.replace(/[?#].*$/, ''));
}

/** Files that a command writes what it is fed to. */
function written({ name, args, writes }: ShellCommand): string[] {
  const after = (options: RegExp): string[] => args.flatMap((word, at) => (options.test(args[at - 1] ?? '') ? [word] : []));
  const files = [...writes];
  if (name === 'tee' || name === 'sponge') files.push(...args.filter((word) => !word.startsWith('-')));
  if (name === 'gpg' || name === 'gpg2') {
    files.push(...after(/^(?:-[a-z]*o|--output)$/), ...args.flatMap((word) => (word.startsWith('--output=') ? [word.slice(9)] : [])));
    files.push(...after(/^--(?:no-default-)?keyring$/));
  }
  if (name === 'dd') files.push(...args.flatMap((word) => (word.startsWith('of=') ? [word.slice(3)] : [])));
  return files;
}

/** What an ADD fetches: addresses with the pins that it gives them. */
export function addedUrls({
  instruction,
  values,
}: Pick<Step, 'instruction' | 'values'>): { url: string; pinned: boolean; output: string }[] {
  if (instruction.keyword !== 'ADD' || instruction.heredoc) return [];
  const words = instruction.words.map((word) => expandVariables(word.replace(/^[["',]+|["',\]]+$/g, ''), values).text);
  const to = words.at(-1) ?? '';
  const checked = instruction.flags.some(([name, value]) => name === 'checksum' && value !== '');
  return words.slice(0, -1).flatMap((url) => {
    if (!/^(?:https?:\/\/|git@|ssh:\/\/|git:\/\/)/i.test(url)) return [];
    // https://docs.docker.com/reference/dockerfile/#adding-files-from-a-git-repository
    const git = /\.git(?:#|$)|^(?:git@|ssh:|git:)/i.test(url);
    const pinned = checked || (git && /#[0-9a-f]{40}(?::|$)/.test(url));
    return [{ url, pinned, output: to.endsWith('/') || to === '.' ? remoteName(url) : to }];
  });
}
