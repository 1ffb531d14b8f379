/** Lock files, and which program holds what it fetches against them. A lock file that no step uses pins nothing. */
import type { ShellCommand } from '../shell/command.ts';
import { baseName } from '../shell/programs.ts';
import { addHex, lines, type Pins } from './pin.ts';

type LockFile = {
  name: RegExp;
  /** Whether this command installs by a file of that name. */
  usedBy(command: ShellCommand, name: string): boolean;
  read(pins: Pins, path: string, text: string): void;
};

const NODE = /^(?:npm|pnpm|yarn|corepack)$/;
const PYTHON = /^python(?:3(?:\.\d+)?)?$/;

/** `pip install`, also as `python -m pip` and `uv pip`. */
function isPip({ name = '', args }: ShellCommand): boolean {
  if (/^pip(?:3(?:\.\d+)?)?$/.test(name)) return true;
  return (PYTHON.test(name) && args[0] === '-m' && args[1] === 'pip') || (name === 'uv' && args[0] === 'pip');
}

const named = (...names: string[]) => {
  return ({ name = '' }: ShellCommand): boolean => names.includes(name);
};

/** Without what is a comment in TOML, YAML and lists of requirements; as long as before, so that places stay. */
function uncommented(text: string): string {
  return text.replace(/(?<=^|[ \t])#[^\n]*/gm, (comment) => ' '.repeat(comment.length));
}

/** Values of one form, each behind its key. */
function byPattern(pattern: RegExp): LockFile['read'] {
  return (pins, path, text) => {
    const placeAt = lines(path, text);
    for (const match of uncommented(text).matchAll(pattern)) addHex(pins, match[1] ?? '', () => placeAt(match.index));
  };
}

/** Subresource Integrity: `sha512-` and base64, several with blanks between. */
function addIntegrity(pins: Pins, path: string, text: string, pattern: RegExp): void {
  const placeAt = lines(path, text);
  for (const match of text.matchAll(pattern)) {
    for (const [, digits = ''] of (match[1] ?? '').matchAll(/(?<!\S)sha512-([A-Za-z0-9+/]{86}==)(?!\S)/g)) {
      const value = Buffer.from(digits, 'base64').toString('hex');
      if (!pins.sha512.has(value)) pins.sha512.set(value, placeAt(match.index));
    }
  }
}

const LOCK_FILES: readonly LockFile[] = [
  {
    // One hash anywhere makes pip ask for one of everything: https://pip.pypa.io/en/stable/topics/secure-installs/
    name: /^[^/]*\.(?:txt|in)$/,
    usedBy(command, name) {
      if (!isPip(command)) return false;
      const { args } = command;
      return args.some((word, index) => {
        const file = /^(?:-r|--requirement=?)(.*)$/.exec(word)?.[1];
        return file !== undefined && baseName(file === '' ? (args[index + 1] ?? '') : file) === name;
      });
    },
    read: byPattern(/--hash[= ]sha256:([0-9a-f]{64})\b/g),
  },
  { name: /^poetry\.lock$/, usedBy: named('poetry'), read: byPattern(/\bhash = "sha256:([0-9a-f]{64})"/g) },
  { name: /^uv\.lock$/, usedBy: named('uv'), read: byPattern(/\bhash = "sha256:([0-9a-f]{64})"/g) },
  { name: /^pdm\.lock$/, usedBy: named('pdm'), read: byPattern(/\bhash = "sha256:([0-9a-f]{64})"/g) },
  { name: /^Pipfile\.lock$/, usedBy: named('pipenv'), read: byPattern(/^\s*"sha256:([0-9a-f]{64})",?\s*$/gm) },
  {
    name: /^(?:package-lock|npm-shrinkwrap)\.json$/,
    usedBy: ({ name = '' }) => NODE.test(name),
    read: (pins, path, text) => addIntegrity(pins, path, text, /^\s*"integrity": "([^"\\]+)",?\s*$/gm),
  },
  {
    name: /^yarn\.lock$/,
    usedBy: ({ name = '' }) => NODE.test(name),
    read: (pins, path, text) => addIntegrity(pins, path, text, /^ +integrity ([^\n#]+)$/gm),
  },
  {
    name: /^pnpm-lock\.yaml$/,
    usedBy: ({ name = '' }) => NODE.test(name),
    read: (pins, path, text) => addIntegrity(pins, path, uncommented(text), /\bintegrity: ([^\s,}]+)/g),
  },
  {
    name: /^go\.sum$/,
    usedBy: named('go'),
    read(pins, path, text) {
      const placeAt = lines(path, text);
      // `v1.2.3/go.mod h1:` is of that file alone.
      for (const { 1: hash = '', index } of text.matchAll(/^\S+ v[^\s/]+ (h1:[A-Za-z0-9+/]{43}=)$/gm))
        if (!pins.goSum.has(hash)) pins.goSum.set(hash, placeAt(index));
    },
  },
  { name: /^Cargo\.lock$/, usedBy: named('cargo'), read: byPattern(/^checksum = "([0-9a-f]{64})"/gm) },
  { name: /^Gemfile\.lock$/, usedBy: named('bundle', 'bundler'), read: byPattern(/^ {2}\S+ \([^)]*\) sha256=([0-9a-f]{64})\b/gm) },
];

/** Whether a file of the source may be one, so that it is worth reading. */
export function isLockFile(path: string): boolean {
  return LOCK_FILES.some(({ name }) => name.test(baseName(path)));
}

/** Adds what the lock files of the source pin that any of these commands installs by. */
export function addLockFiles(pins: Pins, commands: readonly ShellCommand[], texts: ReadonlyMap<string, string>): void {
  for (const [path, text] of texts) {
    const name = baseName(path);
    for (const lock of LOCK_FILES) if (lock.name.test(name) && commands.some((one) => lock.usedBy(one, name))) lock.read(pins, path, text);
  }
}
