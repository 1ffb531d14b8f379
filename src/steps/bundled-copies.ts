import type { BundledCopy, RecognisedBy } from '../model/copies.ts';
import type { Digest } from '../model/digest.ts';
import type { Entry, FileFacts, HiddenEntry } from '../model/inventory.ts';
import { byText, type Path } from '../model/path.ts';
import { purlOf } from '../model/purl.ts';
import type { AccountLine, Attribution } from '../model/verdict.ts';
import type { Case } from './case.ts';
import { libraryOfStem, libraryStem, makeCounterpart } from './known-libraries.ts';
import { mayHaveMoved, PACKAGED_FOLDER } from './package-drift.ts';

/** Bytes. Stubs of a compiler are equal to each other in all the world; no library is this small. */
const SAME_BYTES_MIN = 2048;

/** Where auditwheel and its like put the libraries that a wheel brings. */
const WHEEL_LIBRARIES = /\/[^/]+\.libs\/[^/]+$/;
/** Core metadata of Python packages, 1.0 and later; PEP 376 and 427 for the name of the folder. */
const PYTHON =
  /\/([A-Za-z0-9][A-Za-z0-9._]{0,100})-(\d[A-Za-z0-9.!+_]{0,60})(?:-py\d[\d.]*)?\.(?:dist-info\/METADATA|egg-info(?:\/PKG-INFO)?)$/;
const RUBY = /\/specifications\/(?:default\/)?([A-Za-z0-9][\w.-]{0,100}?)-(\d[\w.]{0,60})(?:-[a-z0-9_-]+)?\.gemspec$/;
const NODE = /\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;

/** Files of packages, which are named as such. */
const PACKAGED: ReadonlySet<Attribution> = new Set(['debian-official', 'debian-generated', 'third-party']);

type Named = { kind: BundledCopy['kind']; name: string; version?: string; by: RecognisedBy[]; purl?: string };

/**
 * Libraries and modules outside of Debian's packages, in what the image shows and in what its layers hide: in the order libraries,
 * modules; then by path and layer.
 */
export function bundledCopies(file: Case, account: ReadonlyMap<Path, AccountLine>): BundledCopy[] {
  const recognise = makeRecognise(file);
  const counterpart = makeCounterpart(file.evidence.packages);
  const moved = mayHaveMoved(file);
  const copies: BundledCopy[] = [];
  const add = (facts: (Entry | HiddenEntry) & { digest?: Digest }, more: Pick<BundledCopy, 'attribution' | 'hidden'>): void => {
    for (const { kind, name, version, by, purl } of recognise(facts)) {
      const claimed = { kind, name, ...(version === undefined ? {} : { version }) };
      const debian = by.includes('same-bytes') ? undefined : counterpart(claimed);
      // A package that no signed archive vouches for is told as such: its files are no copies.
      if (debian?.found.status === 'unverified-version' && PACKAGED_FOLDER.test(facts.path)) continue;
      copies.push({
        path: facts.path,
        layer: facts.layer,
        ...claimed,
        recognisedBy: by,
        purl: purl ?? purlOf(PURL_TYPES[kind], name, version),
        ...(facts.digest === undefined ? {} : { digest: facts.digest }),
        ...more,
        ...(debian === undefined ? {} : { debian: { package: debian.found.purl, version: debian.found.version, older: debian.older } }),
      });
    }
  };
  for (const entry of file.published.inventory.entries) {
    const attribution = account.get(entry.path)?.attribution;
    if (entry.kind !== 'file' || attribution === undefined || PACKAGED.has(attribution)) continue;
    // A packaged path with other bytes has a finding of its own; a package that moved on is no copy.
    if (!file.expectation.files.has(entry.path) && !moved(entry)) add(entry, { attribution });
  }
  for (const entry of file.published.inventory.hidden) {
    const packaged = file.expectation.files.get(entry.path)?.expected.digest;
    if (entry.kind !== 'file' || (packaged !== undefined && packaged === entry.digest)) continue;
    add(entry, { hidden: { hiddenBy: entry.hiddenBy, how: entry.how } });
  }
  const rank = ({ kind }: BundledCopy): number => (kind === 'library' ? 0 : 1);
  return copies.sort((a, b) => rank(a) - rank(b) || byText(a.path, b.path) || a.layer - b.layer || byText(a.name, b.name));
}

const PURL_TYPES: Record<BundledCopy['kind'], string> = { library: 'generic', python: 'pypi', node: 'npm', ruby: 'gem' };

function makeRecognise(file: Case): (facts: FileFacts & { path: Path }) => Named[] {
  const packagedBytes = new Map<Digest, string>();
  const packagedStems = new Set<string>();
  for (const { expected } of file.expectation.files.values()) {
    if (expected.kind !== 'file' || expected.magic !== 'elf' || expected.origin !== 'data') continue;
    if (expected.digest !== undefined && expected.size >= SAME_BYTES_MIN) packagedBytes.set(expected.digest, expected.package);
    const stem = libraryStem(nameOf(expected.archivePath));
    if (stem !== undefined) packagedStems.add(stem);
  }
  return (facts) => {
    const module = moduleOf(facts);
    if (module !== undefined) return [module];
    if (facts.magic !== 'elf') return [];
    const owner = facts.digest === undefined ? undefined : file.verified.get(packagedBytes.get(facts.digest) ?? '');
    if (owner !== undefined) return [{ kind: 'library', name: owner.name, version: owner.version, by: ['same-bytes'], purl: owner.purl }];
    const stem = libraryStem(nameOf(facts.path));
    const known = stem === undefined ? undefined : libraryOfStem(stem);
    const claims = (facts.claims ?? []).map(({ name, version }): Named => {
      const by: RecognisedBy[] = name === known ? ['version-string', 'file-name'] : ['version-string'];
      return { kind: 'library', name, ...(version === undefined ? {} : { version }), by };
    });
    const byName = known ?? (stem !== undefined && (packagedStems.has(stem) || WHEEL_LIBRARIES.test(facts.path)) ? stem : undefined);
    if (byName === undefined || claims.some(({ name }) => name === byName)) return claims;
    return [...claims, { kind: 'library', name: byName, by: ['file-name'] }];
  };
}

/** A module of another package manager, by the file that the manager itself keeps about it. */
function moduleOf({ path, claims = [] }: FileFacts & { path: Path }): Named | undefined {
  const [claim] = claims;
  if (claim !== undefined && NODE.test(path)) return { kind: 'node', ...claim, by: ['metadata'] };
  const [, python, pythonVersion] = PYTHON.exec(path) ?? [];
  // PEP 503: names that mean the same are written the same.
  if (python !== undefined && pythonVersion !== undefined)
    return { kind: 'python', name: python.toLowerCase().replaceAll(/[-_.]+/g, '-'), version: pythonVersion, by: ['metadata'] };
  const [, gem, gemVersion] = RUBY.exec(path) ?? [];
  return gem === undefined || gemVersion === undefined ? undefined : { kind: 'ruby', name: gem, version: gemVersion, by: ['metadata'] };
}

function nameOf(path: Path): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
