import type { Digest } from '../../model/digest.ts';
import type { FetchedFile } from '../../model/download.ts';
import type { ResolvedDependency } from '../../model/rebuild.ts';

/** One request that went through the recording proxy, or was turned away by it. */
export type ProxyRequest = {
  kind: 'http' | 'connect';
  method: string;
  /** Without credentials; for CONNECT `https://host:port`. */
  url: string;
  /** Where the answer came from, if not from there. */
  from?: string;
  status?: number;
  mediaType?: string;
  /** Bytes of the body that came back; for CONNECT all that came through the tunnel. */
  received: number;
  sent: number;
  /** Of the body, where it came whole; never for a tunnel, whose inside is not seen. */
  sha256?: Digest;
  /** Hex, of the same. */
  sha512?: string;
  /** Where the body is kept, if it may be an archive. */
  file?: string;
  /** Asked for by apt, as it says itself. */
  byApt?: true;
  refused?: 'address' | 'limit' | 'malformed';
  error?: string;
  startedAt: string;
  endedAt?: string;
};

/** What a build took from outside, in the order it first asked; equal answers to one URL are named once, and so are tunnels to one host. */
export function toDependencies(requests: readonly ProxyRequest[]): ResolvedDependency[] {
  const seen = new Map<string, ResolvedDependency>();
  for (const request of requests) {
    if (request.refused !== undefined || request.status === undefined) continue;
    const { kind, method, url, from, status, sha256, mediaType, received, startedAt, endedAt = startedAt } = request;
    const key = [method, url, from, status, sha256].join(' ');
    const known = seen.get(key)?.annotations;
    if (known !== undefined) {
      // Of a tunnel nothing else is seen.
      if (kind === 'connect') Object.assign(known, { size: (known.size ?? 0) + received, endedAt });
      continue;
    }
    seen.set(key, {
      uri: from ?? url,
      ...(sha256 === undefined ? {} : { digest: { sha256: sha256.slice('sha256:'.length) } }),
      annotations: {
        method,
        status,
        ...(sha256 === undefined && kind === 'http' ? {} : { size: received }),
        ...(from === undefined ? {} : { original: url }),
        ...(mediaType === undefined ? {} : { mediaType }),
        ...(kind === 'connect' ? { startedAt, endedAt } : {}),
      },
    });
  }
  return [...seen.values()];
}

/** The bodies that came whole and that apt did not ask for: it checks its own against a signed index. Equal bytes of one URL are named once. */
export function toFetchedFiles(requests: readonly ProxyRequest[]): FetchedFile[] {
  const seen = new Map<string, FetchedFile>();
  for (const { method, status, url, sha256, sha512, received: size, file, byApt } of requests) {
    if (method !== 'GET' || status !== 200 || sha256 === undefined || sha512 === undefined || size === 0 || byApt === true) continue;
    const key = `${url} ${sha256}`;
    if (!seen.has(key)) seen.set(key, { url, digest: sha256, sha512, size, ...(file === undefined ? {} : { file }) });
  }
  return [...seen.values()];
}
