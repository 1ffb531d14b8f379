import type { BundledCopy } from '../../model/copies.ts';
import { FINDINGS, type FindingCode } from '../../model/finding-codes.ts';
import type { Entry } from '../../model/inventory.ts';
import type { Path } from '../../model/path.ts';
import { type AccountLine, type Difference, type DifferenceClass, type Finding, SEVERITIES, type Severity } from '../../model/verdict.ts';
import type { Case } from '../case.ts';
import type { PackageDrift } from '../package-drift.ts';

/**
 * A finding, and whether it accuses: something that matters and that neither the archive nor the rebuild makes. `weak` is said of what
 * decides what runs, who logs in or whom the system trusts, and rests on the rebuild or a third party alone.
 */
export type Found = { finding: Finding; accuses: boolean; weak?: boolean };

/** What the makers of findings look at. */
export type Scene = {
  file: Case;
  account: ReadonlyMap<Path, AccountLine>;
  differences: readonly Difference[];
  /** Where the difference at a path comes from. */
  classOf: ReadonlyMap<string, DifferenceClass | undefined>;
  drift: ReadonlyMap<string, PackageDrift>;
  /** Whether a rebuild has the same file there, in every fact but its time; false without a rebuild. */
  madeByRebuild: (entry: Entry) => boolean;
  /** Paths whose bytes are those of another commit of the source. */
  fromOtherCommit: ReadonlySet<Path>;
  /** Whether a file may be one of a package that the archive no longer has in that version: it accuses nobody. */
  mayHaveMoved: (entry: Pick<Entry, 'path'>) => boolean;
  /** Whether a re-installation or a rebuild could vouch for what maintainer scripts generate. */
  confirmable: boolean;
  lineOfLayer: (layer: number) => number | undefined;
  copies: readonly BundledCopy[];
};

export type FindingMaker = (scene: Scene) => Iterable<Found>;

/** Of a long list of paths this many stand in the finding; the message has the whole number, the account every path. */
export const PATHS_LISTED_MAX = 100;

export function found(
  scene: Pick<Scene, 'lineOfLayer'>,
  code: FindingCode,
  message: string,
  details: {
    severity?: Severity;
    paths?: readonly string[];
    layer?: number;
    line?: number;
    evidence?: Record<string, string>;
    accuses?: boolean;
    weak?: boolean;
  } = {},
): Found {
  const { severity = FINDINGS[code].severity, paths = [], layer, evidence = {}, accuses = false, weak = false } = details;
  const line = details.line ?? (layer === undefined ? undefined : scene.lineOfLayer(layer));
  const finding: Finding = {
    code,
    severity,
    paths: paths.slice(0, PATHS_LISTED_MAX),
    message,
    ...(layer === undefined ? {} : { layer }),
    ...(line === undefined ? {} : { line }),
    evidence,
    advice: FINDINGS[code].advice,
  };
  return { finding, accuses, weak };
}

/** How well a file that should be looked at is accounted for. */
export type Trace = 'packages' | 'source' | 'base' | 'third-party' | 'rebuilt' | 'none';

export function traceOf({ attribution }: AccountLine): Trace {
  switch (attribution) {
    case 'debian-official':
    case 'debian-generated':
      return 'packages';
    case 'third-party':
      return 'third-party';
    case 'source':
    case 'download':
      return 'source';
    case 'base':
      return 'base';
    case 'rebuilt':
    case 'volatile':
      return 'rebuilt';
    case 'unexplained':
      return 'none';
  }
}

/** `nginx 1.22.1-9` for its purl. */
export function packageName(scene: Pick<Scene, 'file'>, purl: string): string {
  const known = scene.file.verified.get(purl);
  return known === undefined ? purl : `${known.name} ${known.version}`;
}

/** One step down for each reason to worry less. */
export function lessened(severity: Severity, steps: number): Severity {
  return SEVERITIES[Math.min(SEVERITIES.indexOf(severity) + steps, SEVERITIES.length - 1)] ?? severity;
}

/** Digests (or targets) of the first few files; the account has every one. */
export function digestsOf(entries: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(entries.slice(0, DIGESTS_MAX).map(({ path, digest, target }) => [path, digest ?? target ?? '']));
}

const DIGESTS_MAX = 10;

/** "3 files", "1 file". */
export function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`;
}

export const TRACES: Record<Exclude<Trace, 'packages'>, string> = {
  source: 'it comes from the source',
  base: 'it comes from the base image, whose own verdict says where from',
  'third-party': 'it comes from a package of a third party, whose key the image names itself',
  rebuilt: 'the rebuild makes the same, and no package or source file does',
  none: 'nothing accounts for it',
};
