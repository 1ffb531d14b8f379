import type { InstallationDate, InstalledPackage, UnverifiedReason } from '../../model/debian.ts';
import { parseSnapshotTime, snapshotTime, type SnapshotTime } from '../../model/snapshot-time.ts';
import { Problem } from '../../problem.ts';
import { settled } from './limit.ts';
import { keyOf, type Location, searchSuites, type LocatePorts } from './locate.ts';
import { pastSuitesOf, type SuiteRequest } from './releases.ts';
import type { FirstSeen, Snapshot } from './snapshot.ts';
import type { Suite } from './suite.ts';

/** The first snapshot of Debian is of March 2005. */
const FIRST = Date.UTC(2005, 2);
/**
 * Milliseconds. The archive changes four times a day and its snapshot is made some hours later: this long after the date of a
 * Release file, or after a file was first seen in the pool, the nearest snapshot before it has what was published then.
 */
const PUBLISHED_MS = 6 * 60 * 60 * 1000;
/** So few packages are asked for one by one before a time is looked into: a question costs 5 kB, a time some indexes of 10 MB. */
const FEW = 20;
/** Times that are looked into while more are missing. */
const LOOKS_BEFORE = 3;
/** Packages that are asked for one by one. The newest of them dates the installation, and finds most others with it. */
const ASKED_MAX = 100;
/** Snapshots that are looked into for them. */
const SEEN_TIMES_MAX = 12;

export type Past = {
  suites: Suite[];
  locations: Map<string, Location[]>;
  /** Why what is missing in `locations` is; absent where nothing was asked, as for a release that no key is pinned for. */
  reason?: UnverifiedReason;
};

type Installed = { packages: InstalledPackage[]; osRelease: Record<string, string>; architecture: string };

/**
 * Finds packages that the mirror has no longer in an archive of snapshots: at the times that the image tells, best first, and
 * then at those at which the archive saw a package first, until nothing is missing that it ever had. What it never had (packages
 * of third parties) is told by its API, so that no time is looked into for them. `installed.packages` are the missing ones.
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
    // What apt had read was published then; every other time is one at which the archive's state of before was in use.
    const times = dates.map(({ time, from }) => ({ time: from === 'apt-lists' ? later(time) : time }));
    // With many missing, the first time finds most.
    for (const { time } of times.splice(0, missing().length > FEW ? LOOKS_BEFORE : 0)) if (missing().length > FEW) await look(time, false);
    const seen = await askFirstSeen(snapshot, missing().slice(0, ASKED_MAX));
    for (const { time } of times) {
      const since = seen.since(missing());
      if (since.length === 0) break;
      if (time !== undefined && since.some((first) => first <= time)) await look(time, false);
    }
    const looked = new Set<SnapshotTime>();
    for (const { one, role, time } of seen.times) {
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

type Seen = {
  /** The newest first. */
  times: { one: InstalledPackage; role: SuiteRequest['role']; time: SnapshotTime }[];
  /** Of these packages, since when there may be each; without those that the archive says it never had. */
  since(packages: readonly InstalledPackage[]): SnapshotTime[];
};

/** Asks for each package when the archive had it first. A plain copy of a snapshot archive has nobody to ask. */
async function askFirstSeen(snapshot: Snapshot, asked: readonly InstalledPackage[]): Promise<Seen> {
  const answers = asked.length > 0 && (await snapshot.hasApi());
  const firsts = new Map<string, FirstSeen[]>();
  if (answers) await settled(asked.map(async (one) => void firsts.set(keyOf(one), await snapshot.firstSeen(one))));
  const times = asked.flatMap((one) => (firsts.get(keyOf(one)) ?? []).map((first) => ({ one, ...first })));
  return {
    times: times.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0)),
    since: (packages) =>
      packages.flatMap((one) => {
        const known = firsts.get(keyOf(one));
        return known === undefined ? [''] : known.map(({ time }) => time);
      }),
  };
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
