import type { AptRepository } from './debian.ts';
import type { Digest } from './digest.ts';
import type { Path } from './path.ts';

/** Where apt keeps what it has fetched of the archives. */
export const APT_LISTS = '/var/lib/apt/lists/';

/** A Release file among apt's lists of an image, and what is needed to tell whether it is honest. Hostile. */
export type AptList = {
  /** Of `…_InRelease` or `…_Release`. */
  path: Path;
  bytes: Uint8Array;
  /** `…_Release.gpg` beside `…_Release`. */
  signature?: Uint8Array;
  /** Names of the lists that may be its indexes: what of them follows its own name without `InRelease`. */
  indexes: ReadonlySet<string>;
  /** Repositories beside Debian's, as the image's sources name them, whose Release file has this name. */
  repositories: readonly AptRepository[];
};

/** A Release file among apt's lists whose signature holds, by keys that were valid on its own date. */
export type VerifiedList = {
  path: Path;
  digest: Digest;
  /** SHA-256 of `…_Release.gpg`, where the signature stands there. */
  signature?: Digest;
  origin: string;
  suite: string;
  codename: string;
  /** `Date` of the file, ISO 8601. */
  date: string;
  /** Upper-case fingerprints of the (sub)keys whose signature holds. */
  signers: string[];
  /** Not by keys that are pinned here, but by those that the image names for the repository. */
  thirdParty?: { /** Base address. */ url: string; /** The file that names it. */ source: Path };
  /** The indexes of the image that it may name, as it names them: path below the suite, SHA-256. */
  indexes: { path: string; digest: Digest }[];
};

const RELEASE = /^(.*_)(?:In)?Release$/;
/** What apt writes as `%` and two hex digits: `URItoFileName` in apt-pkg/contrib/strutl.cc. */
const QUOTED = /[\\|{}[\]<>"^~_=!@#$%&*\u0000-\u0020\u007f]/g;

/** What the names of the indexes of a Release file begin with; undefined for the path of another file. */
export function stemOf(path: Path): string | undefined {
  return RELEASE.exec(path)?.[1];
}

/** How a part of an address stands in the name of a list. */
export function listName(part: string): string {
  return part.replaceAll(QUOTED, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`).replaceAll('/', '_');
}

/** The {@link stemOf} a repository's Release file, where its address has such a name. */
export function stemOfRepository({ address, suite }: Pick<AptRepository, 'address' | 'suite'>): Path | undefined {
  const { host, pathname } = new URL(address);
  const folder = suite === '/' ? '' : suite.endsWith('/') ? suite : `dists/${suite}/`;
  try {
    return `${APT_LISTS}${listName(`${host}${decodeURIComponent(pathname).replace(/\/*$/, '/')}${folder}`)}`;
  } catch {
    return undefined; // a `%` that is followed by no number
  }
}

/** The suite that the name of a list in the usual structure says, as it stands there. */
export function suiteOfStem(stem: Path): string | undefined {
  const at = stem.lastIndexOf('_dists_');
  return at < 0 ? undefined : stem.slice(at + '_dists_'.length, -1);
}
