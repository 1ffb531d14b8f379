import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSnapshotTime, snapshotTime, type SnapshotTime } from '../../model/snapshot-time.ts';
import type { Fetch } from './fetch.ts';

/** Where one of Debian's archives lies as of a time. */
export type ArchiveAt = (archive: 'debian' | 'debian-security', time: SnapshotTime) => string;

/** An answer from elsewhere than the host that was asked; `url` says from where. */
export type Answer = { url: string; status: number; headers: Record<string, string>; body: Readable };

/** What Debian's mirrors answered at a time past: one build's view of an archive of snapshots. */
export type Past = {
  /** In place of the host's own answer; undefined where that one counts, also because it is the same. Throws when the archive of snapshots fails. */
  instead(url: URL, headers: Asked): Promise<Answer | undefined>;
  /** For what the host no longer has; undefined where nothing else has it either. */
  after(url: URL, headers: Asked): Promise<Answer | undefined>;
  /** Why answers were not, or not all, those of the time. */
  fault(): string | undefined;
};

type Asked = Readonly<Record<string, string | string[] | undefined>>;
type Suite = { address: string; inRelease: Buffer; headers: Record<string, string> };
type Mirror = { suites: Map<string, Promise<Suite | undefined>>; addresses: Set<string> };

/**
 * Milliseconds. An archive changes four times a day and its snapshot is made some hours later: this long after a time, the nearest snapshot
 * before has what was published at that time, or already something newer.
 */
const PUBLISHED_MS = 6 * 60 * 60 * 1000;
/** Bytes; those of sid have 200 kB. */
const IN_RELEASE_BYTES_MAX = 4 * 1024 * 1024;
const TRIES = 3;
/** Milliseconds, where a server that is too busy names no time. */
const PAUSE_MS = 5000;
const PAUSE_MAX_MS = 60_000;
const ANSWER_HEADERS = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'last-modified', 'etag'];
const ASK_HEADERS = ['range', 'if-range', 'if-modified-since'];

/**
 * Whether a host is a mirror of Debian is told by its own Release file, or, where it has none, by its path: one that lies is answered with
 * Debian's files, signed as they are. A Release file that is no newer than the time is left as the host has it, and so is what lies in the pool:
 * names of files there are never used twice, and apt checks each against the signed index.
 */
export function makePast(options: { fetch: Fetch; archiveAt: ArchiveAt; time: SnapshotTime }): Past {
  const { fetch, archiveAt } = options;
  const asOf = parseSnapshotTime(options.time);
  const mirrors = new Map<string, Mirror>();
  let reached = false;
  let fault: string | undefined;

  /** Undefined where the archive of snapshots has no such file. */
  async function open(address: string, headers: Record<string, string>): Promise<Answer | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      let why: string;
      let pause = PAUSE_MS * attempt;
      try {
        const response = await fetch(address, { headers: { ...headers, 'accept-encoding': 'identity' } });
        if (response.ok || response.status === 304) {
          reached = true;
          const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
          return { url: response.url === '' ? address : response.url, status: response.status, headers: chosen(response.headers), body };
        }
        await response.body?.cancel();
        if (response.status === 404 || response.status === 410) {
          reached = true;
          return undefined;
        }
        why = `status ${response.status}`;
        const after = Number(response.headers.get('retry-after') ?? Number.NaN);
        if (after >= 0) pause = Math.min(after * 1000, PAUSE_MAX_MS);
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        if (!reached) attempt = TRIES; // nobody there: the build need not wait for that
      }
      if (attempt >= TRIES) {
        fault = `${new URL(address).host}: ${why}`;
        throw new Error(`the archive of snapshots at ${fault}`);
      }
      await sleep(pause);
    }
  }

  /** The Release file that the host has now, signed in one way or the other; empty where it has none. Throws where it does not say. */
  async function today(folder: string): Promise<string> {
    for (const name of ['InRelease', 'Release']) {
      const response = await fetch(`${folder}/${name}`);
      if (response.ok && response.body !== null) return (await whole(Readable.fromWeb(response.body))).toString('latin1');
      await response.body?.cancel();
      if (response.status !== 404 && response.status !== 410) throw new Error(`status ${response.status}`);
    }
    return '';
  }

  async function choose(base: string, suite: string): Promise<Suite | undefined> {
    const file = `/dists/${suite}/InRelease`;
    const release = await today(`${base}/dists/${suite}`).catch(() => undefined);
    const archive = release === undefined ? undefined : release === '' ? archiveOfPath(base) : archiveOf(release);
    if (release === undefined || archive === undefined || dateOf(release) <= asOf) return undefined;
    let found: Suite | undefined;
    for (const time of [snapshotTime(asOf + PUBLISHED_MS), options.time]) {
      const answer = time === undefined ? undefined : await open(archiveAt(archive, time) + file, {});
      if (answer === undefined) continue;
      const inRelease = await whole(answer.body);
      // A time between two snapshots leads to the one before.
      const led = /^(.*\/\d{8}T\d{6}Z)\/dists\//.exec(answer.url)?.[1];
      found = { address: led ?? archiveAt(archive, time ?? options.time), inRelease, headers: answer.headers };
      if (dateOf(inRelease.toString('latin1')) <= asOf) break;
    }
    return found;
  }

  const suiteOf = async (mirror: Mirror, base: string, suite: string): Promise<Suite | undefined> => {
    if (fault !== undefined && !reached) return undefined;
    const known = mirror.suites.get(suite) ?? choose(base, suite);
    mirror.suites.set(suite, known);
    const chosenSuite = await known.catch((error: unknown) => {
      // Before the first answer the whole build may still be one of today.
      if (reached) throw error;
      return undefined;
    });
    if (chosenSuite !== undefined) mirror.addresses.add(chosenSuite.address);
    return chosenSuite;
  };

  return {
    async instead(url, asked) {
      const [, prefix = '', rest] = /^(.*?)\/dists\/(.+)$/.exec(url.pathname) ?? [];
      if (rest === undefined) return undefined;
      const base = `http://${url.host}${prefix}`;
      const mirror = mirrors.get(base) ?? { suites: new Map(), addresses: new Set() };
      mirrors.set(base, mirror);
      const begun = /^(.+)\/(InRelease|Release|Release\.gpg)$/.exec(rest)?.[1];
      const name = [...mirror.suites.keys(), ...(begun === undefined ? [] : [begun])]
        .filter((one) => rest.startsWith(`${one}/`))
        .sort((a, b) => b.length - a.length)[0];
      const suite = name === undefined ? undefined : await suiteOf(mirror, base, name);
      if (suite === undefined) return undefined;
      if (rest === `${name}/InRelease`)
        return { url: `${suite.address}/dists/${rest}`, status: 200, headers: suite.headers, body: Readable.from([suite.inRelease]) };
      const address = `${suite.address}/dists/${rest}`;
      return (await open(address, passed(asked))) ?? { url: address, status: 404, headers: {}, body: Readable.from([]) };
    },
    async after(url, asked) {
      for (const [base, { addresses }] of mirrors) {
        const rest = url.href.startsWith(`${base}/`) ? url.href.slice(base.length) : undefined;
        if (rest === undefined || rest.startsWith('/dists/')) continue;
        for (const address of addresses) {
          const answer = await open(address + rest, passed(asked));
          if (answer !== undefined) return answer;
        }
      }
      return undefined;
    },
    fault: () => fault,
  };
}

/** What a Release file says that it is of. Its signature is checked by whoever uses it. */
function archiveOf(release: string): Parameters<ArchiveAt>[0] | undefined {
  const label = field(release, 'Label');
  if (!/^Debian(?: Backports)?$/.test(field(release, 'Origin'))) return undefined;
  return label === 'Debian-Security' ? 'debian-security' : label === 'Debian' || label === 'Debian Backports' ? 'debian' : undefined;
}

function archiveOfPath(base: string): Parameters<ArchiveAt>[0] | undefined {
  return base.endsWith('/debian-security') ? 'debian-security' : base.endsWith('/debian') ? 'debian' : undefined;
}

/** Milliseconds since 1970; NaN, which is no earlier than anything, where there is none. */
function dateOf(release: string): number {
  return Date.parse(field(release, 'Date'));
}

function field(release: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*([^\\r\\n]{1,100})`, 'm').exec(release.slice(0, 4096))?.[1]?.trim() ?? '';
}

async function whole(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > IN_RELEASE_BYTES_MAX) throw new Error('a Release file is too large');
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function chosen(headers: Headers): Record<string, string> {
  const pairs = ANSWER_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(pairs);
}

function passed(asked: Asked): Record<string, string> {
  return Object.fromEntries(ASK_HEADERS.flatMap((name) => (typeof asked[name] === 'string' ? [[name, asked[name]] as const] : [])));
}
