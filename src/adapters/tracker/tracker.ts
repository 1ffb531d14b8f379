import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Digest, digestFromHex, isDigest } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import type { TrackerFetch } from '../../model/security.ts';
import type { Blobs, Clock, SecurityTracker } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { parseTracker } from './parse.ts';

export type TrackerPorts = {
  fetch: typeof globalThis.fetch;
  blobs: Blobs;
  /** CONFORME_SECURITY_TRACKER_URL. */
  url: string;
  /** File that makes the next request conditional; losing it costs one download. */
  stateFile: string;
  now: Clock;
};

const HOUR_MS = 60 * 60 * 1000;
/** Data is looked for in the hours before this one as well: a tracker that is away for a day leaves yesterday's. */
const HOURS_BACK = 24;
const BYTES_MAX = 1024 * 1024 * 1024; // 50 to 86 MB in 2025
const ANSWER_MS = 10 * 60 * 1000;

type State = { url: string; etag?: string; lastModified?: string; document: Digest };

/** One name for each hour: what is linked first stays, so that all processes of an installation fetch once an hour between them. */
function nameOf(time: number): string {
  return `security-tracker/v1/${new Date(time).toISOString().slice(0, 13)}`;
}

/** The newest data that any process fetched within a day. */
export async function latestTrackerData(blobs: Pick<Blobs, 'resolve'>, now: Date): Promise<Digest | undefined> {
  for (let back = 0; back <= HOURS_BACK; back++) {
    const found = await blobs.resolve(nameOf(now.getTime() - back * HOUR_MS));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The security tracker of Debian: at most one request an hour, conditional on what is known. `refresh` throws
 * `security-data-unavailable`; what was fetched before stays in use then.
 */
export function makeSecurityTracker({ fetch, blobs, url, stateFile, now }: TrackerPorts): SecurityTracker {
  return {
    latest: () => latestTrackerData(blobs, now()),
    async refresh() {
      const name = nameOf(now().getTime());
      if ((await blobs.resolve(name)) !== undefined) return;
      const known = await recall(stateFile, url, blobs);
      const fetched = await ask(fetch, url, known).catch((thrown: unknown) => {
        throw thrown instanceof Problem
          ? thrown
          : new Problem('security-data-unavailable', 'the tracker does not answer', { cause: thrown });
      });
      const state = fetched === undefined ? known : await store(blobs, fetched, url, now().toISOString());
      if (state === undefined)
        throw new Problem('security-data-unavailable', 'the tracker says that nothing changed, and nothing was asked');
      await remember(stateFile, state);
      await blobs.link(name, state.document);
    },
  };
}

async function ask(fetch: TrackerPorts['fetch'], url: string, known: State | undefined): Promise<Response | undefined> {
  const response = await fetch(url, {
    headers: {
      'user-agent': 'conforme',
      ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }),
      ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
    },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (response.status === 200 && response.body !== null) return response;
  await response.body?.cancel();
  if (response.status === 304) return undefined;
  throw new Problem('security-data-unavailable', `the tracker answers ${response.status}`);
}

/** Twice through the data, as it streams: what is read of it goes to a blob, and the hash of all of it to the first line of another. */
async function store(blobs: Blobs, response: Response, url: string, fetchedAt: string): Promise<State> {
  const hash = createHash('sha256');
  let size = 0;
  let sources = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > BYTES_MAX) throw new Problem('security-data-unavailable', `the tracker sends more than ${BYTES_MAX} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  }
  async function* lines(): AsyncGenerator<Uint8Array> {
    for await (const issues of parseTracker(counted())) {
      sources += 1;
      yield Buffer.from(`${canonicalJson(issues)}\n`);
    }
  }
  let body: Digest;
  try {
    body = (await blobs.put(lines())).digest;
  } catch (thrown) {
    if (thrown instanceof SyntaxError)
      throw new Problem('security-data-unavailable', 'what the tracker sends does not parse', { cause: thrown });
    throw thrown;
  }
  if (sources === 0) throw new Problem('security-data-unavailable', 'what the tracker sends names no issue');
  const header: TrackerFetch = { url, digest: digestFromHex(hash.digest('hex')), fetchedAt };
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${canonicalJson(header)}\n`);
    yield* await blobs.open(body);
  }
  const { digest: document } = await blobs.put(whole());
  const etag = response.headers.get('etag');
  const lastModified = response.headers.get('last-modified');
  return { url, document, ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
}

async function recall(file: string, url: string, blobs: Blobs): Promise<State | undefined> {
  try {
    const state = JSON.parse(await readFile(file, 'utf8')) as State;
    return state.url === url && isDigest(state.document) && (await blobs.has(state.document)) ? state : undefined;
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    return undefined;
  }
}

async function remember(file: string, state: State): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
