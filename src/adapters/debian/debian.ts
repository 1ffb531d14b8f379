import { availableParallelism } from 'node:os';
import type { DebianEvidence, InstalledPackage, PackageEvidence, UnverifiedReason } from '../../model/debian.ts';
import type { Digest } from '../../model/digest.ts';
import { debianPurl } from '../../model/purl.ts';
import type { Blobs, Clock, Debian, ScanLayer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { verifyLists } from './apt-lists.ts';
import { ensureDeb } from './fetch-deb.ts';
import { type Derivative, derivativeSuites } from './derivatives.ts';
import { type Keyring, loadKeyring } from './keyring.ts';
import { makeLimit, makeShared, settled } from './limit.ts';
import { type LocatePorts, type Location, keyOf, locatePackages } from './locate.ts';
import { type Fetch, makeMirror } from './mirror.ts';
import { searchByHash } from './search.ts';
import { foreignFaultOf, locateThirdParty } from './third-party.ts';
import { faultOf, locateInPast, type Past } from './past.ts';
import { makeSnapshot } from './snapshot.ts';
import { codenameOf, type SuiteRequest, suitesOf } from './releases.ts';
import type { Suite } from './suite.ts';
import type { DebianSources } from './sources.ts';

export type DebianPorts = {
  fetch: Fetch;
  blobs: Blobs;
  scanLayer: ScanLayer;
  /** Of `debianSources`. */
  sources: DebianSources;
  /** InRelease files as last seen and parsed indexes. Losing it costs time, and the memory of which Release was the newest. */
  cacheDir: string;
  /** The folder of the key files of the package debian-archive-keyring; by default where that puts them. */
  keyrings?: string;
  now?: Clock;
  /** For addresses that an image names: public ones alone. Without it no repository beside Debian's is asked. */
  foreignFetch?: Fetch;
  /** Whose images are followed down their own archives. */
  derivatives?: readonly Derivative[];
  /** CONFORME_SNAPSHOT_URL: the archive of snapshots. Without it packages that the mirror has no longer stay unverified. */
  snapshot?: string;
};

// Four are downloaded, as many as there are processors unpacked, and the next wait with what is in the store already.
const PACKAGES_AT_ONCE = 8;

/** Milliseconds for which an archive of snapshots that was given up is not asked again: other images need not wait as well. */
const GIVEN_UP_MS = 2 * 60 * 1000;

/** Of repositories that an image names. Milliseconds for one answer and for all of an image, bytes of all .debs and of one unpacked. */
const FOREIGN = { answer: 60_000, all: 10 * 60_000, bytes: 4 * 1024 ** 3, unpacked: 4 * 1024 ** 3 } as const;

type Installed = Parameters<Debian['gather']>[0];
type Found = { suites: Suite[]; locations: Map<string, Location[]> };

/** Debian's archive: InRelease, signed → Packages → .deb → members, each by the SHA-256 that the one before names. */
export function makeDebian(parts: DebianPorts): Debian {
  const { fetch, blobs, scanLayer, sources, cacheDir, keyrings, now = () => new Date() } = parts;
  const mirror = makeMirror(fetch, parts.snapshot === undefined ? {} : { snapshots: [parts.snapshot] });
  const foreign = parts.foreignFetch && makeMirror(parts.foreignFetch, { attempts: 2, milliseconds: FOREIGN.answer });
  let givenUp = -Infinity;
  const reading = makeLimit(availableParallelism() * 2); // one starts while another works
  const shared = makeShared<Digest>();

  /** What the mirror has no longer, in the archive of snapshots. */
  const lookBack = async (ports: LocatePorts, missing: Installed, lastTry: boolean): Promise<Past> => {
    const codename = codenameOf(missing.osRelease, missing.packages);
    const nothing: Past = { suites: [], locations: new Map() };
    if (missing.packages.length === 0 || codename === undefined) return nothing;
    if (parts.snapshot === undefined) return { ...nothing, reason: 'snapshot-off' };
    if (now().getTime() - givenUp < GIVEN_UP_MS) return { ...nothing, reason: 'snapshot-unreachable' };
    const snapshot = makeSnapshot(ports, parts.snapshot, sources);
    const past = await locateInPast(ports, snapshot, { ...missing, codename }, missing.dates ?? [], lastTry);
    if (past.reason === 'snapshot-unreachable') givenUp = now().getTime();
    return past;
  };

  /** What Debian does not have, in the repositories that the image names. Debian comes first: nobody may speak in its place. */
  const lookAround = async (missing: Installed): Promise<Awaited<ReturnType<typeof locateThirdParty>>> => {
    const { repositories = [], packages } = missing;
    if (foreign === undefined || repositories.length === 0 || packages.length === 0)
      return { suites: [], locations: new Map(), unusable: [] };
    return locateThirdParty({ mirror: foreign, cacheDir, now }, repositories, missing);
  };

  /** The chain of a package down to its .deb, or why that could not be followed to its end. */
  const follow = async (
    one: InstalledPackage,
    places: [Location, ...Location[]],
    vendor: string,
    { lastTry, room, named }: { lastTry: boolean; room: (size: number) => boolean; named: ReadonlyMap<string, unknown> },
  ): Promise<PackageEvidence> => {
    const [{ suite, found }] = places;
    const { snapshot, thirdParty } = suite.release.archive;
    const { component, packages, deb, size, path } = found;
    try {
      if (thirdParty !== undefined && !room(size)) throw new Problem('archive-unavailable', 'more than is fetched for one image');
      const ports = { mirror: thirdParty === undefined ? mirror : (foreign ?? mirror), blobs, scanLayer };
      const max = thirdParty === undefined ? undefined : FOREIGN.unpacked;
      // Whoever names a .deb of Debian's as theirs must not have Debian's wait for them, or fail with them.
      const key = thirdParty === undefined ? deb : `${thirdParty.url} ${deb}`;
      const contents = await shared(key, () => ensureDeb(ports, deb, places, reading, max));
      const chain = { archive: suite.request.id, component, packages, deb, size, path, contents };
      return thirdParty === undefined
        ? { ...unverified(one, vendor), status: 'verified', chain }
        : {
            ...unverified(one, vendor, { repository: thirdParty.url }),
            status: 'third-party',
            ...(named.has(one.name) ? { alsoInDebian: true } : {}),
            chain,
          };
    } catch (error) {
      const reason = thirdParty !== undefined ? foreignFaultOf(error) : snapshot !== undefined && lastTry ? faultOf(error) : undefined;
      if (reason === undefined) throw error;
      return unverified(one, vendor, { reason });
    }
  };

  return {
    async verifyLists(lists, osRelease) {
      if (lists.length === 0) return [];
      const derivative = parts.derivatives?.find(({ id }) => id === vendorOf(osRelease));
      return verifyLists({ keyring: await loadKeyring(keyrings), now }, lists, derivative);
    },
    search: async (wanted, onProgress) =>
      searchByHash({ mirror, keyring: await loadKeyring(keyrings), sources, cacheDir, now, blobs, scanLayer }, wanted, onProgress),
    async gather(installed, { onProgress = () => {}, onVerified = () => {}, lastTry = true } = {}): Promise<DebianEvidence> {
      const { packages, osRelease } = installed;
      const vendor = vendorOf(osRelease);
      const derivative = parts.derivatives?.find(({ id }) => id === vendor);
      const applies = packages.length > 0 && (vendor === 'debian' || derivative !== undefined);
      const gatheredAt = now().toISOString();
      if (!applies) return { applies, archives: [], packages: packages.map((one) => unverified(one, vendor)), gatheredAt };

      const keyring = await loadKeyring(keyrings);
      const own = derivative === undefined ? sources : { archive: [...derivative.addresses], security: [] };
      const ports = { mirror, keyring, sources: own, cacheDir, now };
      const current = await locatePackages(
        ports,
        installed,
        derivative === undefined ? debianSuites(installed, keyring) : derivativeSuites(derivative, osRelease),
        derivative === undefined ? codenameOf(osRelease, packages) : undefined,
      );
      const past = await lookBack(ports, without(installed, current), lastTry);
      const around = await lookAround(without(installed, current, past));
      const locations = new Map([current, past, around].flatMap((found) => [...found.locations]));
      const reason = around.unusable[0]?.problem ?? past.reason;
      const room = makeRoom();
      const limit = makeLimit(PACKAGES_AT_ONCE);
      let done = 0;
      let failed = false;
      const verify = async (one: InstalledPackage): Promise<PackageEvidence> => {
        const [best, ...others] = (failed ? undefined : locations.get(keyOf(one))) ?? [];
        const evidence =
          best === undefined
            ? unverified(one, vendor, reason === undefined ? {} : { reason })
            : await follow(one, [best, ...others], vendor, { lastTry, room, named: current.named });
        if (evidence.status === 'verified') onVerified(evidence);
        onProgress(++done, packages.length);
        const versions = current.newer(one);
        return versions.length === 0 ? evidence : { ...evidence, newer: versions };
      };
      // The largest first: one that is begun last would keep a single processor busy when all others are done.
      const sizeOf = (one: InstalledPackage): number => locations.get(keyOf(one))?.[0]?.found.size ?? 0;
      const begun = new Map<InstalledPackage, Promise<PackageEvidence>>();
      for (const one of packages.toSorted((x, y) => sizeOf(y) - sizeOf(x))) {
        const verified = limit(() => verify(one)).catch((error: unknown) => {
          failed = true; // what has not begun needs not begin
          throw error;
        });
        begun.set(one, verified);
      }
      const evidence = await settled(packages.map((one) => begun.get(one) ?? verify(one)));
      const archives = [current, past, around].flatMap(({ suites }) => suites.map(({ release }) => release.archive));
      return {
        applies,
        ...(current.release === undefined ? {} : { release: current.release }),
        archives,
        packages: evidence,
        ...(around.unusable.length === 0 ? {} : { repositories: around.unusable }),
        gatheredAt,
      };
    },
  };
}

function vendorOf({ ID: id = '' }: Record<string, string>): string {
  return /^[a-z][a-z0-9._-]{0,63}$/.test(id) ? id : 'debian';
}

function debianSuites({ osRelease, packages }: Installed, keyring: Keyring): SuiteRequest[] {
  const codename = codenameOf(osRelease, packages);
  return codename === undefined ? [] : suitesOf(codename, packages, keyring.has);
}

/** The packages that none of these has. */
function without(installed: Installed, ...found: Pick<Found, 'locations'>[]): Installed {
  const packages = installed.packages.filter((one) => !found.some(({ locations }) => locations.has(keyOf(one))));
  return { ...installed, packages };
}

/** Whether another .deb of this size may be fetched from where an image says. */
function makeRoom(): (size: number) => boolean {
  const until = performance.now() + FOREIGN.all;
  let left: number = FOREIGN.bytes;
  return (size) => performance.now() < until && (left -= size) >= 0;
}

function unverified(
  one: InstalledPackage,
  vendor: string,
  { reason, repository }: { reason?: UnverifiedReason; repository?: string } = {},
): PackageEvidence {
  const purl = debianPurl(one.name, one.version, one.architecture, vendor, repository);
  return { ...one, purl, status: 'unverified-version', ...(reason === undefined ? {} : { unverified: reason }) };
}
