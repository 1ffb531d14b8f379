import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import type { Keyring } from './keyring.ts';
import type { Mirror } from './mirror.ts';
import { type Release, verifyRelease } from './release.ts';
import type { SuiteRequest } from './releases.ts';

/** A suite whose Release file was verified, and where it was found. */
export type Suite = {
  request: SuiteRequest;
  release: Release;
  address: string;
  /** Address of the folder that its Release file is in. */
  dists: string;
  /** Addresses below which its .debs are asked for, best first. */
  pools: readonly string[];
};

/** A verified InRelease as it was last seen, with what makes asking for it again cheap. It is verified again at each use. */
type Remembered = { address: string; checkedAt: number; etag?: string; lastModified?: string; /** Bytes as latin1. */ text: string };

export const INRELEASE_BYTES_MAX = 8 * 1024 * 1024; // sid's is 250 kB
/** Milliseconds. Debian's archive changes four times a day; within this time what was seen counts as current. */
const FRESH_MS = 10 * 60 * 1000;

export type SuitePorts = { mirror: Mirror; keyring: Keyring; cacheDir: string; now: Clock };

/**
 * The newest Release of a suite, from the first address that has one that its keys signed. An older one than was ever accepted
 * for the suite is refused (roll-back). Undefined where no address has the suite. Throws `archive-untrusted`, `archive-unavailable`.
 */
export async function openSuite(ports: SuitePorts, request: SuiteRequest, addresses: readonly string[]): Promise<Suite | undefined> {
  const file = join(ports.cacheDir, 'suites', `${request.id.replaceAll(/[^a-z0-9-]+/g, '_')}.json`);
  const keys = (await Promise.all(request.keyrings.map((name) => ports.keyring.keys(name)))).flat();
  const verified = (text: string): Promise<Release> => verifyRelease(Buffer.from(text, 'latin1'), request, keys, ports.now());
  const known = await recall(file);
  const knownRelease = known === undefined ? undefined : await verified(known.text).catch(() => undefined);
  if (known !== undefined && knownRelease !== undefined && addresses.includes(known.address)) {
    const age = ports.now().getTime() - known.checkedAt;
    if (age >= 0 && age < FRESH_MS) return suiteAt(request, knownRelease, known.address);
  }
  let failure: unknown;
  for (const address of addresses) {
    try {
      const asked = await ask(ports, `${address}/dists/${request.suite}/InRelease`, known?.address === address ? known : undefined);
      if (asked === undefined) continue;
      const release = await verified(asked.text);
      const seen = knownRelease?.archive.date ?? (known === undefined ? undefined : signedDate(known.text));
      if (seen !== undefined && release.archive.date < seen)
        throw new Problem(
          'archive-untrusted',
          `${request.id}: InRelease of ${release.archive.date} is older than one seen before (${seen})`,
        );
      await remember(file, { ...asked, address, checkedAt: ports.now().getTime() });
      return suiteAt(request, release, address);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

/** A suite in the usual structure. */
export function suiteAt(request: SuiteRequest, release: Release, address: string, pools: readonly string[] = [address]): Suite {
  return { request, release, address, dists: `${address}/dists/${request.suite}`, pools };
}

async function ask(
  ports: SuitePorts,
  url: string,
  known: Remembered | undefined,
): Promise<Omit<Remembered, 'address' | 'checkedAt'> | undefined> {
  const conditions: Record<string, string> = {};
  if (known?.etag !== undefined) conditions['if-none-match'] = known.etag;
  if (known?.lastModified !== undefined) conditions['if-modified-since'] = known.lastModified;
  return ports.mirror.get(
    url,
    async (response) => {
      if (response.status === 304 && known !== undefined) return known;
      const etag = response.headers.get('etag');
      const lastModified = response.headers.get('last-modified');
      const text = (await bodyOf(response, INRELEASE_BYTES_MAX)).toString('latin1'); // byte for byte, whatever was sent
      return { text, ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
    },
    conditions,
  );
}

/** A whole body that is not larger than `max` bytes. Throws `archive-untrusted` beyond. */
export async function bodyOf(response: Response, max: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > max) throw new Problem('archive-untrusted', `the archive sends more than ${max} bytes`);
  }
  return Buffer.concat(chunks, size);
}

/** The date of a file that was verified when it was stored, but is not valid any more (Valid-Until has passed, keys changed). */
function signedDate(text: string): string | undefined {
  const date = Date.parse(/^Date:\s*(.+)$/m.exec(text)?.[1] ?? '');
  return Number.isNaN(date) ? undefined : new Date(date).toISOString();
}

async function recall(file: string): Promise<Remembered | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Remembered;
  } catch {
    return undefined;
  }
}

async function remember(file: string, remembered: Remembered): Promise<void> {
  await writeWhole(file, JSON.stringify(remembered));
}

/** Whoever reads the file at the same time sees the old one or the new one. */
export async function writeWhole(file: string, content: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(draft, content, { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
