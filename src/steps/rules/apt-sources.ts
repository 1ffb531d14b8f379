import { parseStanza, splitStanzas } from '../../model/deb822.ts';
import { linesOf, type Rule, type Side, textOf } from './rule.ts';

const SUITE =
  /^(?:(?:old)*stable|testing|unstable|sid|bullseye|bookworm|trixie|forky)(?:-updates|-security|-proposed-updates|-backports|\/updates)?$/;
const COMPONENTS: ReadonlySet<string> = new Set(['main', 'contrib', 'non-free', 'non-free-firmware']);
const ADDRESS = /^(?:https?|mirror|cdrom|file|copy):[^\s[\]]+$/;
/** Key files of the package debian-archive-keyring, but for the one of keys that are trusted no more. */
const KEYRING = /^\/usr\/share\/keyrings\/debian-archive-(?!removed-)[a-z0-9-]+\.(?:gpg|pgp|asc)$/;
/** The only settings of an entry that take nothing away from the check of signatures. */
const FIELDS: ReadonlySet<string> = new Set(['types', 'uris', 'suites', 'components', 'signed-by', 'architectures', 'enabled']);

function isEntry(address: string, suite: string, components: readonly string[]): boolean {
  return ADDRESS.test(address) && SUITE.test(suite) && components.length > 0 && components.every((one) => COMPONENTS.has(one));
}

/** sources.list(5), one-line style. */
function isLine(raw: string): boolean {
  const line = raw.replace(/#.*$/, '').trim();
  if (line === '') return true;
  const match = /^deb(?:-src)?\s+(?:\[\s*((?:(?:signed-by|arch)=\S+\s*)*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line);
  if (match === null) return false;
  const [, options = '', address = '', suite = '', components = ''] = match;
  const keyring = /signed-by=(\S+)/.exec(options)?.[1];
  return (keyring === undefined || KEYRING.test(keyring)) && isEntry(address, suite, components.trim().split(/\s+/));
}

/** sources.list(5), deb822 style. */
function isStanza(piece: string): boolean {
  try {
    const stanza = parseStanza(piece);
    if (stanza.size === 0) return true; // comments only
    const words = (field: string): string[] => (stanza.get(field) ?? '').split(/\s+/).filter((word) => word !== '');
    const keyring = stanza.get('signed-by');
    if (![...stanza.keys()].every((field) => FIELDS.has(field)) || (keyring !== undefined && !KEYRING.test(keyring))) return false;
    if (!words('types').every((type) => type === 'deb' || type === 'deb-src')) return false;
    const suites = words('suites');
    return suites.length > 0 && words('uris').every((uri) => suites.every((suite) => isEntry(uri, suite, words('components'))));
  } catch {
    return false;
  }
}

/** Debian's own suites under keys that packages bring: from wherever they are fetched, apt takes only what Debian signed. */
export function isDebianSources(side: Side): boolean {
  if (side.facts.path.endsWith('.sources')) {
    const text = textOf(side);
    return text !== undefined && [...splitStanzas(text)].every(isStanza);
  }
  return linesOf(side)?.every(isLine) === true;
}

export const aptSources: Rule = {
  name: 'apt-sources',
  version: 2,
  reason:
    "from which address and in which way Debian's own suites are fetched, which suites and components, in an entry that takes nothing away from apt's check of signatures by the keys of debian-archive-keyring or those that are trusted anyway: files of keys have accounts of their own, and an unknown one is a finding",
  applies: (path) => path === '/etc/apt/sources.list' || /^\/etc\/apt\/sources\.list\.d\/[A-Za-z0-9_.-]+\.(?:list|sources)$/.test(path),
  equal: (a, b) => isDebianSources(a) && isDebianSources(b),
  form: isDebianSources,
};
