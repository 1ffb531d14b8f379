import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AptSource, parseAptSources } from '../../model/apt-sources.ts';
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
    for (const { address, suite } of debianEntries(name, text)) {
      const role = SECURITY_SUITE.test(suite) ? sources.security : sources.archive;
      if (!role.includes(address)) role.push(address);
    }
  }
  return sources;
}

/** What a file of apt's sources names of Debian. */
export function debianEntries(name: string, text: string): AptSource[] {
  return parseAptSources(name, text).filter(isDebians);
}

/** Debian has a component `main`; where a key is pinned, it is one of Debian's. */
function isDebians({ components, signedBy }: AptSource): boolean {
  return components.includes('main') && (signedBy === undefined || signedBy.includes('debian-archive'));
}

function baseAddress(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new Problem('invalid-configuration', `CONFORME_DEBIAN_MIRROR is no http address: ${text}`);
  return text.replace(/\/+$/, '');
}
