import type { DebContents } from '../../model/debian.ts';
import type { Digest } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import type { Blobs, ScanLayer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { readDeb } from './deb.ts';
import type { Location } from './locate.ts';
import type { Mirror } from './mirror.ts';

/** Raised when what is read of a .deb comes to mean something else. */
const CONTENTS_VERSION = 1;

export type FetchDebPorts = { mirror: Mirror; blobs: Blobs; scanLayer: ScanLayer };

/**
 * Has the .deb and what it holds in the blob store, fetching and reading it where it was not there: once, for ever. Returns
 * the blob of its {@link DebContents}. `reading` wraps the part that needs a processor. `max`: bytes that it may unpack to.
 */
export async function ensureDeb(
  ports: FetchDebPorts,
  deb: Digest,
  locations: readonly Location[],
  reading: <T>(work: () => Promise<T>) => Promise<T>,
  max?: number,
): Promise<Digest> {
  const { blobs } = ports;
  const name = `deb-contents/v${CONTENTS_VERSION}/${deb}`;
  const present = await blobs.has(deb);
  const known = await blobs.resolve(name);
  if (present && known !== undefined) return known;
  if (!present) await download(ports, deb, locations);
  if (known !== undefined) return known;
  return reading(async () => {
    const contents: DebContents = await readDeb(deb, await blobs.open(deb), ports.scanLayer, max);
    const { digest } = await blobs.put([Buffer.from(canonicalJson(contents))]);
    await blobs.link(name, digest);
    return digest;
  });
}

async function download({ mirror, blobs }: FetchDebPorts, deb: Digest, locations: readonly Location[]): Promise<void> {
  const tried = new Set<string>();
  for (const { suite, found } of locations) {
    if (found.deb !== deb) continue;
    for (const pool of suite.pools) {
      const url = `${pool}/${found.path}`;
      if (tried.has(url)) continue;
      tried.add(url);
      const stored = await mirror.get(url, (response) => store(blobs, response, found.deb, found.size));
      if (stored !== undefined) return;
    }
  }
  throw new Problem('archive-unavailable', `the archive does not have ${locations[0]?.found.path}, which its signed index names`);
}

async function store(blobs: Blobs, response: Response, expected: Digest, size: number): Promise<true> {
  let broken: unknown;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) yield chunk as Uint8Array;
    } catch (error) {
      broken = error;
      throw error;
    }
  }
  try {
    await blobs.put(body(), { expected, max: size });
    return true;
  } catch (error) {
    if (broken !== undefined) throw broken; // the connection's fault, so that it is tried again
    if (error instanceof Problem && (error.code === 'digest-mismatch' || error.code === 'too-large'))
      throw new Problem('archive-untrusted', `${new URL(response.url).pathname} is not the .deb that the signed index names`, {
        cause: error,
      });
    throw error;
  }
}
