import type { ExpectedFile, VerifiedPackage } from '../model/packaged.ts';
import type { Entry } from '../model/inventory.ts';
import { namesOf } from '../model/merged-usr.ts';
import type { Path } from '../model/path.ts';
import type { DeviationAspect } from '../model/packaged.ts';
import { aspectsOf } from './expect-debian.ts';
import { aliasesOf, type Resolve } from './merged-directories.ts';

/** A path of the image that a package has with these very bytes, although no database names the package. */
export type FoundFile = { expected: ExpectedFile; /** Empty where mode and owner are the package's too. */ aspects: DeviationAspect[] };

/**
 * What packages that were found by their files' hashes say of the image's paths. Only a file as the package has it counts, at
 * the package's own path: no database says that the package is installed, so that other bytes are no change of anything and a
 * missing file is not missed. `explained` are the paths that packages of the database hold: those are theirs alone.
 */
export function foundFiles(
  packages: readonly VerifiedPackage[],
  entries: ReadonlyMap<Path, Entry>,
  resolve: Resolve,
  explained: ReadonlyMap<Path, { expected: Pick<ExpectedFile, 'divertedFrom'> }>,
): Map<Path, FoundFile> {
  const found = new Map<Path, FoundFile>();
  // Nor does what the database diverts leave its place to anybody's file.
  const left = new Set(
    [...explained.values()].flatMap(({ expected: { divertedFrom } }) => (divertedFrom === undefined ? [] : namesOf(divertedFrom))),
  );
  for (const { evidence, contents } of packages) {
    const conffiles = new Set(contents.conffiles);
    for (const { path: archivePath, ...facts } of contents.entries) {
      // Folders are shared by all packages, and say nothing of what lies in them.
      for (const path of new Set([archivePath, resolve(archivePath)].flatMap(namesOf))) {
        const entry = path === '/' ? undefined : entries.get(path);
        if (entry === undefined || entry.kind !== facts.kind || explained.has(path) || left.has(path)) continue;
        const aspects = aspectsOf(facts, entry);
        if (aspects.includes('content') || aspects.includes('target') || aspects.includes('device')) continue;
        const known = found.get(path);
        if (known !== undefined && known.aspects.length <= aspects.length) continue;
        const expected = { ...facts, package: evidence.purl, deb: contents.deb, archivePath, origin: 'data' } as const;
        found.set(path, { expected: { ...expected, conffile: conffiles.has(archivePath) }, aspects });
      }
    }
  }
  addAliases(packages, entries, explained, found);
  return found;
}

/** The links of a merged /usr, exactly as Debian makes them, where a package that was found has something below. */
function addAliases(
  packages: readonly VerifiedPackage[],
  entries: ReadonlyMap<Path, Entry>,
  explained: ReadonlyMap<Path, unknown>,
  found: Map<Path, FoundFile>,
): void {
  for (const { path, target } of aliasesOf(entries)) {
    const below = (one: VerifiedPackage): boolean =>
      one.contents.entries.some(({ path: own }) => own.startsWith(`${path}/`) || own.startsWith(`/usr${path}/`));
    const owner = explained.has(path) || found.has(path) ? undefined : packages.find(below);
    if (owner === undefined) continue;
    const link = { kind: 'symlink', size: 0, mode: 0o777, uid: 0, gid: 0, mtime: 0, target, conffile: false } as const;
    const from = { package: owner.evidence.purl, deb: owner.contents.deb, archivePath: path, origin: 'alias' } as const;
    found.set(path, { expected: { ...link, ...from }, aspects: aspectsOf(link, entries.get(path)!) });
  }
}
