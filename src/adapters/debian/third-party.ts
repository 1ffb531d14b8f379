import { type PublicKey, readKey, readKeys } from 'openpgp';
import type { AptRepository, ArchiveSuite, DebianEvidence, InstalledPackage, UnverifiedReason } from '../../model/debian.ts';
import { textFromBytes } from '../../model/path.ts';
import type { Clock } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { keyOf, type Location } from './locate.ts';
import { makeLimit, settled } from './limit.ts';
import type { Mirror } from './mirror.ts';
import { findPackages } from './packages.ts';
import { type Release, verifyDetached, verifyRelease } from './release.ts';
import type { SuiteRequest } from './releases.ts';
import { bodyOf, INRELEASE_BYTES_MAX, type Suite } from './suite.ts';

/** `mirror`: one that reaches public addresses only. */
export type ThirdPartyPorts = { mirror: Mirror; cacheDir: string; now: Clock };

type Unusable = NonNullable<DebianEvidence['repositories']>[number];

const REPOSITORIES_AT_ONCE = 4;
const SIGNATURE_BYTES_MAX = 256 * 1024;

/**
 * Looks for packages that Debian does not have in the repositories that an image names: each by the key that the image names
 * for it, and else as Debian's are. Where one cannot be used, that is told and nothing fails: its address is whatever somebody
 * wrote into an image.
 */
export async function locateThirdParty(
  ports: ThirdPartyPorts,
  repositories: readonly AptRepository[],
  installed: { packages: InstalledPackage[]; architecture: string },
): Promise<{ suites: Suite[]; locations: Map<string, Location[]>; unusable: Unusable[] }> {
  const limit = makeLimit(REPOSITORIES_AT_ONCE);
  const looked = await settled(
    repositories.map((repository) =>
      limit(() => lookInto(ports, repository, installed).catch((error: unknown) => problemOf(repository, error))),
    ),
  );
  const locations = new Map<string, Location[]>();
  const suites: Suite[] = [];
  const unusable: Unusable[] = [];
  for (const one of looked) {
    if ('problem' in one) unusable.push(one);
    else if (one.found.length > 0) suites.push(one.suite);
    for (const location of 'found' in one ? one.found : []) {
      const key = keyOf(location.found);
      locations.set(key, [...(locations.get(key) ?? []), location]);
    }
  }
  return { suites, locations, unusable };
}

async function lookInto(
  ports: ThirdPartyPorts,
  repository: AptRepository,
  { packages, architecture }: { packages: InstalledPackage[]; architecture: string },
): Promise<{ suite: Suite; found: Location[] }> {
  const suite = await openRepository(ports, repository);
  const names = new Set(packages.map(({ name }) => name));
  const wanted = new Set(packages.map(keyOf));
  const architectures = [...new Set([architecture, ...packages.map((one) => one.architecture), 'all'])];
  const found: Location[] = [];
  for (const component of repository.suite.endsWith('/') ? [''] : repository.components) {
    for (const one of component === '' ? [architecture] : architectures) {
      const listed = await findPackages({ ...ports, foreign: true }, suite, { component, architecture: one }, names);
      found.push(...listed.filter((each) => wanted.has(keyOf(each))).map((each) => ({ suite, found: each })));
    }
  }
  return { suite, found };
}

async function openRepository({ mirror, now }: ThirdPartyPorts, repository: AptRepository): Promise<Suite> {
  const { address, suite, source } = repository;
  const request: SuiteRequest = {
    id: `${address} ${suite}`,
    role: 'archive',
    suite,
    origin: undefined,
    codename: undefined,
    keyrings: [],
    optional: true,
  };
  const folder = suite.split('/').filter((part) => part !== '' && part !== '.');
  const dists = [address, ...(suite.endsWith('/') ? folder : ['dists', ...folder])].join('/');
  const keys = await keysOf(repository);
  if (keys.length === 0) throw new Problem('archive-untrusted', `${source} names no key for it`);
  const get = (name: string, max: number): Promise<Buffer | undefined> =>
    mirror.get(`${dists}/${name}`, (response) => bodyOf(response, max));
  let release: Release;
  const inRelease = await get('InRelease', INRELEASE_BYTES_MAX);
  if (inRelease !== undefined) release = await verifyRelease(inRelease, request, keys, now());
  else {
    const plain = await get('Release', INRELEASE_BYTES_MAX);
    const signature = plain === undefined ? undefined : await get('Release.gpg', SIGNATURE_BYTES_MAX);
    if (plain === undefined) throw new Problem('archive-unavailable', 'it has no such suite');
    if (signature === undefined) throw new Problem('archive-untrusted', 'its Release file is not signed');
    release = await verifyDetached(plain, signature, request, keys, now());
  }
  const signers = namedSigners(release, keys, repository);
  const archive = { ...release.archive, ...printableWords(release.archive), signers, thirdParty: { url: address, source } };
  return { request, release: { ...release, archive }, address, dists, pools: [address] };
}

/** What a stranger's Release file calls itself, for a statement and a page. */
export function printableWords({ origin, suite, codename }: ArchiveSuite): Pick<ArchiveSuite, 'origin' | 'suite' | 'codename'> {
  return { origin: printable(origin), suite: printable(suite), codename: printable(codename) };
}

/** Those that the image names for the repository. Throws `archive-untrusted` where there is none. */
export function namedSigners({ archive }: Release, keys: readonly PublicKey[], repository: AptRepository): string[] {
  const signers = archive.signers.filter((one) => repository.fingerprints.length === 0 || isNamed(one, keys, repository));
  if (signers.length === 0) throw new Problem('archive-untrusted', 'none of the keys that are named for it has signed it');
  return signers;
}

/** apt takes the fingerprint of a primary key for its subkeys as well: sources.list(5), Signed-By. */
function isNamed(signer: string, keys: readonly PublicKey[], { fingerprints }: AptRepository): boolean {
  return keys.some((key) => {
    const all = key.getKeys().map((part) => part.getFingerprint().toUpperCase());
    return all.includes(signer) && (fingerprints.includes(signer) || fingerprints.includes(all[0] ?? ''));
  });
}

/** The keys that parse: files of an image, which may be anything. */
export async function keysOf({ keys }: AptRepository): Promise<PublicKey[]> {
  const read: PublicKey[] = [];
  for (const { base64 } of keys) {
    const bytes = Buffer.from(base64, 'base64');
    const text = bytes.toString('latin1');
    try {
      if (!text.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----')) read.push(...(await readKeys({ binaryKeys: bytes })));
      // The library reads the first block of a text, and apt all of them.
      for (const [armoredKey] of text.matchAll(BLOCK)) read.push((await readKey({ armoredKey })).toPublic());
    } catch {
      // no key that could have signed anything
    }
  }
  return read;
}

const BLOCK = /-----BEGIN PGP PUBLIC KEY BLOCK-----[^]*?-----END PGP PUBLIC KEY BLOCK-----/g;

/** What a fault of such a repository leaves behind; undefined for every other fault. */
export function foreignFaultOf(error: unknown): UnverifiedReason | undefined {
  const { code } = Problem.from(error);
  if (code === 'archive-untrusted' || code === 'limit-exceeded') return 'repository-untrusted';
  return code === 'archive-unavailable' || code === 'address-refused' ? 'repository-unreachable' : undefined;
}

function problemOf({ address: url, suite, source }: AptRepository, error: unknown): Unusable {
  const problem = foreignFaultOf(error);
  if (problem === undefined) throw error;
  return { url, suite, source, problem, detail: printable(Problem.from(error).message) };
}

/** Printable and short. */
function printable(text: string): string {
  return textFromBytes(Buffer.from(text.slice(0, WORDS_MAX)));
}

const WORDS_MAX = 300;
