import type { FileFacts } from '../../model/inventory.ts';
import type { Rule, Side } from './rule.ts';

/** Linux Documentation/admin-guide/devices.txt: major and minor numbers, all character devices. */
const DEVICES: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['/dev/null', [1, 3]],
  ['/dev/zero', [1, 5]],
  ['/dev/full', [1, 7]],
  ['/dev/random', [1, 8]],
  ['/dev/urandom', [1, 9]],
  ['/dev/tty', [5, 0]],
  ['/dev/console', [5, 1]],
  ['/dev/ptmx', [5, 2]],
]);
const LINKS: ReadonlyMap<string, string> = new Map([
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
  ['/dev/core', '/proc/kcore'],
  ['/dev/ptmx', 'pts/ptmx'],
]);
const FOLDERS: ReadonlySet<string> = new Set(['/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/net']);

function isStandard({ facts }: Side): boolean {
  const { path, kind, device, target } = facts;
  if (kind === 'symlink') return target !== undefined && LINKS.get(path) === target;
  if (kind === 'directory') return FOLDERS.has(path);
  const numbers = DEVICES.get(path);
  return kind === 'character' && numbers !== undefined && device?.major === numbers[0] && device.minor === numbers[1];
}

export const standardDevices: Rule = {
  name: 'standard-devices',
  version: 1,
  reason: "a root file system's usual device files, by their numbers; every engine mounts its own /dev over them",
  applies: (path) => path.startsWith('/dev/'),
  admits: (facts: FileFacts) => facts.kind !== 'file' && facts.uid === 0 && (facts.mode & 0o6000) === 0 && facts.xattrs === undefined,
  form: isStandard,
};
