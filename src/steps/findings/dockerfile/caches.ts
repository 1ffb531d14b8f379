import type { ShellCommand } from '../../shell/command.ts';
import type { DockerfileScene, Fault } from './fault.ts';
import type { Step } from '../../dockerfile-steps.ts';

type Cache = {
  name: string;
  /** Whether a command fills it. */
  fills: (name: string, args: readonly string[]) => boolean;
  /** Where it may be kept. */
  folders: readonly string[];
  /** Variables that switch it off, or move it to where nobody knows. */
  variables?: readonly string[];
  /** Whether a command empties it by the program's own means. */
  empties?: (name: string, args: readonly string[]) => boolean;
  advice: string;
};

const has =
  (...words: string[]): ((args: readonly string[]) => boolean) =>
  (args) =>
    args.some((word) => words.includes(word));
const isPip = (name: string, args: readonly string[]): readonly string[] | undefined => {
  if (/^pip[\d.]*$/.test(name)) return args;
  const module = /^python[\d.]*$/.test(name) ? args.indexOf('-m') : -1;
  return module >= 0 && args[module + 1] === 'pip' ? args.slice(module + 2) : undefined;
};

const CACHES: readonly Cache[] = [
  {
    name: "apt's package lists",
    fills: (name, args) => /^(?:apt|apt-get|aptitude)$/.test(name) && args.find((word) => !word.startsWith('-')) === 'update',
    folders: ['/var/lib/apt/lists'],
    empties: (name, args) => /^(?:apt|apt-get)$/.test(name) && has('distclean', 'dist-clean')(args),
    advice: 'rm -rf /var/lib/apt/lists/*',
  },
  {
    name: "pip's cache",
    fills: (name, args) => {
      const words = isPip(name, args);
      return words !== undefined && has('install', 'download', 'wheel')(words) && !has('--no-cache-dir', '--no-cache')(words);
    },
    folders: ['/root/.cache/pip'],
    variables: ['PIP_NO_CACHE_DIR', 'PIP_CACHE_DIR', 'XDG_CACHE_HOME'],
    empties: (name, args) => isPip(name, args)?.join(' ').startsWith('cache purge') === true,
    advice: 'pip install --no-cache-dir',
  },
  {
    name: "uv's cache",
    fills: (name, args) =>
      name === 'uv' && (has('sync', 'add')(args) || /^(?:pip|tool) install/.test(args.join(' '))) && !has('--no-cache', '-n')(args),
    folders: ['/root/.cache/uv'],
    variables: ['UV_NO_CACHE', 'UV_CACHE_DIR', 'XDG_CACHE_HOME'],
    empties: (name, args) => name === 'uv' && args[0] === 'cache',
    advice: 'uv --no-cache',
  },
  {
    name: "npm's cache",
    fills: (name, args) => name === 'npm' && has('install', 'i', 'ci', 'add', 'update')(args.slice(0, 4)),
    folders: ['/root/.npm/_cacache'],
    variables: ['npm_config_cache', 'NPM_CONFIG_CACHE'],
    empties: (name, args) => name === 'npm' && args.join(' ').startsWith('cache clean'),
    advice: 'npm cache clean --force',
  },
  {
    name: "yarn's cache",
    fills: (name, args) =>
      name === 'yarn' && (args.length === 0 || has('install', 'add', 'global')(args) || args[0]?.startsWith('--') === true),
    folders: ['/usr/local/share/.cache/yarn', '/root/.cache/yarn', '/root/.yarn/berry/cache'],
    variables: ['YARN_CACHE_FOLDER', 'XDG_CACHE_HOME'],
    empties: (name, args) => name === 'yarn' && args.join(' ').startsWith('cache clean'),
    advice: 'yarn cache clean',
  },
  {
    name: "Go's caches",
    fills: (name, args) => name === 'go' && /^(?:build|install|get|mod download|run|test)\b/.test(args.join(' ')),
    folders: ['/root/.cache/go-build', '/go/pkg/mod', '/root/go/pkg/mod'],
    variables: ['GOCACHE', 'GOMODCACHE'],
    empties: (name, args) => name === 'go' && args[0] === 'clean' && has('-cache', '-modcache')(args),
    advice: 'go clean -cache -modcache',
  },
  {
    name: "Cargo's registry",
    fills: (name, args) => name === 'cargo' && has('build', 'install', 'fetch')(args),
    folders: ['/root/.cargo/registry', '/usr/local/cargo/registry'],
    variables: [],
    advice: 'rm -rf "$CARGO_HOME/registry"',
  },
];

/**
 * Caches that a step fills and leaves in the image: they are of the day of the build, and no rebuild makes the same. Told only where the
 * image, or one of its lower layers, really has files there.
 */
export function* leftCaches({ steps, holds }: DockerfileScene): Generator<Fault> {
  for (const step of steps) {
    if (!step.final) continue;
    for (const cache of CACHES) {
      const filler = step.commands.findLast(({ name, args }) => name !== undefined && cache.fills(name, args));
      if (filler === undefined || isOff(cache, filler, step)) continue;
      const behind = step.commands.slice(step.commands.indexOf(filler) + 1);
      const isLeft = (folder: string): boolean =>
        holds(folder) && !isMounted(folder, step) && !behind.some((command) => isEmptied(folder, cache, command));
      const left = cache.folders.find(isLeft);
      if (left === undefined) continue;
      yield {
        code: 'cache-left',
        line: step.lineOf(filler),
        message: `the step leaves ${cache.name} in ${left}`,
        evidence: { remove: cache.advice },
      };
    }
  }
}

function isOff({ variables = [] }: Cache, filler: ShellCommand, { values, commands }: Step): boolean {
  return variables.some(
    (name) => (values.get(name) ?? '') !== '' || [filler, ...commands].some(({ assigns }) => assigns.some((one) => one.name === name)),
  );
}

function isMounted(folder: string, { mounted }: Step): boolean {
  return mounted.some((path) => path === '/' || folder === path || folder.startsWith(`${path}/`));
}

/** `rm -rf /var/lib/apt/lists/*`, `rm -r ~/.cache`, `find /var/lib/apt/lists -delete`. */
function isEmptied(folder: string, cache: Cache, { name = '', args }: ShellCommand): boolean {
  if (cache.empties?.(name, args) === true) return true;
  const removes = name === 'rm' ? args.some((word) => /^-[a-z]*r|^--recursive/i.test(word)) : name === 'find' && args.includes('-delete');
  return removes && args.some((word) => covers(word, folder));
}

function covers(word: string, folder: string): boolean {
  const path = word
    .replace(/^~(?=\/|$)|^\$\{HOME\}|^\$HOME/, '/root')
    .replace(/\/\{[^{}]*\}$/, '') // `/var/lib/apt/{lists,…}`: as good as the folder
    .replace(/(?:\/(?:\*|\.\*|\.\[!\.\]\*|\{\*,\.\*\}))+$|\/+$/, '')
    .replace(/\*$/, '');
  return (
    path.length > 1 &&
    path.startsWith('/') &&
    (folder === path || folder.startsWith(word.endsWith('*') && !word.endsWith('/*') ? path : `${path}/`))
  );
}
