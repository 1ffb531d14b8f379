/**
 * Package URLs of Debian packages. Package URL specification 1.0, type `deb`: name and architecture lower-case, epoch in the version.
 * `repository`: the address of another repository than the vendor's own.
 */
export function debianPurl(name: string, version: string, architecture?: string, vendor = 'debian', repository?: string): string {
  return qualifiedPurl(`pkg:deb/${encode(vendor)}/${encode(name)}@${encode(version)}`, { arch: architecture, repository_url: repository });
}

/**
 * The purl of an image, type `oci`: the last part of the repository's name, the digest as the version. The name of the registry is a
 * qualifier.
 */
export function ociPurl(reference: string, digest: string, architecture: string): string {
  const { repository, tag } = splitReference(reference);
  const name = repository.slice(repository.lastIndexOf('/') + 1).toLowerCase();
  return qualifiedPurl(`pkg:oci/${encode(name)}@${encode(digest)}`, { arch: architecture, repository_url: repository, tag });
}

/** A purl of another type; in a name of npm's the scope is the namespace: `pkg:npm/%40types/node@24.1.0`. */
export function purlOf(type: string, name: string, version?: string): string {
  return `pkg:${type}/${name.split('/').map(encode).join('/')}${version === undefined ? '' : `@${encode(version)}`}`;
}

/** A reference as normalised into the repository's name and the tag. */
export function splitReference(reference: string): { repository: string; tag?: string } {
  const name = reference.split('@', 1)[0] ?? reference;
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) } : { repository: name };
}

/** A purl with further qualifiers, in the order of their names: "qualifiers" of the specification. */
export function qualifiedPurl(purl: string, qualifiers: Record<string, string | undefined>): string {
  const [base = '', there = ''] = purl.split('?', 2);
  const all = new Map(there.split('&').flatMap((one) => (one === '' ? [] : [one.split('=', 2) as [string, string]])));
  for (const [name, value] of Object.entries(qualifiers)) if (value !== undefined && value !== '') all.set(name, encode(value));
  const sorted = [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? base : `${base}?${sorted.map(([name, value]) => `${name}=${value}`).join('&')}`;
}

/** Everything but unreserved characters and the colon is percent-encoded: "Character encoding" of the specification. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
