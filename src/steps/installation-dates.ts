import type { InstallationDate } from '../model/debian.ts';
import type { Contents, HiddenEntry, Inventory } from '../model/inventory.ts';
import type { Path } from '../model/path.ts';
import { parseSnapshotTime, snapshotTime } from '../model/snapshot-time.ts';

type Source = InstallationDate['from'];
type Look = { from: Source; path: RegExp; times: (text: string) => number[] };

/** Of each kind, the latest, and of all together: an image has a few layers that install packages, and each time costs a look. */
const EACH_MAX = 4;
const ALL_MAX = 12;
/** Characters; a log's end and a Release file's head are in them. */
const TEXT_MAX = 64 * 1024;
/** Milliseconds; times of the kinds that are no exact state of the archive, and lie closer than it changes, are one. */
const SAME_STATE_MS = 6 * 60 * 60 * 1000;

const SNAPSHOT_ADDRESS = /\/archive\/debian(?:-security)?\/(\d{8}T\d{6}Z)/g;

/** Best first. All of it is the publisher's word: a lie costs a look at a wrong time and proves nothing. */
const LOOKS: readonly Look[] = [
  {
    from: 'apt-lists',
    path: /^\/var\/lib\/apt\/lists\/[^/]+_(?:InRelease|Release)$/,
    times: (text) => [Date.parse(/^Date:[ \t]*(.{1,60})$/m.exec(text.slice(0, TEXT_MAX))?.[1] ?? '')],
  },
  {
    // The comment that Debian's official image has, or an address that is in use.
    from: 'apt-sources',
    path: /^\/etc\/apt\/sources\.list(?:\.d\/[^/]+)?$/,
    times: (text) => [...text.slice(0, TEXT_MAX).matchAll(SNAPSHOT_ADDRESS)].map(([, time = '']) => parseSnapshotTime(time)),
  },
  { from: 'dpkg-log', path: /^\/var\/log\/dpkg\.log$/, times: (text) => last(text, /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) /gm) },
  {
    from: 'apt-history',
    path: /^\/var\/log\/apt\/history\.log$/,
    times: (text) => last(text, /^End-Date: (\d{4}-\d\d-\d\d) +(\d\d:\d\d:\d\d)$/gm),
  },
];

/** The times that one file of an image tells, by the kinds of {@link InstallationDate}. */
export function timesInFile(path: Path, bytes: Uint8Array): { from: Source; times: number[] }[] {
  return LOOKS.flatMap((look) =>
    look.path.test(path) ? [{ from: look.from, times: look.times(Buffer.from(bytes).toString('latin1')) }] : [],
  );
}

/**
 * The times at which packages of an image may have been installed, best first, without a repetition; files of every layer
 * count, also those that a later one hides. Bounded.
 */
export function installationDates(inventory: Inventory, contents: Contents): InstallationDate[] {
  const times = new Map<Source, number[]>(LOOKS.map(({ from }) => [from, []]));
  const hidden: readonly Pick<HiddenEntry, 'path' | 'kind' | 'digest'>[] = inventory.hidden;
  for (const { path, kind, digest } of [...inventory.entries, ...hidden]) {
    const bytes = kind === 'file' && digest !== undefined ? contents.get(digest) : undefined;
    if (bytes === undefined) continue;
    for (const told of timesInFile(path, bytes)) times.get(told.from)?.push(...told.times);
  }
  const { created, history = [] } = inventory.config;
  times.set(
    'image-created',
    [created, ...history.map((step) => step.created)].map((time) => Date.parse(time ?? '')),
  );
  const dates = new Map<string, InstallationDate>();
  const states = new Set<number>();
  for (const [from, found] of times) {
    let taken = 0;
    for (const date of found.filter((time) => snapshotTime(time) !== undefined).sort((a, b) => b - a)) {
      const time = snapshotTime(date)!;
      const state = Math.floor(date / SAME_STATE_MS);
      const exact = from === 'apt-lists' || from === 'apt-sources';
      if (taken >= EACH_MAX || dates.has(time) || (!exact && states.has(state))) continue;
      dates.set(time, { time, from });
      states.add(state);
      taken++;
    }
  }
  return [...dates.values()].slice(0, ALL_MAX);
}

/** The last time in a log; logs have the machine's time, which is UTC in a container. */
function last(text: string, line: RegExp): number[] {
  const [, day, time] = [...text.slice(-TEXT_MAX).matchAll(line)].at(-1) ?? [];
  return day === undefined ? [] : [Date.parse(`${day}T${time ?? ''}Z`)];
}
