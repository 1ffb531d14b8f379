/**
 * What the verified packages say about the paths of an image. Pure: the same evidence and the same inventory give the same
 * answer. Everything the image says about itself (its dpkg database) only chooses between what verified packages allow.
 */
import type { Contents, Entry, FileFacts, Inventory } from '../model/inventory.ts';
import { canonicalJson } from '../model/json.ts';
import type { DebianExpectation, DebianNote, DeviationAspect, ExpectedFile, PackagedPath, VerifiedPackage } from '../model/packaged.ts';
import { type Path, byText } from '../model/path.ts';
import { type PathFilter, excludedBy, pathFilters } from './dpkg-database.ts';
import { aliasesOf, makeResolve, strangeAliases } from './merged-directories.ts';
import { diversionsOf, downloadFolders, overridesOf } from './packaged-overrides.ts';
import { placePackages } from './place-packages.ts';

export type ExpectDebianInput = {
  inventory: Inventory;
  contents: Contents;
  /** In every state of dpkg's, also `config-files`: what is left of a removed package is told apart here. */
  packages: readonly VerifiedPackage[];
  /**
   * A re-installation of the same verified packages (port `Reinstaller`) as an inventory, where there was one: diversions and
   * statoverrides of its dpkg database are believed; that is stronger than reading scripts.
   */
  reinstalled?: { inventory: Inventory; contents: Contents };
};

export function expectDebian({ inventory, contents, packages, reinstalled }: ExpectDebianInput): DebianExpectation {
  const entries = new Map(inventory.entries.map((entry) => [entry.path, entry]));
  const read = (path: Path): Uint8Array | undefined => contents.get(entries.get(path)?.digest ?? 'sha256:');
  const aliases = aliasesOf(entries);
  const resolve = makeResolve(
    new Map([...packagedLinks(packages, entries), ...aliases.map(({ path, target }) => [path, target] as const)]),
  );
  const notes: DebianNote[] = strangeAliases(entries).map(({ path, target }) => ({
    code: 'unexplained-usr-merge',
    paths: [path],
    detail: `${path} is a link to ${target}; Debian never makes it one`,
  }));
  const diversions = diversionsOf({ read, packages, resolve, reinstalled });
  const overrides = overridesOf({ read, packages, resolve, reinstalled, entries });

  const placed = placePackages(packages, {
    resolve,
    diversions: diversions.believed,
    overrides: overrides.believed,
    hasInfo: (base) => entries.has(`/var/lib/dpkg/info/${base}.list`),
    isAlias: (path) => aliases.some((alias) => alias.path === path),
  });
  addAliases(placed, aliases, packages);
  for (const { path, ...given } of downloadFolders({ read, packages, resolve, entries })) {
    const own = placed.get(path)?.find(({ kind }) => kind === 'directory');
    if (own !== undefined) placed.get(path)?.push({ ...own, ...given, overridden: true });
  }
  const replaces = makeReplaces(packages);
  const filters = pathFilters(inventory, contents);
  const files = new Map<Path, PackagedPath>();
  for (const path of [...placed.keys()].sort(byText)) {
    const candidates = withoutReplaced(placed.get(path)!, replaces);
    files.set(path, judgePath(candidates, entries.get(path), filters));
    if (conflicts(candidates)) {
      const names = [...new Set(candidates.map((one) => one.package))].join(' and ');
      notes.push({ code: 'package-file-conflict', paths: [path], detail: `${names} hold different files, and neither replaces the other` });
    }
  }
  files.delete('/'); // every image has a root, and not every layer says of what mode
  for (const [path, one] of files) {
    if (one.state === 'changed' && one.expected.origin === 'control' && path.endsWith('.md5sums') && one.aspects.includes('content'))
      notes.push({ code: 'forged-checksums', paths: [path], package: one.expected.package, detail: `${path} is not the one of the .deb` });
  }
  notes.push(...diversions.notes);
  notes.push(...overrides.notes.filter((note) => note.paths.some((path) => files.has(path))));
  return { files, notes: notes.sort((a, b) => byText(a.code, b.code) || byText(a.paths[0]!, b.paths[0]!)) };
}

/** Links that packages ship and that the image has as they are shipped: paths below them are where they lead. */
function packagedLinks(packages: readonly VerifiedPackage[], entries: ReadonlyMap<Path, Entry>): [Path, string][] {
  return packages.flatMap(({ contents }) =>
    contents.entries.flatMap(({ kind, path, target }): [Path, string][] => {
      const entry = kind === 'symlink' ? entries.get(path) : undefined;
      return target !== undefined && entry?.kind === 'symlink' && entry.target === target ? [[path, target]] : [];
    }),
  );
}

/** The links for directories that no package ships (Debian 12), made by the installer and by base-files. */
function addAliases(
  placed: Map<Path, ExpectedFile[]>,
  aliases: { path: Path; target: string }[],
  packages: readonly VerifiedPackage[],
): void {
  const owner = packages.find(({ evidence }) => evidence.name === 'base-files');
  if (owner === undefined) return;
  for (const { path, target } of aliases) {
    if (placed.get(path)?.some((one) => one.kind === 'symlink')) continue;
    const link = { kind: 'symlink', size: 0, mode: 0o777, uid: 0, gid: 0, mtime: 0, target, conffile: false } as const;
    const from = { package: owner.evidence.purl, deb: owner.contents.deb, archivePath: path, origin: 'alias' } as const;
    placed.set(path, [{ ...link, ...from }, ...(placed.get(path) ?? [])]);
  }
}

/** deb-control(5), `Replaces`: whether the first package may overwrite the files of the second. Versions do not matter once both are installed. */
function makeReplaces(packages: readonly VerifiedPackage[]): (winner: string, loser: string) => boolean {
  const nameOf = new Map(packages.map(({ evidence }) => [evidence.purl, evidence.name]));
  const replaced = new Map(
    packages.map(({ evidence, contents }) => {
      const names = (contents.control['replaces'] ?? '').split(',').map((part) => /^\s*([a-z0-9.+-]+)/.exec(part)?.[1] ?? '');
      return [evidence.purl, new Set(names)];
    }),
  );
  return (winner, loser) => replaced.get(winner)?.has(nameOf.get(loser) ?? '') === true;
}

function withoutReplaced(candidates: ExpectedFile[], replaces: (winner: string, loser: string) => boolean): ExpectedFile[] {
  if (candidates.length < 2) return candidates;
  const left = candidates.filter(
    (one) =>
      one.kind === 'directory' ||
      !candidates.some((other) => replaces(other.package, one.package) && !replaces(one.package, other.package)),
  );
  return left.length === 0 ? candidates : left;
}

/** Files at one path by packages that do not agree. Directories are shared, and a link may stand for one. */
function conflicts(candidates: readonly ExpectedFile[]): boolean {
  const files = candidates.filter(({ kind }) => kind !== 'directory' && kind !== 'symlink');
  return files.some((one) => one.package !== files[0]!.package && aspectsOf(files[0]!, one).some((aspect) => aspect !== 'mode'));
}

function judgePath(candidates: ExpectedFile[], found: Entry | undefined, filters: readonly PathFilter[]): PackagedPath {
  if (found === undefined) {
    const [expected, ...alternatives] = candidates as [ExpectedFile, ...ExpectedFile[]];
    const pattern = excludedBy(filters, expected.archivePath);
    return {
      expected,
      alternatives,
      state: 'missing',
      ...(pattern === undefined || expected.origin !== 'data' ? {} : { excludedBy: pattern }),
    };
  }
  const judged = candidates.map((expected) => ({ expected, aspects: aspectsOf(expected, found) }));
  const weight = ({ aspects }: { aspects: DeviationAspect[] }): number => (aspects[0] === 'kind' ? 100 : aspects.length);
  const best = judged.reduce((a, b) => (weight(b) < weight(a) ? b : a));
  const alternatives = candidates.filter((one) => one !== best.expected);
  const { expected, aspects } = best;
  return aspects.length === 0
    ? { expected, alternatives, state: 'equal', found }
    : { expected, alternatives, state: 'changed', found, aspects };
}

/** In what an entry deviates. Links have no mode of their own on Linux. */
export function aspectsOf(expected: FileFacts, found: FileFacts): DeviationAspect[] {
  if (expected.kind !== found.kind) return ['kind'];
  const aspects: DeviationAspect[] = [];
  if (expected.kind === 'file' && (expected.digest === undefined || expected.digest !== found.digest)) aspects.push('content');
  if (expected.kind !== 'symlink' && expected.mode !== found.mode) aspects.push('mode');
  if (expected.uid !== found.uid || expected.gid !== found.gid) aspects.push('owner');
  if (expected.target !== found.target) aspects.push('target');
  if (canonicalJson(expected.device ?? null) !== canonicalJson(found.device ?? null)) aspects.push('device');
  if (canonicalJson(expected.xattrs ?? {}) !== canonicalJson(found.xattrs ?? {})) aspects.push('xattrs');
  return aspects;
}
