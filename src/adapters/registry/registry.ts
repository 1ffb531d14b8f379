import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Digest, digestFromHex, isDigest } from '../../model/digest.ts';
import { INDEX_TYPES, MANIFEST_TYPES } from '../../model/media-types.ts';
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, Platform, ResolvedImage } from '../../model/oci.ts';
import { checkImageManifest, OciFault, parseImageConfig, parseManifest } from '../../model/oci-parse.ts';
import { formatReference, parseReference, type Reference, ReferenceSyntaxError } from '../../model/reference.ts';
import type { Registry } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { attestations, type Repository } from './attestations.ts';
import { makeAuthorizer } from './auth.ts';
import { readBlob } from './blob.ts';
import { NO_CREDENTIALS, readDockerConfig } from './credentials.ts';
import { type Fetch, type HttpOptions, readBody, send } from './http.ts';
import { findPlatform, type Offer } from './platform.ts';

/** Bytes of a manifest or index. Distribution specification 1.1, "Pushing Manifests": registries take at least 4 MiB. */
export const MANIFEST_MAX = 4 * 1024 * 1024;
const CONFIG_MAX = 8 * 1024 * 1024;
/** Where the images of `docker.io` really are. */
export const DOCKER_HUB = 'registry-1.docker.io';
const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

export type RegistryOptions = {
  fetch: Fetch;
  /** Hosts, with their port, spoken to over plain HTTP. */
  insecure?: Iterable<string>;
  /** Registry, as references name it, to the host that is asked first. */
  mirrors?: ReadonlyMap<string, string>;
  /** Folder with Docker's `config.json`, read once. */
  dockerConfig?: string;
  /** What of that file is not used, for the log. */
  onNote?: (note: string) => void;
  /** Milliseconds before the first repetition of a request that failed. */
  backoff?: number;
};

/** A client of image registries. OCI distribution specification 1.1, "Pull". Every byte is checked against its digest. */
export function makeRegistry(options: RegistryOptions): Registry {
  const { fetch, insecure = [], mirrors = new Map<string, string>(), dockerConfig, onNote, backoff = 500 } = options;
  const http: HttpOptions = { fetch, insecure: new Set(insecure), backoff };
  const { byRegistry, notes } = dockerConfig === undefined ? NO_CREDENTIALS : readDockerConfig(dockerConfig);
  for (const note of notes) onNote?.(note);
  const auth = makeAuthorizer(http, (host) => byRegistry.get(host === DOCKER_HUB ? 'docker.io' : host));

  function hostsOf(registry: string): string[] {
    const own = registry === 'docker.io' ? DOCKER_HUB : registry;
    const mirror = mirrors.get(registry);
    return mirror === undefined ? [own] : [mirror, own];
  }

  async function askHost(host: string, repository: string, path: string, headers: Record<string, string>): Promise<Response> {
    const url = new URL(`${http.insecure.has(host) ? 'http' : 'https'}://${host}/v2/${repository}/${path}`);
    const first = await send(http, { url, headers, authorization: auth.known(host, repository) });
    if (first.status !== 401) return first;
    await first.body?.cancel();
    const authorization = await auth.answer(host, repository, first);
    return authorization === undefined ? first : send(http, { url, headers, authorization });
  }

  /** Asks the mirror, then the registry; what the last one says counts. */
  async function ask({ registry, repository }: Reference, path: string, headers: Record<string, string>): Promise<Response> {
    const hosts = hostsOf(registry);
    for (const [index, host] of hosts.entries()) {
      const isLast = index === hosts.length - 1;
      try {
        const response = await askHost(host, repository, path, headers);
        if (response.ok) return response;
        await response.body?.cancel();
        if (isLast) throw problemOf(response.status, `${registry}/${repository}`, path);
      } catch (error) {
        if (isLast || !(error instanceof Problem)) throw error;
      }
    }
    throw new Problem('registry-unavailable', `${registry} cannot be asked`);
  }

  async function getManifest(
    reference: Reference,
    name: string,
  ): Promise<{ digest: Digest; bytes: Buffer; mediaType: string | undefined }> {
    const response = await ask(reference, `manifests/${name}`, { accept: ACCEPT });
    const bytes = await readBody(response, MANIFEST_MAX, tooLarge);
    const digest = digestOf(bytes);
    if (isDigest(name) && digest !== name)
      throw new Problem('image-malformed', `the registry has bytes of the digest ${digest} under ${name}`);
    return { digest, bytes, mediaType: response.headers.get('content-type') ?? undefined };
  }

  async function getConfig(reference: Reference, manifest: ImageManifest): Promise<ImageConfig> {
    checkImageManifest(manifest);
    if (manifest.config.size > CONFIG_MAX) throw new Problem('limit-exceeded', `the configuration has more than ${CONFIG_MAX} bytes`);
    return parseImageConfig(await readWhole(reference, manifest.config));
  }

  async function readWhole(reference: Reference, descriptor: Descriptor): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of await openBlob(reference, descriptor)) parts.push(part as Uint8Array);
    return Buffer.concat(parts);
  }

  async function openBlob(reference: Reference, descriptor: Descriptor): Promise<Readable> {
    const open = (from: number) => ask(reference, `blobs/${descriptor.digest}`, from === 0 ? {} : { range: `bytes=${from}-` });
    // The first answer is awaited here, so that a blob that is not there is an error of opening it.
    return Readable.from(readBlob(descriptor, await open(0), open), { objectMode: false });
  }

  async function resolve(reference: Reference, wanted: Platform | undefined): Promise<ResolvedImage> {
    const top = await getManifest(reference, reference.digest ?? reference.tag ?? 'latest');
    const parsed = parseManifest(top.bytes, top.mediaType);
    const load = async (descriptor: Descriptor): Promise<Offer> => {
      const { digest, bytes } = await getManifest(reference, descriptor.digest);
      if (bytes.length !== descriptor.size)
        throw new OciFault('malformed', `manifest ${digest} has ${bytes.length} bytes, not the ${descriptor.size} of its descriptor`);
      return { digest, bytes, ...parseManifest(bytes, descriptor.mediaType) };
    };
    const found = await findPlatform({ digest: top.digest, bytes: top.bytes, ...parsed }, wanted, load, (manifest) =>
      getConfig(reference, manifest),
    );
    const index: ImageIndex | undefined = parsed.kind === 'index' ? parsed.index : undefined;
    return { reference: formatReference(reference), digest: top.digest, ...found, ...(index !== undefined && { index }) };
  }

  /** What attestations are read with: nothing here is an image. */
  function repositoryOf(reference: Reference): Repository {
    const read = async (name: string) => {
      const { bytes, mediaType } = await getManifest(reference, name);
      return parseManifest(bytes, mediaType);
    };
    return {
      async manifest(digest) {
        const found = await read(digest);
        if (found.kind === 'index') throw new OciFault('malformed', 'an attestation is an index');
        return found.manifest;
      },
      tagged: (tag) => orUndefined(() => read(tag)),
      referrers: (digest) =>
        orUndefined(async () => {
          const response = await ask(reference, `referrers/${digest}`, { accept: INDEX_TYPES[0] });
          const parsed = parseManifest(await readBody(response, MANIFEST_MAX, tooLarge), INDEX_TYPES[0]);
          return parsed.kind === 'index' ? parsed.index : undefined;
        }),
      blob: (descriptor) => readWhole(reference, descriptor),
    };
  }

  return {
    attestations: (text, image, wanted, passedOver) => attestations(repositoryOf(parseReference(text)), image, wanted, passedOver),
    resolve: (text, platform) => asProblems(() => resolve(parseReference(text), platform)),
    openBlob: (text, descriptor) => asProblems(() => openBlob(parseReference(text), descriptor)),
  };
}

function tooLarge(): Problem {
  return new Problem('limit-exceeded', `the manifest has more than ${MANIFEST_MAX} bytes`);
}

/** Nothing where the registry does not have it, or does not say. */
async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem && (error.code === 'image-not-found' || error.code === 'registry-denied')) return undefined;
    throw error;
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(createHash('sha256').update(bytes).digest('hex'));
}

function problemOf(status: number, name: string, path: string): Problem {
  const [kind, which] = path.split('/');
  // Registries from before OCI 1.1 answer 400 and 405 as well.
  if (status === 404 || (kind === 'referrers' && status < 500))
    return kind !== 'blobs'
      ? new Problem('image-not-found', `there is no image ${which} in ${name}`)
      : new Problem('image-malformed', `the registry does not have blob ${which} of ${name}`);
  if (status === 401 || status === 403)
    return new Problem('registry-denied', `access to ${name} is refused (${status}); some registries say so of what does not exist`);
  return new Problem('registry-unavailable', `the registry answers ${status} for ${name}`);
}

async function asProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OciFault)
      throw new Problem(error.kind === 'malformed' ? 'image-malformed' : 'image-unsupported', error.message, { cause: error });
    if (error instanceof ReferenceSyntaxError) throw new Problem('invalid-reference', error.message, { cause: error });
    throw error;
  }
}
