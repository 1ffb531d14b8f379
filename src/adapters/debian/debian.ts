import { availableParallelism } from 'node:os';
import type { DebianEvidence, InstalledPackage, PackageEvidence } from '../../model/debian.ts';
import type { Digest } from '../../model/digest.ts';
import { debianPurl } from '../../model/purl.ts';
import type { Blobs, Clock, Debian, ScanLayer } from '../../ports.ts';
import { ensureDeb } from './fetch-deb.ts';
import { loadKeyring } from './keyring.ts';
import { makeLimit, makeShared, settled } from './limit.ts';
import { type Location, keyOf, locatePackages } from './locate.ts';
import { type Fetch, makeMirror } from './mirror.ts';
import { searchByHash } from './search.ts';
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
};

// Four are downloaded, as many as there are processors unpacked, and the next wait with what is in the store already.
const PACKAGES_AT_ONCE = 8;

/** Debian's archive: InRelease, signed → Packages → .deb → members, each by the SHA-256 that the one before names. */
export function makeDebian({ fetch, blobs, scanLayer, sources, cacheDir, keyrings, now = () => new Date() }: DebianPorts): Debian {
  const mirror = makeMirror(fetch);
  const reading = makeLimit(availableParallelism() * 2); // one starts while another works
  const shared = makeShared<Digest>();
  return {
    search: async (wanted, onProgress) =>
      searchByHash({ mirror, keyring: await loadKeyring(keyrings), sources, cacheDir, now, blobs, scanLayer }, wanted, onProgress),
    async gather(installed, onProgress = () => {}): Promise<DebianEvidence> {
      const { packages, osRelease } = installed;
      const vendor = /^[a-z][a-z0-9._-]{0,63}$/.test(osRelease['ID'] ?? '') ? osRelease['ID']! : 'debian';
      const applies = packages.length > 0 && vendor === 'debian';
      const gatheredAt = now().toISOString();
      if (!applies) return { applies, archives: [], packages: packages.map((one) => unverified(one, vendor)), gatheredAt };

      const keyring = await loadKeyring(keyrings);
      const { suites, locations } = await locatePackages({ mirror, keyring, sources, cacheDir, now }, installed);
      const limit = makeLimit(PACKAGES_AT_ONCE);
      let done = 0;
      let failed = false;
      const verify = async (one: InstalledPackage): Promise<PackageEvidence> => {
        const places = locations.get(keyOf(one)) ?? [];
        const evidence = failed || places[0] === undefined ? unverified(one, vendor) : await follow(one, places[0], places);
        onProgress(++done, packages.length);
        return evidence;
      };
      const follow = async (one: InstalledPackage, { suite, found }: Location, places: Location[]): Promise<PackageEvidence> => {
        const { component, packages: index, deb, size, path } = found;
        const contents = await shared(deb, () => ensureDeb({ mirror, blobs, scanLayer }, deb, places, reading));
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
      return { applies, archives: suites.map(({ release }) => release.archive), packages: evidence, gatheredAt };
    },
  };
}

function unverified(one: InstalledPackage, vendor: string): PackageEvidence {
  return { ...one, purl: debianPurl(one.name, one.version, one.architecture, vendor), status: 'unverified-version' };
}
