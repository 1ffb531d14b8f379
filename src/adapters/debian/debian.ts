import { availableParallelism } from 'node:os';
import type { DebianEvidence, InstalledPackage, PackageEvidence, UnverifiedReason } from '../../model/debian.ts';
import type { Digest } from '../../model/digest.ts';
import { debianPurl } from '../../model/purl.ts';
import type { Blobs, Clock, Debian, ScanLayer } from '../../ports.ts';
import { ensureDeb } from './fetch-deb.ts';
import { loadKeyring } from './keyring.ts';
import { makeLimit, makeShared, settled } from './limit.ts';
import { type LocatePorts, type Location, keyOf, locatePackages } from './locate.ts';
import { type Fetch, makeMirror } from './mirror.ts';
import { faultOf, locateInPast, type Past } from './past.ts';
import { makeSnapshot } from './snapshot.ts';
import { codenameOf } from './releases.ts';
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
  /** CONFORME_SNAPSHOT_URL: the archive of snapshots. Without it packages that the mirror has no longer stay unverified. */
  snapshot?: string;
};

// Four are downloaded, as many as there are processors unpacked, and the next wait with what is in the store already.
const PACKAGES_AT_ONCE = 8;

/** Milliseconds for which an archive of snapshots that was given up is not asked again: other images need not wait as well. */
const GIVEN_UP_MS = 2 * 60 * 1000;

/** Debian's archive: InRelease, signed → Packages → .deb → members, each by the SHA-256 that the one before names. */
export function makeDebian(parts: DebianPorts): Debian {
  const { fetch, blobs, scanLayer, sources, cacheDir, keyrings, now = () => new Date() } = parts;
  const mirror = makeMirror(fetch, parts.snapshot === undefined ? [] : [parts.snapshot]);
  let givenUp = -Infinity;
  const reading = makeLimit(availableParallelism() * 2); // one starts while another works
  const shared = makeShared<Digest>();

  /** What the mirror has no longer, in the archive of snapshots. */
  const look = async (ports: LocatePorts, missing: Parameters<Debian['gather']>[0], lastTry: boolean): Promise<Past> => {
    const codename = codenameOf(missing.osRelease, missing.packages);
    const nothing = (reason?: UnverifiedReason): Past => ({
      suites: [],
      locations: new Map(),
      ...(reason === undefined ? {} : { reason }),
    });
    if (missing.packages.length === 0 || codename === undefined) return nothing();
    if (parts.snapshot === undefined) return nothing('snapshot-off');
    if (now().getTime() - givenUp < GIVEN_UP_MS) return nothing('snapshot-unreachable');
    const past = await locateInPast(
      ports,
      makeSnapshot(ports, parts.snapshot, sources),
      { ...missing, codename },
      missing.dates ?? [],
      lastTry,
    );
    if (past.reason === 'snapshot-unreachable') givenUp = now().getTime();
    return past;
  };

  return {
    async gather(installed, { onProgress = () => {}, lastTry = true } = {}): Promise<DebianEvidence> {
      const { packages, osRelease } = installed;
      const vendor = /^[a-z][a-z0-9._-]{0,63}$/.test(osRelease['ID'] ?? '') ? osRelease['ID']! : 'debian';
      const applies = packages.length > 0 && vendor === 'debian';
      const gatheredAt = now().toISOString();
      if (!applies) return { applies, archives: [], packages: packages.map((one) => unverified(one, vendor)), gatheredAt };

      const keyring = await loadKeyring(keyrings);
      const ports = { mirror, keyring, sources, cacheDir, now };
      const current = await locatePackages(ports, installed);
      const missing = packages.filter((one) => !current.locations.has(keyOf(one)));
      const past = await look(ports, { ...installed, packages: missing }, lastTry);
      const locations = new Map([...current.locations, ...past.locations]);
      const suites = [...current.suites, ...past.suites];
      const limit = makeLimit(PACKAGES_AT_ONCE);
      let done = 0;
      let failed = false;
      const verify = async (one: InstalledPackage): Promise<PackageEvidence> => {
        const places = locations.get(keyOf(one)) ?? [];
        const evidence = failed || places[0] === undefined ? unverified(one, vendor, past.reason) : await follow(one, places[0], places);
        onProgress(++done, packages.length);
        const versions = current.newer(one);
        return versions.length === 0 ? evidence : { ...evidence, newer: versions };
      };
      const follow = async (one: InstalledPackage, { suite, found }: Location, places: Location[]): Promise<PackageEvidence> => {
        const { component, packages: index, deb, size, path } = found;
        let contents: Digest;
        try {
          contents = await shared(deb, () => ensureDeb({ mirror, blobs, scanLayer }, deb, places, reading));
        } catch (error) {
          const reason = suite.release.archive.snapshot === undefined || !lastTry ? undefined : faultOf(error);
          if (reason === undefined) throw error;
          return unverified(one, vendor, reason);
        }
        const chain = { archive: suite.request.id, component, packages: index, deb, size, path, contents };
        return { ...unverified(one, vendor), status: 'verified', chain };
      };
      const evidence = await settled(
        packages.map((one) =>
          limit(() => verify(one)).catch((error: unknown) => {
            failed = true; // what has not begun needs not begin
            throw error;
          }),
        ),
      );
      return {
        applies,
        ...(current.release === undefined ? {} : { release: current.release }),
        archives: suites.map((suite) => suite.release.archive),
        packages: evidence,
        gatheredAt,
      };
    },
  };
}

function unverified(one: InstalledPackage, vendor: string, reason?: UnverifiedReason): PackageEvidence {
  const purl = debianPurl(one.name, one.version, one.architecture, vendor);
  return { ...one, purl, status: 'unverified-version', ...(reason === undefined ? {} : { unverified: reason }) };
}
