import { type Digest, digestOf } from '../../model/digest.ts';
import { INDEX_TYPES, MANIFEST_TYPES } from '../../model/media-types.ts';
import type { Descriptor } from '../../model/oci.ts';
import { parseReference } from '../../model/reference.ts';
import { Problem } from '../../problem.ts';
import { type Authorizer, makeAuthorizer } from './auth.ts';
import { NO_CREDENTIALS, readDockerConfig } from './credentials.ts';
import { type HttpOptions, type HttpRequest, readBody, send } from './http.ts';
import { DOCKER_HUB, MANIFEST_MAX, type RegistryOptions } from './registry.ts';

const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

/** Registries with the right to write to them. */
export type RegistryAccess = { http: HttpOptions; auth: Authorizer };

/** Mirrors are not written to. Throws `invalid-configuration`. */
export function openAccess({
  fetch,
  insecure = [],
  dockerConfig,
  onNote,
  backoff = 500,
}: Omit<RegistryOptions, 'mirrors'>): RegistryAccess {
  const http: HttpOptions = { fetch, insecure: new Set(insecure), backoff };
  const { byRegistry, notes } = dockerConfig === undefined ? NO_CREDENTIALS : readDockerConfig(dockerConfig);
  for (const note of notes) onNote?.(note);
  return { http, auth: makeAuthorizer(http, (host) => byRegistry.get(host === DOCKER_HUB ? 'docker.io' : host), 'pull,push') };
}

/** Writing to one repository. Each throws `registry-denied`, `registry-unavailable`, and what the fetch throws. */
export type Pusher = {
  /** The descriptor of a manifest that is there. Throws `image-not-found`. */
  describe(digest: Digest): Promise<Descriptor>;
  /** What is under a tag, where there is something. */
  tagged(tag: string): Promise<Buffer | undefined>;
  blob(bytes: Buffer, mediaType: string): Promise<Descriptor>;
  /** `subjectSeen`: the registry itself lists it among the referrers of its subject. */
  manifest(text: string, mediaType: string, tag?: string): Promise<{ descriptor: Descriptor; subjectSeen: boolean }>;
};

/** OCI distribution specification 1.1, "Push". `name` is a repository with its registry, as normalised. */
export function makePusher({ http, auth }: RegistryAccess, name: string): Pusher {
  const { registry, repository } = parseReference(name);
  const host = registry === 'docker.io' ? DOCKER_HUB : registry;
  const base = `${http.insecure.has(host) ? 'http' : 'https'}://${host}/v2/${repository}`;

  async function ask(address: string | URL, request: Omit<HttpRequest, 'url' | 'authorization'>): Promise<Response> {
    const url = new URL(address, base);
    // An upload may go on at another host, which has no business with these credentials.
    const isHost = url.host === host;
    const first = await send(http, { ...request, url, authorization: isHost ? auth.known(host, repository) : undefined });
    if (first.status !== 401 || !isHost) return first;
    await first.body?.cancel();
    const authorization = await auth.answer(host, repository, first);
    return authorization === undefined ? first : send(http, { ...request, url, authorization });
  }

  /** Any 2xx: registries differ in which one they say. */
  async function taken(answering: Promise<Response>, what: string): Promise<Response> {
    const response = await answering;
    await response.body?.cancel();
    if (response.ok) return response;
    // 429 and 5xx were tried again in `send` and are no answers; anything else stays what it is.
    throw new Problem('registry-denied', `${name} does not take ${what}: the registry answers ${response.status}`);
  }

  async function read(reference: string): Promise<{ bytes: Buffer; mediaType: string } | undefined> {
    const response = await ask(`${base}/manifests/${reference}`, { headers: { accept: ACCEPT } });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) await taken(Promise.resolve(response), `a question about ${reference}`);
    const bytes = await readBody(response, MANIFEST_MAX, () => new Problem('limit-exceeded', `the manifest ${reference} is too large`));
    return { bytes, mediaType: response.headers.get('content-type') ?? MANIFEST_TYPES[0] };
  }

  return {
    async describe(digest) {
      const found = await read(digest);
      if (found === undefined) throw new Problem('image-not-found', `there is no image ${digest} in ${name} any more`);
      const { bytes, mediaType } = found;
      if (digestOf(bytes) !== digest) throw new Problem('image-malformed', `the registry has other bytes under ${digest}`);
      return { mediaType, digest, size: bytes.length };
    },

    tagged: async (tag) => (await read(tag))?.bytes,

    async blob(bytes, mediaType) {
      const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
      const known = await ask(`${base}/blobs/${descriptor.digest}`, { method: 'HEAD', headers: {} });
      await known.body?.cancel();
      if (known.ok) return descriptor;
      const started = await taken(ask(`${base}/blobs/uploads/`, { method: 'POST', headers: {}, body: '' }), 'an upload');
      const url = URL.parse(started.headers.get('location') ?? '', base);
      if (url === null) throw new Problem('registry-unavailable', `${host} does not say where to upload to`);
      url.searchParams.set('digest', descriptor.digest);
      const headers = { 'content-type': 'application/octet-stream' };
      await taken(ask(url, { method: 'PUT', headers, body: new Uint8Array(bytes) }), 'a blob');
      return descriptor;
    },

    async manifest(text, mediaType, tag) {
      const bytes = Buffer.from(text);
      const digest = digestOf(bytes);
      const headers = { 'content-type': mediaType };
      const answer = await taken(
        ask(`${base}/manifests/${tag ?? digest}`, { method: 'PUT', headers, body: new Uint8Array(bytes) }),
        'a manifest',
      );
      // "Pushing Manifests with Subject": without this field the client has to list the referrer itself.
      return { descriptor: { mediaType, digest, size: bytes.length }, subjectSeen: answer.headers.has('oci-subject') };
    },
  };
}
