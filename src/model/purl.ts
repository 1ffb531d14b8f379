/** Package URLs of Debian packages. Package URL specification 1.0, type `deb`: name and architecture lower-case, epoch in the version. */
export function debianPurl(name: string, version: string, architecture?: string, vendor = 'debian'): string {
  const qualifiers = architecture === undefined ? '' : `?arch=${encode(architecture)}`;
  return `pkg:deb/${encode(vendor)}/${encode(name)}@${encode(version)}${qualifiers}`;
}

/** Everything but unreserved characters and the colon is percent-encoded: "Character encoding" of the specification. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
