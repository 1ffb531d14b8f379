import type { Digest } from './digest.ts';
import type { HiddenEntry } from './inventory.ts';
import type { Path } from './path.ts';
import type { Attribution } from './verdict.ts';

/** How a copy was recognised: equal to a packaged file, by a version string in its bytes, by its name, by a package manager's own file. */
export const RECOGNISED_BY = ['same-bytes', 'version-string', 'file-name', 'metadata'] as const;
export type RecognisedBy = (typeof RECOGNISED_BY)[number];

/**
 * A library or module that a layer holds outside of Debian's packages, as far as it says or shows what it is. It excuses nothing:
 * the file keeps whatever account it has.
 */
export type BundledCopy = {
  path: Path;
  layer: number;
  /** What it claims to be; the version where it says one. */
  name: string;
  version?: string;
  kind: 'library' | 'python' | 'node' | 'ruby';
  recognisedBy: RecognisedBy[];
  purl: string;
  digest?: Digest;
  /** Of a file that the final image shows. */
  attribution?: Attribution;
  /** Of a file that a later layer covers or deletes: it is still in the image. */
  hidden?: Pick<HiddenEntry, 'hiddenBy' | 'how'>;
  /** Debian's package of the same library, where one is installed; `older`: the copy is of an older upstream version. */
  debian?: { package: string; version: string; older: boolean };
};

/** What the statement holds: the first of them, and how many there are. */
export type Copies = { total: number; listed: BundledCopy[] };
