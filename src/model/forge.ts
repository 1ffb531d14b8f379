/** A forge whose commits are given a status, with the token that may do so. */
export type Forge = {
  kind: 'github' | 'gitlab';
  /** Of the addresses of repositories, with a port where they have one. */
  host: string;
  /** Of the REST interface, without a trailing slash. */
  api: string;
  /** A file, read for each status, so that the token can be replaced. */
  tokenFile: string;
};

/** Whether an address is one of the forge's own interface: nobody else gets its token. */
export function isOfForge({ api }: Forge, url: string): boolean {
  return url.startsWith(`${api}/`);
}
