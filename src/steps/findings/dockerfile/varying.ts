import type { ShellCommand } from '../../shell/command.ts';
import type { DockerfileScene, Fault } from './fault.ts';
import type { Step } from '../../dockerfile-steps.ts';

/** bash(1), "Shell Variables". */
const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['RANDOM', 'random numbers'],
  ['SRANDOM', 'random numbers'],
  ['EPOCHSECONDS', 'the clock'],
  ['EPOCHREALTIME', 'the clock'],
]);
const DEVICE = /^(?:if=)?(?:\/dev\/u?random|\/proc\/sys\/kernel\/random\/\w+)$/;

/** Steps whose result depends on the moment, or on chance: no rebuild makes the same. What only the log of the build shows is left out. */
export function* varyingSteps({ steps }: DockerfileScene): Generator<Fault> {
  for (const step of steps) {
    for (const command of step.commands) {
      const source = sourceOf(command, step);
      if (source === undefined || isOnlyShown(command)) continue;
      yield {
        code: 'varying-step',
        line: step.lineOf(command),
        message: `the step uses ${source.what}: ${source.by}`,
        evidence: { command: `${command.name ?? ''} ${command.args.join(' ')}`.trim().slice(0, 200) },
      };
    }
  }
}

function sourceOf(command: ShellCommand, step: Step): { what: string; by: string } | undefined {
  const { name = '', args, reads, uses } = command;
  for (const [variable, what] of VARIABLES) if (uses.has(variable) && !step.values.has(variable)) return { what, by: `$${variable}` };
  const device = [...args, ...reads].find((word) => DEVICE.test(word));
  if (device !== undefined && !/^(?:ls|ln|mknod|test|\[|\[\[|chmod|chown|rm|mount)$/.test(name))
    return { what: 'random numbers', by: device };
  const random = { what: 'random numbers', by: name };
  switch (name) {
    case 'date':
      return isFixed(args) ? undefined : { what: 'the clock', by: 'date' };
    case 'uuidgen':
      return args.some((word) => /^(?:-[a-z]*[ms]|--md5|--sha1)$/.test(word)) ? undefined : random; // of a name, not of chance
    case 'pwgen':
      return random;
    case 'shuf':
      return args.some((word) => word.startsWith('--random-source')) ? undefined : random;
    case 'ssh-keygen':
      return args.some((word) => /^-[a-zA-Z]*[lyeiFRHk]/.test(word)) ? undefined : random;
    case 'openssl':
      return /^(?:rand|genrsa|genpkey|dhparam|ecparam|gendsa)$/.test(args[0] ?? '') || (args[0] === 'req' && args.includes('-newkey'))
        ? { what: 'random numbers', by: `openssl ${args[0] ?? ''}` }
        : undefined;
    case 'mktemp':
      return isKept(command, step) ? { what: 'random names', by: 'mktemp, whose file stays' } : undefined;
    default:
      return undefined;
  }
}

/** date(1) that tells a time that is given, not the one of the clock. */
function isFixed(args: readonly string[]): boolean {
  return args.some((word, at) => {
    if (/^-[a-zA-Z]*r$|^--reference/.test(word) || /^(?:-s|--set|--version|--help)/.test(word)) return true;
    const given = /^-[a-zA-Z]*d$|^--date$/.test(word) ? args[at + 1] : /^--date=(.*)$/s.exec(word)?.[1];
    return given !== undefined && /^@|^\d{4}|^\$\{\w+\}$/.test(given);
  });
}

/** Whether all that comes of it is a line in the log of the build. */
function isOnlyShown(command: ShellCommand): boolean {
  if (command.writes.some((path) => !path.startsWith('/dev/std') && path !== '/dev/null')) return false;
  if (command.name === 'openssl' && command.args.some((word) => /^-(?:out|keyout)$/.test(word))) return false;
  if (/^(?:ssh-keygen|mktemp|dd|cp|install|)$/.test(command.name ?? '-')) return false;
  if (command.to.some((one) => !isFilter(one))) return false;
  const { within } = command;
  if (within === undefined) return isFilter(command) || PRINTS.test(command.name ?? '');
  return within.by === '$(' && isFilter(within.command) && isOnlyShown(within.command);
}

const PRINTS = /^(?:date|uuidgen|pwgen|shuf|openssl|for|case|\[|\[\[|test)$/;

/** Programs that print, and write no file but by redirection. */
function isFilter({ name = '', writes }: ShellCommand): boolean {
  return /^(?:echo|printf|cat|head|tail|cut|tr|base64|od|xxd|md5sum|sha256sum|fold|grep|sleep)$/.test(name) && writes.length === 0;
}

/** Whether the file stays under its random name: nothing in the step removes or moves it, and nothing is mounted over it. */
function isKept({ into, within, args }: ShellCommand, { commands, mounted }: Step): boolean {
  if (args.some((word) => /^(?:-[a-z]*u|--dry-run)$/.test(word))) return false;
  const folder = args.find((word) => word.startsWith('/'));
  if (mounted.some((path) => (folder ?? '/tmp/').startsWith(path))) return false;
  const removes = commands.filter(({ name = '' }) => /^(?:rm|mv|rmdir|shred|unlink|trap|find)$/.test(name));
  if (removes.some(({ args: words }) => words.some((word) => /^\/tmp\/?\*?$/.test(word)))) return false;
  if (into === undefined && within !== undefined)
    return !removes.some(({ args: words }) => words.some((word) => /\$\{?(?:PWD|OLDPWD)|^\$\(pwd\)/.test(word)));
  return (
    into === undefined ||
    !removes.some(
      ({ uses, args: words }) => uses.has(into) || words.some((word) => word.includes(`$${into}`) || word.includes(`\${${into}`)),
    )
  );
}
