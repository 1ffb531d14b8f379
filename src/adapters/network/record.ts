import type { Digest } from '../../model/digest.ts';
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
  refused?: 'address' | 'limit' | 'malformed';
  error?: string;
  startedAt: string;
  endedAt?: string;
};

/** What a build took from outside, in the order it first asked; equal answers to one URL are named once. */
export function toDependencies(requests: readonly ProxyRequest[]): ResolvedDependency[] {
  const seen = new Map<string, ResolvedDependency>();
  for (const request of requests) {
    if (request.refused !== undefined || request.status === undefined) continue;
    const dependency: ResolvedDependency = {
      uri: request.from ?? request.url,
      annotations: { method: request.method, status: request.status },
    };
    if (request.sha256 !== undefined) {
      dependency.digest = { sha256: request.sha256.slice('sha256:'.length) };
      dependency.annotations = { ...dependency.annotations, size: request.received };
    }
    if (request.from !== undefined) dependency.annotations = { ...dependency.annotations, original: request.url };
    if (request.mediaType !== undefined) dependency.annotations = { ...dependency.annotations, mediaType: request.mediaType };
    const key = [request.method, request.url, request.from, request.status, request.sha256].join(' ');
    if (!seen.has(key)) seen.set(key, dependency);
  }
  return [...seen.values()];
}
