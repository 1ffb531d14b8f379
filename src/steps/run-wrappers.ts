/** Programs that do nothing but run another one: the command that is left when their own words are taken away. */
type Wrapper = {
  /** Options whose value is the next word. */
  valued?: readonly string[];
  /** Words of its own before the command: a user, a time. */
  operands?: number;
};

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  ['tini', { valued: ['-p', '-e'] }],
  ['tini-static', { valued: ['-p', '-e'] }],
  ['docker-init', { valued: ['-p', '-e'] }],
  ['dumb-init', { valued: ['-r', '--rewrite'] }],
  ['catatonit', {}],
  ['env', { valued: ['-u', '--unset', '-C', '--chdir'] }],
  ['gosu', { operands: 1 }],
  ['su-exec', { operands: 1 }],
  ['s6-setuidgid', { operands: 1 }],
  ['setpriv', { valued: ['--reuid', '--regid', '--groups', '--inh-caps', '--ambient-caps', '--bounding-set', '--securebits'] }],
  ['runuser', { valued: ['-u', '--user', '-g', '--group'] }],
  ['sudo', { valued: ['-u', '-g'] }],
  ['chroot', { operands: 1 }],
  ['nice', { valued: ['-n'] }],
  ['ionice', { valued: ['-c', '-n'] }],
  ['nohup', {}],
  ['setsid', {}],
  ['stdbuf', { valued: ['-i', '-o', '-e'] }],
  ['timeout', { valued: ['-k', '-s'], operands: 1 }],
]);

/** The command that a wrapper of this name runs; undefined for what is no such program, or where it says nothing. */
export function unwrapped(name: string, words: readonly string[]): string[] | undefined {
  const wrapper = WRAPPERS.get(name);
  if (wrapper === undefined) return undefined;
  const rest = [...words];
  while (rest.length > 0) {
    const word = rest[0]!;
    if (word === '--') {
      rest.shift();
      break;
    }
    if (name === 'env' && (word === '-S' || word.startsWith('-S') || word === '--split-string')) {
      const split = word.length > 2 && !word.startsWith('--') ? word.slice(2) : (rest[1] ?? '');
      return unwrapped('env', [...split.split(/\s+/).filter(Boolean), ...rest.slice(word === '-S' || word.startsWith('--') ? 2 : 1)]);
    }
    if (name === 'env' && /^[A-Za-z_][A-Za-z0-9_]*=/.test(word)) rest.shift();
    else if (word.length > 1 && word.startsWith('-')) rest.splice(0, wrapper.valued?.includes(word) === true ? 2 : 1);
    else break;
  }
  rest.splice(0, wrapper.operands ?? 0);
  return rest.length === 0 ? undefined : rest;
}

const SHELL = /^(?:ba|da|a|k|mk|z|rba)?sh(?:-static|-[\d.]+)?$/;
const INTERPRETER = /^(?:python|pypy|ruby|perl|node|nodejs|php|lua|Rscript|java|deno|bun)[\d.]*$/;

/** What a shell or an interpreter of this name is told to run. */
export function interpreted(name: string, words: readonly string[]): { text: string } | { file: string } | undefined {
  const shell = SHELL.test(name);
  if (!shell && !INTERPRETER.test(name)) return undefined;
  if (name === 'java') {
    const jar = words.indexOf('-jar');
    return jar < 0 || words[jar + 1] === undefined ? undefined : { file: words[jar + 1]! };
  }
  for (const [at, word] of words.entries()) {
    if (!word.startsWith('-') && !(shell && word.startsWith('+'))) return { file: word };
    if (shell && /^-[a-z]*c[a-z]*$/i.test(word)) return words[at + 1] === undefined ? undefined : { text: words[at + 1]! };
    if (shell && /^[-+][a-z]*o$/i.test(word)) continue;
    // A module, or a program in the words themselves.
    if (!shell && /^-[a-z]*[cemrE]$/.test(word)) return undefined;
  }
  return undefined;
}
