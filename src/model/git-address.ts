/**
 * Addresses of git repositories as builders write them, for fetching over HTTP(S). BuildKit: `https://host/a.git#ref:folder` and
 * `…?ref=…&subdir=…` (https://docs.docker.com/build/concepts/context/#git-repositories). SPDX 2.3, clause 7.7: `git+https://host/a@ref`.
 */
export type GitAddress = { url: string; ref?: string; subdir?: string };

const LENGTH_MAX = 2048;

/** Undefined for what is no address of a repository, or none that could be fetched without credentials. */
export function parseGitAddress(text: string): GitAddress | undefined {
  if (text.length > LENGTH_MAX || /[\s\p{Cc}\p{Cf}\p{Cs}]/u.test(text)) return undefined;
  const spdx = text.startsWith('git+');
  const url = URL.parse(overHttp(spdx ? text.slice('git+'.length) : text));
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  let ref = url.searchParams.get('ref') ?? url.searchParams.get('tag') ?? url.searchParams.get('branch') ?? '';
  let subdir = url.searchParams.get('subdir') ?? '';
  const fragment = decoded(url.hash.slice(1));
  const colon = fragment.indexOf(':');
  if (fragment !== '') {
    ref = colon < 0 ? fragment : fragment.slice(0, colon);
    subdir = colon < 0 ? subdir : fragment.slice(colon + 1);
  }
  const at = spdx ? url.pathname.lastIndexOf('@') : -1;
  if (at >= 0) {
    ref = decoded(url.pathname.slice(at + 1));
    url.pathname = url.pathname.slice(0, at);
  }
  url.hash = '';
  url.search = '';
  return { url: url.href, ...(ref === '' ? {} : { ref }), ...(subdir === '' ? {} : { subdir }) };
}

/** Who clones over SSH is known to the forge; the public finds the same repository at the same path over HTTPS. */
function overHttp(text: string): string {
  const [, host, path] = /^(?:ssh:\/\/)?git@([A-Za-z0-9.-]+)(?::\d+)?[:/]([^:].*)$/.exec(text) ?? [];
  if (host !== undefined && path !== undefined) return `https://${host}/${path.replace(/^\/+/, '')}`;
  return text.startsWith('github.com/') ? `https://${text}` : text;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
