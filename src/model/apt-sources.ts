import { parseStanza, splitStanzas } from './deb822.ts';

/** One address with one suite of apt's sources: sources.list(5). Sources of packages (`deb-src`) and other schemes are passed over. */
export type AptSource = {
  /** http or https, without a slash at the end. */
  address: string;
  /** A name below `dists/`; with a slash at the end the folder of a repository that has no such structure. */
  suite: string;
  /** None for a suite that ends with a slash. */
  components: string[];
  /** `Signed-By` as it stands: files, fingerprints, or a key itself with its lines. */
  signedBy?: string;
};

/** A file of apt's sources, whose name tells its style; nothing of what is neither. */
export function parseAptSources(name: string, text: string): AptSource[] {
  if (name.endsWith('.sources')) return deb822Style(text);
  return name.endsWith('.list') ? oneLineStyle(text) : [];
}

/** sources.list(5), "one-line-style". */
function oneLineStyle(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const line of text.split('\n')) {
    const [, options = '', address = '', suite = '', components = ''] =
      /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    add(found, { address, suite, components: words(components), ...(signedBy === undefined ? {} : { signedBy }) });
  }
  return found;
}

/** sources.list(5), "DEB822-style". */
function deb822Style(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const piece of splitStanzas(text)) {
    let stanza;
    try {
      stanza = parseStanza(piece);
    } catch {
      continue; // apt refuses the file
    }
    const field = (name: string): string[] => words(stanza.get(name) ?? '');
    if (/^(?:no|false|0|off|without|disable)$/i.test(stanza.get('enabled') ?? '') || !field('types').includes('deb')) continue;
    const signedBy = stanza.get('signed-by');
    const more = { components: field('components'), ...(signedBy === undefined ? {} : { signedBy }) };
    for (const address of field('uris')) for (const suite of field('suites')) add(found, { address, suite, ...more });
  }
  return found;
}

function add(found: AptSource[], source: AptSource): void {
  if (/^https?:\/\//i.test(source.address) && URL.canParse(source.address))
    found.push({ ...source, address: source.address.replace(/\/+$/, '') });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
