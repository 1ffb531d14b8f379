import { type AptSource, parseAptSources } from '../model/apt-sources.ts';
import type { AptRepository } from '../model/debian.ts';
import type { Contents, Inventory } from '../model/inventory.ts';
import { byText, type Path } from '../model/path.ts';

/** An image with more is looked at no further: the usual number is one or two. */
const REPOSITORIES_MAX = 16;
/** Files with keys of one repository, and bytes of one: a key with all its signatures has 100 kB at most. */
const KEYS_MAX = 16;
const KEY_BYTES_MAX = 256 * 1024;
const COMPONENTS_MAX = 8;

const SOURCES = /^\/etc\/apt\/(?:sources\.list|sources\.list\.d\/[^/]+\.(?:list|sources))$/;
/** Where apt looks for keys that no source names: apt-key(8). Debian's own are a package's. */
const TRUSTED = /^\/etc\/apt\/trusted\.gpg(?:\.d\/(?!debian-archive-)[^/]+\.(?:gpg|asc))?$/;
const DEBIAN_SUITE =
  /^(?:(?:old)*stable|testing|unstable|sid|experimental|bullseye|bookworm|trixie|forky)(?:-updates|-security|-proposed-updates|-backports|\/updates)?$/;
const SUITE = /^(?!.*\.\.)[A-Za-z0-9._~/-]{1,200}$/;
const COMPONENT = /^(?!.*\.\.)[A-Za-z0-9._~/-]{1,100}$/;
const FINGERPRINT = /^(?:0x)?([0-9A-F]{40}|[0-9A-F]{64})!?$/i;

/**
 * The repositories beside Debian's that an image's apt sources name, with the keys that they name. All of it is the
 * publisher's word, of every layer: a source or a key that a later layer removed has been used before. Bounded.
 */
export function aptRepositories(inventory: Inventory, contents: Contents, architecture: string): AptRepository[] {
  const files = new Map<Path, Uint8Array[]>(); // the effective one first, then the hidden ones, highest layer first
  const hidden = inventory.hidden.toSorted((a, b) => b.layer - a.layer || byText(a.path, b.path));
  for (const { path, kind, digest } of [...inventory.entries, ...hidden]) {
    const bytes = kind === 'file' && digest !== undefined ? contents.get(digest) : undefined;
    if (bytes !== undefined) files.set(path, [...(files.get(path) ?? []), bytes]);
  }
  const trusted = [...files.keys()].filter((path) => TRUSTED.test(path)).sort(byText);
  const keyFile = (path: Path): AptRepository['keys'] => {
    const bytes = files.get(path)?.find(({ length }) => length <= KEY_BYTES_MAX);
    return bytes === undefined ? [] : [{ path, base64: Buffer.from(bytes).toString('base64') }];
  };
  const repositories = new Map<string, AptRepository>();
  for (const path of [...files.keys()].filter((one) => SOURCES.test(one)).sort(byText)) {
    for (const bytes of files.get(path) ?? []) {
      for (const source of parseAptSources(path, Buffer.from(bytes).toString('utf8'))) {
        const address = plainAddress(source.address);
        const suite = source.suite.replaceAll('$(ARCH)', architecture);
        if (address === undefined || !SUITE.test(suite) || isDebians(source)) continue;
        const known = repositories.get(`${address} ${suite}`);
        if (known === undefined && repositories.size >= REPOSITORIES_MAX) continue;
        const components = [...new Set([...(known?.components ?? []), ...source.components])].filter((one) => COMPONENT.test(one));
        const keys = keysOf(path, source.signedBy, trusted, keyFile);
        repositories.set(`${address} ${suite}`, {
          ...(known ?? { address, suite, source: path, ...keys }),
          components: suite.endsWith('/') ? [] : components.slice(0, COMPONENTS_MAX),
        });
      }
    }
  }
  return [...repositories.values()];
}

/** `Signed-By`: sources.list(5). Without it, what every source is trusted by. */
function keysOf(
  path: Path,
  signedBy: string | undefined,
  trusted: readonly Path[],
  keyFile: (path: Path) => AptRepository['keys'],
): Pick<AptRepository, 'keys' | 'fingerprints'> {
  if (signedBy?.includes('-----BEGIN PGP PUBLIC KEY BLOCK-----') === true) {
    // Inside a field an empty line is a dot: deb822(5).
    const armored = signedBy.replace(/^[ \t]*\.?[ \t]*$/gm, '').trim();
    return {
      keys: armored.length > KEY_BYTES_MAX ? [] : [{ path, base64: Buffer.from(`${armored}\n`).toString('base64') }],
      fingerprints: [],
    };
  }
  const named = (signedBy ?? '').split(/[\s,]+/).filter((word) => word !== '');
  const fingerprints = named.flatMap((word) => FINGERPRINT.exec(word)?.[1]?.toUpperCase() ?? []);
  const paths = named.filter((word) => word.startsWith('/'));
  return { keys: (paths.length > 0 ? paths : trusted).flatMap(keyFile).slice(0, KEYS_MAX), fingerprints };
}

/** Debian's own suites are followed by the keys that are pinned for them, wherever an image gets them from. */
export function isDebians({ suite, components, signedBy }: AptSource): boolean {
  if (signedBy !== undefined) return signedBy.includes('/debian-archive-');
  return DEBIAN_SUITE.test(suite) && components.includes('main');
}

/** Without what an address may carry of credentials: what is signed is public. Undefined where it needs them. */
function plainAddress(address: string): string | undefined {
  const url = new URL(address);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '' || address.length > 1000) return undefined;
  return url.href.replace(/\/+$/, '');
}
