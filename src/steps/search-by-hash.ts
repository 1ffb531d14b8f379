/** What is looked up by its hash: files that lie where Debian's packages put files, and that no verified package explains. */
import type { DebContents, InstalledPackage } from '../model/debian.ts';
import type { HashSearch, SearchedFile } from '../model/hash-search.ts';
import type { Contents, Entry, HiddenEntry, Inventory } from '../model/inventory.ts';
import { mergedPath } from '../model/merged-usr.ts';
import { type Path, byText } from '../model/path.ts';
import { type Installed, installedPackages, parseOsRelease } from './installed-packages.ts';
import { isCode } from './is-code.ts';
import { aliasesOf, makeResolve } from './merged-directories.ts';

/** Where packages put what runs and what it reads: Debian policy 9.1. Nothing of a package lies in /usr/local, /opt, /home or /srv. */
const PACKAGED = /^\/(?:usr\/(?!local(?:\/|$))|bin\/|sbin\/|lib(?:32|64|o32|x32)?\/|etc\/|boot\/|var\/lib\/(?!apt\/|dpkg\/))/;
/** Of those, what is made where the packages are installed, or by an image's builder, and stands in no index. */
const MADE =
  /\/__pycache__\/|^\/etc\/(?:alternatives|ssl\/certs|rc[0-9S]\.d)\/|^\/usr\/sbin\/policy-rc\.d$|^\/usr\/share\/(?:mime|info)\/|^\/etc\/(?:passwd|group|shadow|gshadow|hosts|hostname|resolv\.conf|ld\.so\.cache|machine-id|mtab)-?$/;
/** Only Debian and what is made of it keep libraries in a folder for each architecture: https://wiki.debian.org/Multiarch/Tuples. */
const MULTIARCH = /^\/(?:usr\/)?lib\/[a-z0-9_]+-linux-gnu[a-z0-9]*\//;
/** Files of one image; a server has 20,000, a desktop 200,000. */
const FILES_MAX = 200_000;
/** Hints of each kind; they only order what the files ask for. */
const HINTS_MAX = 5_000;
const NAME = /^[a-z0-9][a-z0-9+.-]{1,127}$/;

/**
 * Undefined where there is nothing to look for: a whole database explains every program, or nothing in the image speaks of Debian. `packaged` are the contents of the
 * verified packages of that database.
 */
export function searchByHash(
  inventory: Inventory,
  contents: Contents,
  installed: Installed,
  packaged: Iterable<Pick<DebContents, 'entries'>>,
): HashSearch | undefined {
  const osRelease = releaseOf(inventory, contents, installed);
  if (osRelease['ID'] !== undefined && osRelease['ID'] !== 'debian') return undefined;
  const explained = explainedPaths(inventory, packaged);
  const wanted: Entry[] = [];
  let programs = 0;
  for (const entry of inventory.entries) {
    if (!isSearched(entry) || explained.has(mergedPath(entry.path))) continue;
    wanted.push(entry);
    if (isCode(entry.path, entry)) programs += 1;
  }
  const outsideEtc = wanted.some(({ path, kind }) => kind === 'file' && !path.startsWith('/etc/'));
  const known = knownPackages(inventory, contents, installed);
  const names = tracesOf(inventory);
  const isDebians =
    known.length > 0 || names.length > 0 || osRelease['ID'] !== undefined || wanted.some(({ path }) => MULTIARCH.test(path));
  if (!isDebians) return undefined;
  // With dpkg's database, data that it does not explain is generated; a program is what somebody brought.
  const isDpkgs = inventory.entries.some(({ path }) => path === '/var/lib/dpkg/status');
  if (installed.packages.length > 0 && isDpkgs ? programs === 0 : !outsideEtc) return undefined;
  const rank = (entry: Entry): number => (isCode(entry.path, entry) ? 0 : entry.kind === 'symlink' ? 1 : 2);
  const ordered = wanted.sort((a, b) => rank(a) - rank(b) || byText(a.path, b.path));
  return {
    files: ordered.slice(0, FILES_MAX).map(({ path, digest, target }): SearchedFile => ({
      path,
      ...(digest === undefined ? {} : { digest }),
      ...(target === undefined ? {} : { target }),
    })),
    omitted: Math.max(0, ordered.length - FILES_MAX),
    known: known.slice(0, HINTS_MAX),
    names: names.slice(0, HINTS_MAX),
    osRelease,
    architecture: installed.architecture,
  };
}

/** An empty file equals every other one: it says nothing about where it came from. */
function isSearched({ path, kind, size }: Entry): boolean {
  return ((kind === 'file' && size > 0) || kind === 'symlink') && PACKAGED.test(path) && !MADE.test(path);
}

/** Paths of the database's verified packages, under the one name that they have in a merged /usr. */
function explainedPaths(inventory: Inventory, packaged: Iterable<Pick<DebContents, 'entries'>>): Set<Path> {
  const aliases = aliasesOf(new Map(inventory.entries.map((entry) => [entry.path, entry])));
  const resolve = makeResolve(new Map(aliases.map(({ path, target }) => [path, target])));
  const explained = new Set<Path>();
  for (const { entries } of packaged) for (const { path } of entries) explained.add(mergedPath(resolve(path)));
  return explained;
}

/** Packages with a version: of the databases that a later layer took away, and those the archive could not vouch for. */
function knownPackages(inventory: Inventory, contents: Contents, installed: Installed): InstalledPackage[] {
  const databases = inventory.hidden.filter(({ path }) => path.startsWith('/var/lib/dpkg/status'));
  const newest = new Map<Path, HiddenEntry>(); // of one path the last state counts
  for (const entry of databases.sort((a, b) => a.layer - b.layer)) newest.set(entry.path, entry);
  const hidden = installedPackages({ ...inventory, entries: [...newest.values()] }, contents).packages;
  return [...hidden, ...installed.packages].filter(({ state }) => state !== 'config-files');
}

/** Names of packages that left something behind: Debian policy 12.5 has each install /usr/share/doc/<package>/copyright. */
function tracesOf({ entries, hidden }: Inventory): string[] {
  const names = new Set<string>();
  for (const { path } of [...entries, ...hidden]) {
    const name =
      /^\/usr\/share\/doc\/([^/]+)(?:\/copyright)?$/.exec(path)?.[1] ??
      /^\/var\/lib\/dpkg\/info\/([^/:]+)(?::[a-z0-9]+)?\.list$/.exec(path)?.[1];
    if (name !== undefined && NAME.test(name)) names.add(name);
  }
  return [...names];
}

/** The visible os-release, else one of a lower layer, else what /etc/debian_version says: base-files has all three. */
function releaseOf(inventory: Inventory, contents: Contents, installed: Installed): Record<string, string> {
  if (Object.keys(installed.osRelease).length > 0) return installed.osRelease;
  const all = [...inventory.entries, ...inventory.hidden.toReversed()];
  const textOf = (pattern: RegExp): string | undefined => {
    const digest = all.find(({ path, digest: one }) => one !== undefined && pattern.test(path) && contents.has(one))?.digest;
    return digest === undefined ? undefined : new TextDecoder().decode(contents.get(digest)).slice(0, 64 * 1024);
  };
  const hidden = parseOsRelease(textOf(/^\/(?:etc|usr\/lib)\/os-release$/) ?? '');
  if (Object.keys(hidden).length > 0) return hidden;
  const [, version, codename] = /^(?:(\d{1,2})(?:\.\d+)?|([a-z]+)\/sid)\s*$/.exec(textOf(/^\/etc\/debian_version$/) ?? '') ?? [];
  if (version !== undefined) return { ID: 'debian', VERSION_ID: version };
  return codename === undefined ? {} : { ID: 'debian', VERSION_CODENAME: codename };
}
