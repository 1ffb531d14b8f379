import type { BundledCopy } from '../model/copies.ts';
import type { PackageEvidence } from '../model/debian.ts';
import { compareDebianVersions, parseDebianVersion } from '../model/debian-version.ts';

/** A library that is often bundled: what its files are called, and Debian's source packages of it. */
type Library = { files?: RegExp; sources: readonly string[] };

/** Names as {@link Claim}s have them. `files` is asked with the name of the file, its path and any hash taken away. */
const LIBRARIES: ReadonlyMap<string, Library> = new Map<string, Library>([
  ['openssl', { files: /^lib(?:ssl|crypto)$/, sources: ['openssl'] }],
  ['zlib', { files: /^libz$/, sources: ['zlib'] }],
  ['sqlite', { files: /^libsqlite3$/, sources: ['sqlite3'] }],
  ['curl', { files: /^libcurl(?:-gnutls)?$/, sources: ['curl'] }],
  ['nginx', { sources: ['nginx'] }],
  ['busybox', { sources: ['busybox'] }],
  ['openssh', { sources: ['openssh'] }],
  ['lua', { files: /^liblua5?\.?\d*$/, sources: ['lua5.4', 'lua5.3', 'lua5.2', 'lua5.1'] }],
  ['go', { sources: [] }],
  ['glibc', { files: /^lib(?:c|m|pthread|resolv|nss_files)$/, sources: ['glibc'] }],
  ['libpng', { files: /^libpng\d*$/, sources: ['libpng1.6'] }],
  ['libjpeg-turbo', { files: /^lib(?:turbo)?jpeg$/, sources: ['libjpeg-turbo'] }],
  ['expat', { files: /^libexpat$/, sources: ['expat'] }],
  ['libxml2', { files: /^libxml2$/, sources: ['libxml2'] }],
  ['libxslt', { files: /^libe?xslt$/, sources: ['libxslt'] }],
  ['libffi', { files: /^libffi$/, sources: ['libffi'] }],
  ['libwebp', { files: /^libwebp(?:mux|demux)?$/, sources: ['libwebp'] }],
  ['tiff', { files: /^libtiff$/, sources: ['tiff'] }],
  ['freetype', { files: /^libfreetype$/, sources: ['freetype'] }],
  ['gnutls', { files: /^libgnutls$/, sources: ['gnutls28'] }],
  ['libgcrypt', { files: /^libgcrypt$/, sources: ['libgcrypt20'] }],
  ['libssh2', { files: /^libssh2$/, sources: ['libssh2'] }],
  ['nghttp2', { files: /^libnghttp2$/, sources: ['nghttp2'] }],
  ['krb5', { files: /^lib(?:krb5|gssapi_krb5|k5crypto|com_err)$/, sources: ['krb5'] }],
  ['postgresql', { files: /^libpq$/, sources: ['postgresql-17', 'postgresql-15', 'postgresql-13'] }],
  ['mariadb', { files: /^lib(?:mariadb|mysqlclient)$/, sources: ['mariadb'] }],
  ['bzip2', { files: /^libbz2$/, sources: ['bzip2'] }],
  ['xz', { files: /^liblzma$/, sources: ['xz-utils'] }],
  ['zstd', { files: /^libzstd$/, sources: ['libzstd'] }],
  ['icu', { files: /^libicu(?:data|i18n|io|uc)$/, sources: ['icu'] }],
  ['pcre2', { files: /^libpcre2(?:-\d+)?$/, sources: ['pcre2'] }],
  ['libarchive', { files: /^libarchive$/, sources: ['libarchive'] }],
  ['libyaml', { files: /^libyaml$/, sources: ['libyaml'] }],
  ['gcc', { files: /^lib(?:stdc\+\+|gcc_s|gomp|gfortran|quadmath)$/, sources: ['gcc-14', 'gcc-12', 'gcc-10'] }],
  ['openblas', { files: /^libopenblas/, sources: ['openblas'] }],
]);

/** `libcrypto` of `libcrypto-3c1a5a4d.so.1.1`, as auditwheel names it, and of `libcrypto.so.3`; undefined for what is no shared library. */
export function libraryStem(fileName: string): string | undefined {
  const [, stem] =
    /^(lib[A-Za-z0-9_+.-]{1,100}?)(?:-[0-9a-f]{8,40})?(?:[-.]\d+(?:\.\d+)+)?\.so(?:\.[0-9][0-9A-Za-z.]*)?$/.exec(fileName) ?? [];
  return stem;
}

/** The library whose files have this stem. */
export function libraryOfStem(stem: string): string | undefined {
  for (const [name, { files }] of LIBRARIES) if (files?.test(stem) === true) return name;
  return undefined;
}

export type Counterpart = { found: PackageEvidence; older: boolean };

/** Finds Debian's package of the same library or module among those that are installed. */
export function makeCounterpart(
  packages: readonly PackageEvidence[],
): (copy: Pick<BundledCopy, 'kind' | 'name' | 'version'>) => Counterpart | undefined {
  const installed = packages.filter(({ state }) => state === 'installed');
  const bySource = Map.groupBy(installed, ({ source }) => source);
  const byName = new Map(installed.map((one) => [one.name, one]));
  return ({ kind, name, version }) => {
    const found =
      kind === 'library'
        ? LIBRARIES.get(name)?.sources.flatMap((source) => bySource.get(source) ?? [])[0]
        : byName.get(debianName(kind, name));
    if (found === undefined) return undefined;
    return { found, older: version !== undefined && isOlder(version, found.version) };
  };
}

/** Debian Python Policy 4.3, and the usage of Debian's Node.js and Ruby teams. */
function debianName(kind: Exclude<BundledCopy['kind'], 'library'>, name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/^@/, '')
    .replaceAll(/[/_.]+/g, '-');
  return { python: 'python3-', node: 'node-', ruby: 'ruby-' }[kind] + plain;
}

/** Whether a version is before the upstream part of Debian's; what Debian fixed in between by patches stays out of sight. */
function isOlder(version: string, debian: string): boolean {
  const upstream = parseDebianVersion(debian)?.upstream.replace(/[.+~-]?(?:dfsg|ds|repack).*$/, '');
  const ours = /^\d[0-9A-Za-z.+~]*$/.exec(version)?.[0];
  if (upstream === undefined || ours === undefined || parseDebianVersion(upstream) === undefined) return false;
  return compareDebianVersions(ours, upstream) < 0;
}
