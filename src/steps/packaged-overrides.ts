import type { Contents, Entry, Inventory } from '../model/inventory.ts';
import type { DebianNote, VerifiedPackage } from '../model/packaged.ts';
import type { Path } from '../model/path.ts';
import { type Diversion, type StatOverride, parseDiversions, parseIds, parseStatOverrides } from './dpkg-database.ts';
import { makesDiversion, makesStatOverride } from './maintainer-scripts.ts';
import type { Resolve } from './merged-directories.ts';
import type { Override } from './place-packages.ts';

const DIVERSIONS = '/var/lib/dpkg/diversions';
const OVERRIDES = '/var/lib/dpkg/statoverride';
/** Below it numbers are Debian's own and the same everywhere: Debian policy 9.2.2. */
const DYNAMIC_ID_MIN = 100;
const DYNAMIC_ID_MAX = 59_999;

type Input = {
  /** The image's own file. */
  read: (path: Path) => Uint8Array | undefined;
  packages: readonly VerifiedPackage[];
  resolve: Resolve;
  reinstalled?: { inventory: Inventory; contents: Contents } | undefined;
};

/**
 * The image's diversions that a verified package makes; of the others, those that concern a packaged path, as notes. `from` is
 * as it stands there: dpkg compares it with the paths in data.tar letter by letter and knows nothing of a merged /usr.
 */
export function diversionsOf({ read, packages, resolve, reinstalled }: Input): { believed: Diversion[]; notes: DebianNote[] } {
  const scripts = scriptsByName(packages);
  const again = new Set(parseDiversions(fileOf(reinstalled, DIVERSIONS)).map(diversionKey));
  const believed: Diversion[] = [];
  const notes: DebianNote[] = [];
  for (const diversion of parseDiversions(read(DIVERSIONS))) {
    const { from, to, package: name } = diversion;
    // What a script may do is read off its text only where nobody has seen what it does.
    const made =
      reinstalled === undefined
        ? (scripts.get(name) ?? []).some((script) => makesDiversion(script, diversion))
        : again.has(diversionKey(diversion));
    if (made) believed.push({ ...diversion, to: resolve(to) });
    else if (packages.some(({ evidence, contents }) => evidence.name !== name && contents.entries.some(({ path }) => path === from))) {
      const by = name === ':' ? 'the administrator' : name;
      const detail = `${from} is diverted to ${to} in the name of ${by}, and no verified maintainer script does that`;
      notes.push({ code: 'unexplained-diversion', paths: [resolve(from), resolve(to)], detail });
    }
  }
  return { believed, notes };
}

/** The image's statoverrides that a verified package makes, with resolved paths and numbers; the others as notes. */
export function overridesOf({ read, packages, resolve, reinstalled, entries }: Input & { entries: ReadonlyMap<Path, Entry> }): {
  believed: Override[];
  notes: DebianNote[];
} {
  const scripts = [...scriptsByName(packages).values()].flat();
  const again = new Set(parseStatOverrides(fileOf(reinstalled, OVERRIDES)).map((one) => overrideKey(one, resolve)));
  const users = idsOf('passwd', read, packages, entries);
  const groups = idsOf('group', read, packages, entries);
  const believed: Override[] = [];
  const notes: DebianNote[] = [];
  for (const override of parseStatOverrides(read(OVERRIDES))) {
    const path = resolve(override.path);
    const uid = users(override.user);
    const gid = groups(override.group);
    const made =
      reinstalled === undefined ? scripts.some((script) => makesStatOverride(script, override)) : again.has(overrideKey(override, resolve));
    if (uid !== undefined && gid !== undefined && made) believed.push({ path, mode: override.mode, uid, gid });
    else {
      const wish = `${override.user}:${override.group} ${override.mode.toString(8)}`;
      const detail = `${path} is to be ${wish} whatever its package says, and no verified maintainer script asks for that`;
      notes.push({ code: 'unexplained-statoverride', paths: [path], detail });
    }
  }
  return { believed, notes };
}

/** Where apt downloads to. It gives these folders to its unprivileged user when it runs: apt-pkg/acquire.cc, SetupAPTPartialDirectory. */
const APT_DOWNLOADS = ['/var/cache/apt/archives/partial', '/var/lib/apt/lists/partial'];
const APT_USER = '_apt';

/** Mode and owner that the folders of an apt that has run may have, beside those that its package gives them. */
export function downloadFolders({ read, packages, resolve, entries }: Input & { entries: ReadonlyMap<Path, Entry> }): Override[] {
  const uid = idsOf('passwd', read, packages, entries)(APT_USER);
  return uid === undefined ? [] : APT_DOWNLOADS.map((path) => ({ path: resolve(path), mode: 0o700, uid, gid: 0 }));
}

function scriptsByName(packages: readonly VerifiedPackage[]): Map<string, string[]> {
  const installed = packages.filter(({ evidence }) => evidence.state !== 'config-files');
  return new Map(installed.map(({ evidence, contents }) => [evidence.name, Object.values(contents.scripts)]));
}

function diversionKey({ from, to, package: name }: Diversion): string {
  return JSON.stringify([from, to, name]);
}

function overrideKey({ user, group, mode, path }: StatOverride, resolve: Resolve): string {
  return JSON.stringify([user, group, mode, resolve(path)]);
}

function fileOf(reinstalled: Input['reinstalled'], path: Path): Uint8Array | undefined {
  const entry = reinstalled?.inventory.entries.find((one) => one.path === path);
  return entry?.digest === undefined ? undefined : reinstalled?.contents.get(entry.digest);
}

/**
 * Names to numbers. The image's own accounts count for what is given out at installation; a name must not be used to reach
 * root's or another fixed account's rights, so those are believed from base-passwd's verified master file alone.
 */
function idsOf(
  kind: 'passwd' | 'group',
  read: Input['read'],
  packages: readonly VerifiedPackage[],
  entries: ReadonlyMap<Path, Entry>,
): (name: string) => number | undefined {
  const path = `/usr/share/base-passwd/${kind}.master`;
  const master = packages.find(({ evidence }) => evidence.name === 'base-passwd')?.contents.entries.find((one) => one.path === path);
  const isVerified = master?.digest !== undefined && master.digest === entries.get(path)?.digest;
  const fixed = isVerified ? parseIds(read(path)) : new Map<string, number>();
  const own = parseIds(read(`/etc/${kind}`));
  return (name) => {
    if (name === 'root' || name === '#0') return 0;
    const number = /^#([0-9]{1,9})$/.exec(name)?.[1];
    if (number !== undefined) return Number(number);
    const id = fixed.get(name) ?? own.get(name);
    return id === undefined || (!fixed.has(name) && (id < DYNAMIC_ID_MIN || id > DYNAMIC_ID_MAX)) ? undefined : id;
  };
}
