import { compareDebianVersions } from '../../model/debian-version.ts';
import type { Digest } from '../../model/digest.ts';
import type { NewerVersion } from '../../model/debian.ts';
import type { HashSearch } from '../../model/hash-search.ts';
import { type Path, byText } from '../../model/path.ts';
import { findOwners, hasContents } from './contents-index.ts';
import { settled } from './limit.ts';
import { type LocatePorts, type Location, keyOf } from './locate.ts';
import { newerVersions } from './newer.ts';
import { type ArchivePackage, findPackages } from './packages.ts';
import { codenameOf, knownReleases, suitesOf } from './releases.ts';
import { type Suite, openSuite } from './suite.ts';

/** A .deb that may hold a file, and where it is. */
export type Candidate = {
  found: ArchivePackage;
  /** Places of this very .deb. */
  locations: Location[];
  /** What the suites have that is newer. */
  newer: NewerVersion[];
  /** 2: a database of a lower layer names it in this version; 1: the image shows traces of it; 0: only an index names it. */
  rank: number;
};

type Located = Pick<Candidate, 'found' | 'locations'>;

/** By the names that the files have in a merged /usr; the best candidate of each first. */
export type Candidates = {
  candidates: ReadonlyMap<Path, readonly Candidate[]>;
  /** Indexes that could not be had as they were signed. */
  unread: string[];
};

/** Debian's names of architectures by the folder of their libraries: https://wiki.debian.org/Multiarch/Tuples. */
const MULTIARCH: ReadonlyMap<string, string> = new Map([
  ['x86_64-linux-gnu', 'amd64'],
  ['i386-linux-gnu', 'i386'],
  ['aarch64-linux-gnu', 'arm64'],
  ['arm-linux-gnueabihf', 'armhf'],
  ['arm-linux-gnueabi', 'armel'],
  ['powerpc64le-linux-gnu', 'ppc64el'],
  ['s390x-linux-gnu', 's390x'],
  ['riscv64-linux-gnu', 'riscv64'],
]);
const ARCHITECTURES_MAX = 3; // each costs an index of 12 MB; an honest image has one, a Wine or cross-building one two

/**
 * The candidates of each release that the image may be of, likeliest first: the one that it names or, where nothing names one,
 * each that this machine has keys for. `left` is asked anew for every release: what was found needs no further one.
 */
export async function* findCandidates(
  ports: LocatePorts,
  wanted: HashSearch,
  left: ReadonlyMap<Path, unknown>,
): AsyncGenerator<Candidates> {
  const named = codenameOf(wanted.osRelease, wanted.known);
  const releases: ({ codename: string; suites: Suite[] } & Owners)[] = [];
  for (const codename of named === undefined ? knownReleases(ports.keyring.has) : [named]) {
    const suites = await suitesHeld(ports, codename, wanted);
    if (suites.length > 0) releases.push({ codename, suites, ...(await ownersIn(ports, suites, wanted, [...left.keys()])) });
  }
  releases.sort((a, b) => b.owners.size - a.owners.size);
  for (const { codename, suites, owners, indexed, unread } of releases) {
    const still = new Map([...owners].filter(([path]) => left.has(path)));
    if (left.size > 0) yield { unread, candidates: await locate(ports, { codename, suites }, wanted, { owners: still, indexed }, left) };
  }
}

/** The suites of a release that the mirrors have; none where they have not got the release itself. */
async function suitesHeld(ports: LocatePorts, codename: string, { known }: HashSearch): Promise<Suite[]> {
  const requests = suitesOf(codename, known, ports.keyring.has);
  const suites = await settled(requests.map((request) => openSuite(ports, request, ports.sources[request.role])));
  return suites[0] === undefined ? [] : suites.filter((suite) => suite !== undefined);
}

function architecturesOf({ architecture, files }: HashSearch): string[] {
  const seen = new Set([architecture]);
  for (const { path } of files) {
    const folder = /^\/(?:usr\/)?lib\/([a-z0-9_]+-linux-gnu[a-z0-9]*)\//.exec(path)?.[1];
    const other = folder === undefined ? undefined : MULTIARCH.get(folder);
    if (other !== undefined && seen.size < ARCHITECTURES_MAX) seen.add(other);
  }
  return [...seen];
}

/** What the Contents indexes of a release say. */
type Owners = { owners: Map<Path, string[]>; /** Whether there was one that could be read. */ indexed: boolean; unread: string[] };

/** The names of the packages that the Contents indexes give for each path. */
async function ownersIn(ports: LocatePorts, suites: readonly Suite[], wanted: HashSearch, paths: Path[]): Promise<Owners> {
  const owners = new Map<Path, string[]>();
  const unread: string[] = [];
  let indexed = false;
  // One after the other: each keeps a processor busy, and none is waited for by more than this search.
  for (const suite of suites) {
    for (const component of suite.release.components) {
      for (const architecture of [...architecturesOf(wanted), 'all']) {
        if (!hasContents(suite, component, architecture)) continue;
        const found = await findOwners(ports, suite, { component, architecture }, paths);
        if (found === undefined) unread.push(`${suite.request.id} ${component}/Contents-${architecture}.gz`);
        else indexed = true;
        for (const [path, names] of found ?? []) owners.set(path, [...new Set([...(owners.get(path) ?? []), ...names])]);
      }
    }
  }
  return { owners, indexed, unread };
}

/** The .debs of the packages: every version that the suites have, of every architecture that the files speak of. */
async function locate(
  ports: LocatePorts,
  { codename, suites }: { codename: string; suites: readonly Suite[] },
  wanted: HashSearch,
  { owners, indexed }: { owners: ReadonlyMap<Path, readonly string[]>; indexed: boolean },
  left: ReadonlyMap<Path, unknown>,
): Promise<ReadonlyMap<Path, Candidate[]>> {
  // A mirror without such indexes: whatever the image shows traces of may hold any of its files.
  const traced = indexed ? [] : [...wanted.known.map(({ name }) => name), ...wanted.names];
  const byName = await locatedByName(ports, suites, wanted, new Set([...[...owners.values()].flat(), ...traced]));
  const exact = new Set(wanted.known.map(keyOf));
  const traces = new Set([...wanted.names, ...wanted.known.map(({ name }) => name)]);
  const counts = new Map<string, number>();
  for (const names of owners.values()) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);

  const of = { release: codename, architecture: wanted.architecture };
  const newerThan = ({ found }: Located): NewerVersion[] =>
    newerVersions(found, byName.get(found.name)?.flatMap(({ locations }) => locations) ?? [], of);
  const candidatesOf = (names: readonly string[]): Candidate[] =>
    names
      .flatMap((name) => byName.get(name) ?? [])
      .map((one) => ({ ...one, newer: newerThan(one), rank: exact.has(keyOf(one.found)) ? 2 : traces.has(one.found.name) ? 1 : 0 }))
      .sort((a, b) => b.rank - a.rank || (counts.get(b.found.name) ?? 0) - (counts.get(a.found.name) ?? 0) || newestFirst(a, b));
  const shared = new Map<string, Candidate[]>(); // thousands of files have the same owners
  const candidates = new Map<Path, Candidate[]>();
  for (const path of left.keys()) {
    const names = owners.get(path) ?? traced;
    if (names.length === 0) continue;
    const key = names === traced ? '' : names.join(' ');
    const known = shared.get(key) ?? candidatesOf(names);
    shared.set(key, known);
    candidates.set(path, known);
  }
  return candidates;
}

async function locatedByName(
  ports: LocatePorts,
  suites: readonly Suite[],
  wanted: HashSearch,
  names: ReadonlySet<string>,
): Promise<Map<string, Located[]>> {
  const byDeb = new Map<Digest, Located>();
  for (const suite of suites) {
    for (const component of suite.release.components) {
      for (const architecture of architecturesOf(wanted)) {
        for (const found of await findPackages(ports, suite, { component, architecture }, names)) {
          const known = byDeb.get(found.deb);
          if (known === undefined) byDeb.set(found.deb, { found, locations: [{ suite, found }] });
          else known.locations.push({ suite, found });
        }
      }
    }
  }
  return Map.groupBy(byDeb.values(), ({ found }) => found.name);
}

/** What is no version for dpkg counts as the oldest. */
function newestFirst({ found: a }: Located, { found: b }: Located): number {
  try {
    return compareDebianVersions(b.version, a.version) || byText(a.deb, b.deb);
  } catch {
    return byText(a.deb, b.deb);
  }
}
