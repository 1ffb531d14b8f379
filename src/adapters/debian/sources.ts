import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseStanza, splitStanzas } from '../../model/deb822.ts';
import { Problem } from '../../problem.ts';

/** Base addresses, without a slash at the end, best first: where `dists/` and `pool/` are. */
export type DebianSources = { archive: string[]; security: string[] };

const APT_FOLDER = '/etc/apt';
/** Suites of Debian itself, whatever the release is called. */
const SECURITY_SUITE = /(?:-security|\/updates)$/;
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Where Debian's archive is asked. `mirror` is CONFORME_DEBIAN_MIRROR: one address, or two with a comma between, of the archive
 * and of the security archive (by default the first with `-security` behind it). Without it the machine's own apt sources
 * count; what in them is not Debian's is told by its signature. Throws `invalid-configuration`.
 */
export async function debianSources(mirror?: string, aptFolder = APT_FOLDER): Promise<DebianSources> {
  if (mirror !== undefined && mirror.trim() !== '') {
    const [archive = '', security = `${archive}-security`] = mirror.split(',').map((part) => baseAddress(part.trim()));
    return { archive: [archive], security: [security] };
  }
  const sources: DebianSources = { archive: [], security: [] };
  const folder = join(aptFolder, 'sources.list.d');
  const names = (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name));
  for (const name of [join(aptFolder, 'sources.list'), ...names]) {
    const text = await readFile(name, 'utf8').catch(() => '');
    if (text.length > FILE_BYTES_MAX) continue;
    const found = name.endsWith('.sources') ? parseSources(text) : name.endsWith('.list') ? parseSourcesList(text) : [];
    for (const { address, suite } of found) {
      const role = SECURITY_SUITE.test(suite) ? sources.security : sources.archive;
      if (!role.includes(address)) role.push(address);
    }
  }
  return sources;
}

type AptSource = { address: string; suite: string };

/** sources.list(5), "one-line-style". */
export function parseSourcesList(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const line of text.split('\n')) {
    const [, options = '', address = '', suite = '', components = ''] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
    if (isDebians(components, /signed-by=(\S+)/i.exec(options)?.[1])) add(found, address, suite);
  }
  return found;
}

/** sources.list(5), "DEB822-style". */
export function parseSources(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const piece of splitStanzas(text)) {
    let stanza;
    try {
      stanza = parseStanza(piece);
    } catch {
      continue; // apt refuses the file; what the machine's owner broke is no reason to fail here
    }
    const words = (field: string): string[] => (stanza.get(field) ?? '').split(/\s+/).filter(Boolean);
    if (stanza.get('enabled')?.toLowerCase() === 'no' || !words('types').includes('deb')) continue;
    if (!isDebians(stanza.get('components') ?? '', stanza.get('signed-by'))) continue;
    for (const address of words('uris')) for (const suite of words('suites')) add(found, address, suite);
  }
  return found;
}

/** Debian has a component `main`; where a key is pinned, it is one of Debian's. */
function isDebians(components: string, signedBy: string | undefined): boolean {
  return components.split(/\s+/).includes('main') && (signedBy === undefined || signedBy.includes('debian-archive'));
}

function add(found: AptSource[], address: string, suite: string): void {
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) found.push({ address: address.replace(/\/+$/, ''), suite });
}

function baseAddress(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new Problem('invalid-configuration', `CONFORME_DEBIAN_MIRROR is no http address: ${text}`);
  return text.replace(/\/+$/, '');
}
