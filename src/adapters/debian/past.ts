import type { InstallationDate, InstalledPackage, UnverifiedReason } from '../../model/debian.ts';
import { parseSnapshotTime, snapshotTime, type SnapshotTime } from '../../model/snapshot-time.ts';
import { Problem } from '../../problem.ts';
import { settled } from './limit.ts';
import { keyOf, type Location, searchSuites, type LocatePorts } from './locate.ts';
import { pastSuitesOf, type SuiteRequest } from './releases.ts';
import type { Snapshot } from './snapshot.ts';
import type { Suite } from './suite.ts';

/** The first snapshot of Debian is of March 2005. */
const FIRST = Date.UTC(2005, 2);
/**
 * Milliseconds. The archive changes four times a day and its snapshot is made some hours later: this long after the date of a
 * Release file, or after a file was first seen in the pool, the nearest snapshot before it has what was published then.
 */
const PUBLISHED_MS = 6 * 60 * 60 * 1000;
/** Packages that are asked for one by one. The newest of them dates the installation, and finds most others with it. */
const ASKED_MAX = 100;
/** Snapshots that are looked into for them. A time costs up to five indexes, most of which were seen at another time already. */
const SEEN_TIMES_MAX = 24;

export type Past = {
  suites: Suite[];
  locations: Map<string, Location[]>;
  /** Why what is missing in `locations` is; absent where nothing was asked, as for a release that no key is pinned for. */
  reason?: UnverifiedReason;
};

type Installed = { packages: InstalledPackage[]; osRelease: Record<string, string>; architecture: string };

/**
 * Finds packages that the mirror has no longer in an archive of snapshots: at the times that the image tells, best first, and
 * then at those at which the archive saw a package first, until nothing is missing. `installed.packages` are the missing ones.
 * Throws `archive-unavailable` and, for an index that is not the signed one, `archive-untrusted`; with `lastTry` such a fault is the
 * reason that is returned, with what was found before it.
 */
export async function locateInPast(
  ports: LocatePorts,
  snapshot: Snapshot,
  installed: Installed & { codename: string },
  dates: readonly InstallationDate[],
  lastTry: boolean,
): Promise<Past> {
  const past: Past = { suites: [], locations: new Map(), reason: 'not-found' };
  const now = ports.now().getTime();
  const opened = new Map<string, Promise<Suite | 'untrusted' | undefined>>();
  const missing = (): InstalledPackage[] => installed.packages.filter((one) => !past.locations.has(keyOf(one)));
  const open = (request: SuiteRequest, time: SnapshotTime): Promise<Suite | 'untrusted' | undefined> => {
    const key = `${request.id} ${time}`;
    const known = opened.get(key) ?? snapshot.openSuite(request, time);
    opened.set(key, known);
    return known;
  };
  const look = async (time: SnapshotTime | undefined, everywhere: boolean, role?: SuiteRequest['role']): Promise<void> => {
    const milliseconds = parseSnapshotTime(time ?? '');
    if (time === undefined || !(milliseconds >= FIRST && milliseconds <= now)) return;
    const requests = pastSuitesOf(installed.codename, installed.packages, ports.keyring.has, everywhere);
    const wanted = requests.filter((request) => role === undefined || request.role === role);
    const found = await settled(wanted.map((request) => open(request, time)));
    if (found.includes('untrusted')) past.reason = 'snapshot-untrusted';
    // Two times may lead to one snapshot, and a suite may be the same in two of them.
    const known = new Set(past.suites.map(({ release }) => release.archive.inRelease));
    const suites = found.filter((suite) => suite !== undefined && suite !== 'untrusted' && !known.has(suite.release.archive.inRelease));
    past.suites.push(...(suites as Suite[]));
    try {
      await searchSuites({ ...ports, keep: true }, suites as Suite[], { ...installed, packages: missing() }, past.locations);
    } catch (error) {
      if (!lastTry || faultOf(error) !== 'snapshot-untrusted') throw error;
      past.reason = 'snapshot-untrusted'; // another time may be whole
    }
  };
  try {
    for (const { time, from } of dates) {
      if (missing().length === 0) return past;
      // What apt had read was published then; every other time is one at which the archive's state of before was in use.
      await look(from === 'apt-lists' ? later(time) : time, false);
    }
    const asked = missing().slice(0, ASKED_MAX);
    const seen = (await settled(asked.map(async (one) => (await snapshot.firstSeen(one)).map((first) => ({ one, ...first }))))).flat();
    const times = seen.toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
    const looked = new Set<SnapshotTime>();
    for (const { one, role, time } of times) {
      if (past.locations.has(keyOf(one)) || (looked.size >= SEEN_TIMES_MAX && !looked.has(time))) continue;
      looked.add(time);
      await look(time, true, role);
      if (!past.locations.has(keyOf(one))) await look(later(time), true, role);
    }
  } catch (error) {
    const reason = faultOf(error);
    if (reason === undefined || !lastTry) throw error;
    past.reason = reason;
  }
  return past;
}

/** What a fault of the archive of snapshots leaves behind; undefined for every other fault. */
export function faultOf(error: unknown): UnverifiedReason | undefined {
  if (!(error instanceof Problem)) return undefined;
  if (error.code === 'archive-unavailable' || error.code === 'address-refused') return 'snapshot-unreachable';
  return error.code === 'archive-untrusted' ? 'snapshot-untrusted' : undefined;
}

function later(time: SnapshotTime): SnapshotTime | undefined {
  return snapshotTime(parseSnapshotTime(time) + PUBLISHED_MS);
}
