import { availableParallelism } from 'node:os';
import type { ArchiveSuite, DebContents, InstalledPackage, PackageEvidence } from '../../model/debian.ts';
import type { Digest } from '../../model/digest.ts';
import type { HashSearch, HashSearchResult, OtherBytes, SearchedFile } from '../../model/hash-search.ts';
import { mergedPath } from '../../model/merged-usr.ts';
import { type Path, byText } from '../../model/path.ts';
import { debianPurl } from '../../model/purl.ts';
import type { Blobs, ScanLayer } from '../../ports.ts';
import { type Candidate, findCandidates } from './candidates.ts';
import { ensureDeb } from './fetch-deb.ts';
import { makeLimit, settled } from './limit.ts';
import type { LocatePorts } from './locate.ts';

export type SearchPorts = LocatePorts & { blobs: Blobs; scanLayer: ScanLayer };

/** What one search may cost: an image chooses the paths that are looked up, and with them the packages. */
export type SearchLimits = {
  /** Packages that are fetched. A server's root has 300, a desktop's 2,000; an image with a name out of every package 60,000. */
  packages: number;
  /** Bytes of all .debs that are fetched. */
  bytes: number;
  /** Versions and packages that are tried for one file. */
  each: number;
};
export const SEARCH_LIMITS: SearchLimits = { packages: 1000, bytes: 4 * 1024 * 1024 * 1024, each: 6 };

const CONTENTS_BYTES_MAX = 256 * 1024 * 1024; // a package of 100,000 files is 30 MB as a document
const PACKAGES_AT_ONCE = 8; // as for packages that a database names

/**
 * Files by their hashes: candidates out of signed indexes and of what the image shows, then each candidate's members, until
 * every file is found or nothing is left to try. Throws `archive-unavailable`, `archive-untrusted`.
 */
export async function searchByHash(
  ports: SearchPorts,
  wanted: HashSearch,
  onProgress: (packages: number) => void = () => {},
  limits = SEARCH_LIMITS,
): Promise<HashSearchResult> {
  const files = new Map<Path, SearchedFile>(wanted.files.map((file) => [mergedPath(file.path), file]));
  const searched = files.size; // of two names that are one in a merged /usr, one
  const found = new Map<string, PackageEvidence>();
  const others = new Map<Path, OtherBytes>();
  const archives = new Map<string, ArchiveSuite>();
  const search: Search = {
    ports,
    limits,
    spent: { packages: 0, bytes: 0 },
    left: files,
    out: new Set(),
    found,
    others,
    archives,
    onProgress,
  };
  let releases = 0;
  const unread: string[] = [];
  for await (const { candidates, ...more } of findCandidates(ports, wanted, search.left)) {
    releases += 1;
    unread.push(...more.unread);
    await tryAll(search, candidates);
  }
  const skipped = wanted.omitted + (releases === 0 ? files.size : search.out.size);
  return {
    archives: [...archives.values()].sort((a, b) => byText(a.id, b.id)),
    packages: [...found.values()].sort((a, b) => byText(a.purl, b.purl)),
    searched,
    found: searched - files.size,
    others: [...others.values()].sort((a, b) => byText(a.path, b.path)),
    unread,
    skipped,
    ...(skipped === 0 ? {} : { reason: releases === 0 ? 'no mirror has a release that the image may be of' : reasonOf(limits) }),
  };
}

type Search = {
  ports: SearchPorts;
  limits: SearchLimits;
  spent: { packages: number; bytes: number };
  /** By the one name in a merged /usr: not found yet. */
  left: Map<Path, SearchedFile>;
  /** Files for which a candidate was left out. */
  out: Set<Path>;
  found: Map<string, PackageEvidence>;
  others: Map<Path, OtherBytes>;
  archives: Map<string, ArchiveSuite>;
  onProgress: (packages: number) => void;
};

/** Round by round: the best candidate that was not tried yet of each file that is left, until none has one. */
async function tryAll(search: Search, candidates: ReadonlyMap<Path, readonly Candidate[]>): Promise<void> {
  const { limits, spent, left } = search;
  const limit = makeLimit(PACKAGES_AT_ONCE);
  const reading = makeLimit(availableParallelism() * 2);
  const tried = new Set<Digest>();
  for (let round = 0; round < limits.each; round++) {
    const chosen = new Map<Digest, { candidate: Candidate; files: number }>();
    for (const path of left.keys()) {
      const candidate = candidates
        .get(path)
        ?.slice(0, limits.each)
        .find(({ found: { deb } }) => !tried.has(deb));
      if (candidate === undefined) continue;
      const known = chosen.get(candidate.found.deb) ?? { candidate, files: 0 };
      known.files += 1;
      chosen.set(candidate.found.deb, known);
    }
    if (chosen.size === 0) return;
    const affordable: Candidate[] = [];
    // What a database of a lower layer names comes first, then the package with the most of the files.
    const byWorth = [...chosen.values()].sort(
      (a, b) => b.candidate.rank - a.candidate.rank || b.files - a.files || byText(a.candidate.found.deb, b.candidate.found.deb),
    );
    const beyond = new Set<Digest>();
    for (const { candidate } of byWorth) {
      const { deb, size } = candidate.found;
      tried.add(deb);
      if (spent.packages >= limits.packages || spent.bytes + size > limits.bytes) {
        beyond.add(deb);
        continue;
      }
      spent.packages += 1;
      spent.bytes += size;
      affordable.push(candidate);
    }
    if (beyond.size > 0) {
      for (const path of left.keys()) if (candidates.get(path)?.some(({ found: { deb } }) => beyond.has(deb))) search.out.add(path);
    }
    await settled(affordable.map((candidate) => limit(() => tryOne(search, candidate, reading))));
  }
}

async function tryOne(search: Search, candidate: Candidate, reading: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
  const { ports, left, others } = search;
  const { found, locations } = candidate;
  const contents = await ensureDeb(ports, found.deb, locations, reading);
  const { entries, control } = JSON.parse((await ports.blobs.read(contents, CONTENTS_BYTES_MAX)).toString('utf8')) as DebContents;
  const purl = debianPurl(found.name, found.version, found.architecture);
  let matched = false;
  for (const entry of entries) {
    const path = mergedPath(entry.path);
    const file = left.get(path);
    if (file === undefined) continue;
    const same = file.digest === undefined ? entry.target !== undefined && entry.target === file.target : entry.digest === file.digest;
    if (same) {
      matched = true;
      left.delete(path);
      others.delete(path);
      search.out.delete(path);
    } else if (!others.has(path)) {
      others.set(path, { path: file.path, package: purl, deb: found.deb, expected: entry.digest ?? entry.target ?? entry.kind });
    }
  }
  if (matched) {
    search.found.set(purl, evidenceOf(candidate, purl, contents, control));
    const { archive } = candidate.locations[0]!.suite.release;
    search.archives.set(archive.id, archive);
  }
  search.onProgress(search.spent.packages);
}

function evidenceOf(
  { found, locations, newer }: Candidate,
  purl: string,
  contents: Digest,
  control: DebContents['control'],
): PackageEvidence {
  const { name, version, architecture, component, packages, deb, size, path } = found;
  const [, source = name, sourceVersion = version] = /^(\S+)(?:\s+\((\S+)\))?$/.exec(control['source'] ?? '') ?? [];
  const one: InstalledPackage = { name, version, architecture, source, sourceVersion, state: 'found' };
  const archive = locations[0]!.suite.request.id;
  const chain = { archive, component, packages, deb, size, path, contents };
  return { ...one, purl, status: 'verified', chain, ...(newer.length === 0 ? {} : { newer }) };
}

function reasonOf({ packages, bytes }: SearchLimits): string {
  return `a search ends with ${packages} packages or ${Math.round(bytes / 2 ** 20)} MiB of them`;
}
