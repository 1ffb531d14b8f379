import type { Entry } from '../model/inventory.ts';
import type { RunConfig } from '../model/oci.ts';
import { type Path, textFromBytes } from '../model/path.ts';
import { absolutePath, followPath, isBelow } from './follow-path.ts';

/** Where a container of an image looks for programs. */
export type RunPlace = {
  entries: ReadonlyMap<Path, Entry>;
  workingDir: Path;
  /** Folders of PATH in order; undefined where the image sets PATH twice, each time another one. */
  folders: Path[] | undefined;
  volumes: Path[];
};

export type Located = { entry: Entry; via: Path[]; doubts: string[] } | { problem: string; doubts: string[] };

/** Engines set this where the image sets no PATH: containerd, pkg/oci, and Docker alike. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Engines mount file systems of the kernel over these: nothing that the image holds below them can run. */
const MOUNTED: readonly Path[] = ['/dev', '/proc', '/sys'];
const FOLDERS_MAX = 64;

const printable = (text: string): string => textFromBytes(Buffer.from(text));

/** OCI image specification 1.1, config.md: `Env`, `WorkingDir`, `Volumes`. */
export function runPlace({ Env = [], WorkingDir, Volumes = {} }: RunConfig, entries: ReadonlyMap<Path, Entry>): RunPlace {
  const workingDir = absolutePath(printable(WorkingDir ?? ''), '/');
  const values = new Set(Env.filter((one) => one.startsWith('PATH=')).map((one) => one.slice('PATH='.length)));
  const [path = DEFAULT_PATH] = values;
  // An empty name in PATH is the working directory: XBD 8.3.
  const folders = printable(path)
    .split(':')
    .slice(0, FOLDERS_MAX)
    .map((folder) => absolutePath(folder, workingDir));
  return {
    entries,
    workingDir,
    folders: values.size > 1 ? undefined : folders,
    volumes: Object.keys(Volumes).map((volume) => absolutePath(printable(volume), '/')),
  };
}

/** The file that a word means as the name of a program: execvp(3). `readable`: as the name of a file that is read. */
export function locate(place: RunPlace, word: string, readable: boolean): Located {
  const name = printable(word);
  if (name.includes('/') || readable) return atPath(place, absolutePath(name, place.workingDir), readable, []);
  if (place.folders === undefined)
    return { problem: 'the image sets PATH twice, and which of them holds depends on the engine', doubts: [] };
  const doubts: string[] = [];
  for (const folder of place.folders) {
    const found = atPath(place, absolutePath(name, folder), false, doubts);
    if ('entry' in found) return found;
    const doubt = doubtOf(place, folder);
    if (doubt !== undefined && !doubts.includes(doubt)) doubts.push(doubt);
  }
  return { problem: 'no folder of PATH holds such a program', doubts };
}

function atPath(place: RunPlace, path: Path, readable: boolean, doubts: readonly string[]): Located {
  const mounted = isBelow(path, MOUNTED);
  if (mounted !== undefined) return { problem: `the engine mounts ${mounted}: what runs is not in the image`, doubts: [...doubts] };
  const followed = followPath(place.entries, path);
  if ('lost' in followed) {
    const why = followed.lost === 'loop' ? 'leads in circles' : 'is not in the image';
    const volume = isBelow(followed.at, place.volumes);
    const more = volume === undefined ? [] : [`${volume} is a volume: what is mounted there may hold it`];
    return { problem: `${followed.at} ${why}`, doubts: [...doubts, ...more] };
  }
  const { entry, via } = followed;
  if (entry.kind !== 'file') return { problem: `${entry.path} is a ${entry.kind}, which cannot be run`, doubts: [...doubts] };
  if (!readable && (entry.mode & 0o111) === 0)
    return { problem: `${entry.path} has no x bit, so that it cannot be run`, doubts: [...doubts] };
  return { entry, via, doubts: [...doubts] };
}

/** What could put another program before the one that is found: a folder of PATH that comes first and is not the image's alone. */
function doubtOf({ entries, volumes }: RunPlace, folder: Path): string | undefined {
  const volume = isBelow(folder, volumes);
  if (volume !== undefined) return `PATH names ${folder} before, and ${volume} is a volume`;
  // Where the folder is missing, whoever may write to the nearest one above can make it.
  for (let path = folder; ; path = path.slice(0, path.lastIndexOf('/')) || '/') {
    const followed = followPath(entries, path);
    if ('entry' in followed) {
      const open = followed.entry.kind === 'directory' && (followed.entry.mode & 0o002) !== 0;
      return open ? `PATH names ${folder} before, where anybody may put another` : undefined;
    }
    if (path === '/' || followed.lost === 'loop') return undefined;
  }
}
