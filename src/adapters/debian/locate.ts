import type { InstalledPackage, NewerVersion } from '../../model/debian.ts';
import type { Clock } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import type { Keyring } from './keyring.ts';
import { makeLimit, settled } from './limit.ts';
import type { Mirror } from './mirror.ts';
import { newerVersions } from './newer.ts';
import { type ArchivePackage, findPackages } from './packages.ts';
import type { SuiteRequest } from './releases.ts';
import type { DebianSources } from './sources.ts';
import { type Suite, openSuite } from './suite.ts';

export type LocatePorts = { mirror: Mirror; keyring: Keyring; sources: DebianSources; cacheDir: string; now: Clock };

type SearchPorts = Parameters<typeof findPackages>[0];

/** Where in the signed archive a package stands. */
export type Location = { suite: Suite; found: ArchivePackage };

// An index of unstable is 10 MB packed and 20 MB as kept: more at once cost memory and are no faster on two cores.
const INDEXES_AT_ONCE = 2;

/** One package's key: the three fields that name its .deb. */
export function keyOf({ name, version, architecture }: Pick<InstalledPackage, 'name' | 'version' | 'architecture'>): string {
  return `${name} ${version} ${architecture}`;
}

/**
 * Finds every installed package, in exactly its version, in these suites of the image's release. `locations` has the best first;
 * packages that no suite has (any more) are missing in it. `newer` tells what the suites of a release of Debian's have in place of a
 * package. Throws `archive-unavailable`, `archive-untrusted`, `invalid-configuration`.
 */
export async function locatePackages(
  ports: LocatePorts,
  installed: { packages: InstalledPackage[]; architecture: string },
  requests: readonly SuiteRequest[],
  release: string | undefined,
): Promise<{
  release?: string;
  suites: Suite[];
  locations: Map<string, Location[]>;
  newer: (one: InstalledPackage) => NewerVersion[];
  /** Every version that the suites have of the packages' names. */
  named: ReadonlyMap<string, Location[]>;
}> {
  const suites = requests.length === 0 ? [] : await openSuites(ports, requests);
  const locations = new Map<string, Location[]>();
  const named = new Map<string, Location[]>();
  await searchSuites(ports, suites, installed, locations, named);
  if (release === undefined) return { suites, locations, named, newer: () => [] };
  const { architecture } = installed;
  return {
    release,
    suites,
    locations,
    named,
    newer: (one) => newerVersions(one, named.get(one.name) ?? [], { release, architecture }),
  };
}

/**
 * Adds to `locations` what these suites have of the packages: in `main` first, which has nearly all. `named` gets every version
 * of their names.
 */
export async function searchSuites(
  ports: SearchPorts,
  suites: readonly Suite[],
  installed: { packages: InstalledPackage[]; architecture: string },
  locations: Map<string, Location[]>,
  named = new Map<string, Location[]>(),
): Promise<void> {
  await search(ports, suites, ['main'], installed, locations, named);
  const others = [...new Set(suites.flatMap(({ release }) => release.components))].filter((name) => name !== 'main');
  await search(ports, suites, others, installed, locations, named);
}

async function openSuites(ports: LocatePorts, requests: readonly SuiteRequest[]): Promise<Suite[]> {
  if (ports.sources.archive.length === 0)
    throw new Problem('invalid-configuration', 'no mirror of Debian is known: apt has none, and CONFORME_DEBIAN_MIRROR is not set');
  const suites = await settled(
    requests.map(async (request) => {
      const suite = await openSuite(ports, request, ports.sources[request.role]);
      if (suite === undefined && !request.optional) throw new Problem('archive-unavailable', `no configured mirror has ${request.id}`);
      return suite;
    }),
  );
  return suites.filter((suite) => suite !== undefined);
}

/** Looks for the packages that are not located yet, in these components of all suites; `named` gets every version of their names. */
async function search(
  ports: SearchPorts,
  suites: readonly Suite[],
  components: readonly string[],
  installed: { packages: InstalledPackage[]; architecture: string },
  locations: Map<string, Location[]>,
  named: Map<string, Location[]>,
): Promise<void> {
  const missing = installed.packages.filter((one) => !locations.has(keyOf(one)));
  const names = new Map<string, Set<string>>(); // by the architecture of the index; `all` stands in each of them
  for (const { name, architecture } of missing) {
    const index = architecture === 'all' ? installed.architecture : architecture;
    names.set(index, (names.get(index) ?? new Set()).add(name));
  }
  const wanted = new Set(missing.map(keyOf));
  const limit = makeLimit(INDEXES_AT_ONCE);
  const indexes = suites.flatMap((suite) =>
    components.flatMap((component) => [...names].map(([architecture, set]) => ({ suite, component, architecture, set }))),
  );
  const results = await settled(
    indexes.map(({ suite, component, architecture, set }) => limit(() => findPackages(ports, suite, { component, architecture }, set))),
  );
  for (const [i, packages] of results.entries()) {
    for (const found of packages) {
      const key = keyOf(found);
      const location = { suite: indexes[i]!.suite, found };
      named.set(found.name, [...(named.get(found.name) ?? []), location]);
      if (wanted.has(key)) locations.set(key, [...(locations.get(key) ?? []), location]);
    }
  }
}
