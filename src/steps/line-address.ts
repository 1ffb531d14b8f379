import type { Source } from '../model/rebuild.ts';

type Forge = { hosts: RegExp; file: (commit: string, path: string) => string };

/** How forges address a file at a commit. A host that is none of these may have any form. */
const FORGES: readonly Forge[] = [
  { hosts: /^(?:www\.)?github\.com$/, file: (commit, path) => `blob/${commit}/${path}` },
  {
    hosts: /^(?:(?:[a-z0-9-]+\.)*gitlab\.[a-z0-9.-]+|salsa\.debian\.org|invent\.kde\.org|framagit\.org)$/,
    file: (commit, path) => `-/blob/${commit}/${path}`,
  },
  { hosts: /^(?:codeberg\.org|(?:[a-z0-9-]+\.)*(?:forgejo|gitea)\.[a-z0-9.-]+)$/, file: (commit, path) => `src/commit/${commit}/${path}` },
];

/** The address at which people read a line of a file of the source; undefined for an uploaded context and where the forge is not known. */
export function lineAddress({ location }: Source, path: string, line: number): string | undefined {
  if (location.kind !== 'git' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(location.commit)) return undefined;
  const url = URL.parse(location.url);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') return undefined;
  const forge = FORGES.find(({ hosts }) => hosts.test(url.hostname));
  const parts = [...(location.subdir ?? '').split('/'), ...path.split('/')].filter((part) => part !== '' && part !== '.');
  if (forge === undefined || parts.includes('..')) return undefined;
  const repository = `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')}`;
  return `${repository}/${forge.file(location.commit, parts.map(encodeURIComponent).join('/'))}#L${line}`;
}
