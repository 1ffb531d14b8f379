import type { InstalledPackage } from '../model/debian.ts';
import { type Stanza, parseStanza, splitStanzas } from '../model/deb822.ts';
import type { Contents, Entry, Inventory } from '../model/inventory.ts';
import { type Path, byText } from '../model/path.ts';

/** What the image's dpkg database says is installed: where to look, never proof. */
export type Installed = {
  /** In the order of name, architecture, version; one for each name and architecture. */
  packages: InstalledPackage[];
  /** os-release(5): `ID`, `VERSION_CODENAME` … */
  osRelease: Record<string, string>;
  /** Debian's name of the main architecture (`amd64`). */
  architecture: string;
  /** Stanzas that name no package, or one a second time: material for a finding. */
  rejected: { path: Path; detail: string }[];
};

const PACKAGES_MAX = 50_000; // Debian's archive has 65,000 binary packages an architecture
const REJECTED_MAX = 1_000;
const STATUS = '/var/lib/dpkg/status';
/** One file a package, as distroless images have it. */
const STATUS_FOLDER = '/var/lib/dpkg/status.d/';
const FIELDS: ReadonlySet<string> = new Set(['package', 'version', 'architecture', 'status', 'source']);

// deb-control(5); dpkg lets names be of one character and in upper case for the sake of old archives, Debian does not.
const NAME = /^[a-z0-9][a-z0-9+.-]{1,127}$/;
const VERSION = /^[A-Za-z0-9.+~:-]{1,255}$/;
const ARCHITECTURE = /^[a-z0-9][a-z0-9-]{1,39}$/;
const STATES: ReadonlySet<string> = new Set([
  'config-files',
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
  'installed',
]);

/** OCI's `architecture` and `variant` (Go's GOARCH) to dpkg's names. */
const ARCHITECTURES: Record<string, string> = {
  '386': 'i386',
  amd64: 'amd64',
  arm: 'armhf',
  'arm/v5': 'armel',
  'arm/v6': 'armel',
  arm64: 'arm64',
  loong64: 'loong64',
  mips64le: 'mips64el',
  ppc64le: 'ppc64el',
  riscv64: 'riscv64',
  s390x: 's390x',
};

export function installedPackages(inventory: Inventory, contents: Contents): Installed {
  const rejected: Installed['rejected'] = [];
  const byKey = new Map<string, InstalledPackage>();
  let osReleaseText = '';
  const textOf = (entry: Entry): string | undefined => {
    const bytes = entry.kind === 'file' && entry.digest !== undefined ? contents.get(entry.digest) : undefined;
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  const reject = (path: Path, detail: string): void => {
    if (rejected.length < REJECTED_MAX) rejected.push({ path, detail });
  };
  const take = (path: Path, text: string): void => {
    for (const piece of splitStanzas(text)) {
      if (byKey.size >= PACKAGES_MAX) return reject(path, `more than ${PACKAGES_MAX} packages`);
      const read = readPackage(piece);
      if (typeof read === 'string') reject(path, read);
      else if (read !== undefined) {
        const key = `${read.name}:${read.architecture}`;
        if (byKey.has(key)) reject(path, `${key} stands twice; the last stanza counts, as for dpkg`);
        byKey.set(key, read);
      }
    }
  };
  for (const entry of inventory.entries) {
    const { path } = entry;
    if (path === STATUS || (path.startsWith(STATUS_FOLDER) && !path.endsWith('.md5sums'))) {
      const text = textOf(entry);
      if (text !== undefined) take(path, text);
      else if (entry.kind !== 'directory') reject(path, 'not a regular file of a size that is read');
    } else if (path === '/etc/os-release' || path === '/usr/lib/os-release') {
      osReleaseText ||= textOf(entry) ?? ''; // /etc comes first, and is a link in Debian
    }
  }
  const packages = [...byKey.values()].sort((a, b) => byText(a.name, b.name) || byText(a.architecture, b.architecture));
  return { packages, osRelease: parseOsRelease(osReleaseText), architecture: mainArchitecture(packages, inventory), rejected };
}

/** The package; undefined for one that is not there any more; a sentence where the stanza names none. */
function readPackage(text: string): InstalledPackage | string | undefined {
  let stanza: Stanza;
  try {
    stanza = parseStanza(text, FIELDS);
  } catch (error) {
    return (error as SyntaxError).message;
  }
  const name = stanza.get('package') ?? '';
  if (!NAME.test(name)) return 'a stanza without the name of a package';
  const status = stanza.get('status');
  const state = status === undefined ? 'installed' : (status.split(/\s+/)[2] ?? '');
  if (state === 'not-installed') return undefined;
  const version = stanza.get('version') ?? '';
  const architecture = stanza.get('architecture') ?? '';
  if (!STATES.has(state)) return `${name}: a status that dpkg does not know`;
  if (!VERSION.test(version)) return `${name}: no version`;
  if (!ARCHITECTURE.test(architecture)) return `${name}: no architecture`;
  const [, source = name, sourceVersion = version] =
    /^([a-z0-9+.-]{2,128})(?:\s+\(([A-Za-z0-9.+~:-]{1,255})\))?$/.exec(stanza.get('source') ?? '') ?? [];
  return { name, version, architecture, source, sourceVersion, state };
}

/** os-release(5): assignments as a shell reads them, without expansion. Anything else is passed over. */
export function parseOsRelease(text: string): Record<string, string> {
  const values = new Map<string, string>();
  for (const line of text.slice(0, 64 * 1024).split('\n')) {
    const [, name, raw] = /^([A-Z][A-Z0-9_]{0,63})=(.{0,1024})$/.exec(line.trim()) ?? [];
    if (name === undefined || raw === undefined) continue;
    const quoted = /^"(.*)"$|^'(.*)'$/s.exec(raw);
    values.set(name, quoted === null ? raw : (quoted[1]?.replace(/\\([\\"$`])/g, '$1') ?? quoted[2] ?? ''));
  }
  return Object.fromEntries(values);
}

/** dpkg's own architecture, else libc's, else the image configuration's. */
function mainArchitecture(packages: readonly InstalledPackage[], inventory: Inventory): string {
  const of = (name: string): string | undefined => packages.find((one) => one.name === name && one.architecture !== 'all')?.architecture;
  const { architecture, variant } = inventory.config;
  const configured = ARCHITECTURES[`${architecture}/${variant ?? ''}`] ?? ARCHITECTURES[architecture];
  return of('dpkg') ?? of('libc6') ?? of('base-files') ?? configured ?? 'amd64';
}
