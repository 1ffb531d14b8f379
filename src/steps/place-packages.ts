import type { DebContents, PackageEvidence } from '../model/debian.ts';
import type { ExpectedFile, VerifiedPackage } from '../model/packaged.ts';
import type { Path } from '../model/path.ts';
import type { Diversion, StatOverride } from './dpkg-database.ts';
import type { Resolve } from './merged-directories.ts';

/** A statoverride with its names turned into numbers. */
export type Override = Pick<StatOverride, 'path' | 'mode'> & { uid: number; gid: number };

const INFO = '/var/lib/dpkg/info/';

/** Every path that the packages put somewhere, with who puts what there, in the order of the packages. */
export function placePackages(
  packages: readonly VerifiedPackage[],
  layout: {
    resolve: Resolve;
    /** `from` as in data.tar, `to` resolved. */
    diversions: readonly Diversion[];
    overrides: readonly Override[];
    /** Whether the image keeps dpkg's `info/` of a package; distroless images do not. */
    hasInfo: (base: string) => boolean;
    /** Whether this path is a link for a directory; a packaged directory of the name is then what it leads to. */
    isAlias: (path: Path) => boolean;
  },
): Map<Path, ExpectedFile[]> {
  const { resolve } = layout;
  const diverted = new Map(layout.diversions.map((diversion) => [diversion.from, diversion]));
  const overrides = new Map(layout.overrides.map((override) => [override.path, override]));
  const placed = new Map<Path, ExpectedFile[]>();
  const add = (path: Path, file: ExpectedFile): void => {
    const override = file.kind === 'symlink' ? undefined : overrides.get(path);
    const final = override === undefined ? file : { ...file, mode: override.mode, uid: override.uid, gid: override.gid, overridden: true };
    const others = placed.get(path);
    if (others === undefined) placed.set(path, [final]);
    else others.push(final);
  };
  for (const { evidence, contents } of packages) {
    const from = { package: evidence.purl, deb: contents.deb };
    const conffiles = new Set(contents.conffiles);
    // Of a package that was removed and not purged, conffiles and the script that purges them are left.
    const removed = evidence.state === 'config-files';
    for (const { path: archivePath, ...facts } of contents.entries) {
      const conffile = conffiles.has(archivePath);
      if (removed && !conffile) continue;
      const own = resolve(archivePath);
      // The slash lets the last part be resolved like a folder.
      const path = facts.kind === 'directory' && layout.isAlias(own) ? resolve(`${own}/.`).slice(0, -2) : own;
      const diversion = facts.kind === 'directory' ? undefined : diverted.get(archivePath);
      const away = diversion !== undefined && diversion.package !== evidence.name;
      const file: ExpectedFile = { ...facts, ...from, conffile, archivePath, origin: 'data' };
      add(away ? diversion.to : path, away ? { ...file, divertedFrom: archivePath } : file);
    }
    const base = infoBase(evidence, contents);
    if (!layout.hasInfo(base)) continue;
    const plain = { ...from, kind: 'file', uid: 0, gid: 0, mtime: 0, conffile: false } as const;
    for (const [name, { digest, size, mode }] of Object.entries(contents.controlFiles)) {
      if (removed && name !== 'postrm') continue;
      add(`${INFO}${base}.${name}`, { ...plain, digest, size, mode, archivePath: name, origin: 'control' });
    }
    if (!removed) add(`${INFO}${base}.list`, { ...plain, ...contents.list, mode: 0o644, archivePath: `${base}.list`, origin: 'list' });
  }
  return placed;
}

/** The name of a package's files in `info/`: with the architecture where several may be installed at once (dpkg, "multiarch" format). */
function infoBase({ name, architecture }: PackageEvidence, { control }: DebContents): string {
  return control['multi-arch'] === 'same' ? `${name}:${architecture}` : name;
}
