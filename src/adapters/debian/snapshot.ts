import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import { parseSnapshotTime, type SnapshotTime } from '../../model/snapshot-time.ts';
import type { Clock } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import type { Keyring } from './keyring.ts';
import type { Mirror } from './mirror.ts';
import { verifyRelease } from './release.ts';
import type { SuiteRequest } from './releases.ts';
import { type ArchiveName, snapshotAddress } from './snapshot-address.ts';
import { bodyOf, INRELEASE_BYTES_MAX, type Suite, suiteAt, writeWhole } from './suite.ts';

/** An archive of snapshots, in the layout of snapshot.debian.org. Nothing of it is believed but what pinned keys have signed. */
export type Snapshot = {
  /**
   * A suite as of a time, from the nearest snapshot before it. Undefined where there is none; `untrusted` where no pinned key has
   * signed what is there. Throws `archive-unavailable`.
   */
  openSuite(request: SuiteRequest, time: SnapshotTime): Promise<Suite | 'untrusted' | undefined>;
  /** Whether it answers programs; a plain copy of its files does not. Throws `archive-unavailable`. */
  hasApi(): Promise<boolean>;
  /** When files of a package in exactly this version were first in an archive. Throws `archive-unavailable`. */
  firstSeen(one: { name: string; version: string; architecture: string }): Promise<FirstSeen[]>;
};

export type FirstSeen = { role: SuiteRequest['role']; time: SnapshotTime };

export type SnapshotPorts = { mirror: Mirror; keyring: Keyring; cacheDir: string; now: Clock };

/** An answer as it is kept; without one it was that there is none. */
type Kept<T> = { at: number; answer?: T };

/** Milliseconds. Packages of third parties are asked for each time an image has them, and are never there. */
const ABSENT_MS = 24 * 60 * 60 * 1000;
/** Names of the archives, by what the project calls them. */
const ARCHIVES: Record<SuiteRequest['role'], ArchiveName> = { archive: 'debian', security: 'debian-security' };
/** Bytes; a version with a file for each architecture has some 5 kB. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/**
 * `url` is CONFORME_SNAPSHOT_URL. Every answer is kept for ever: what a snapshot holds does not change. What a snapshot archive does
 * not have (yet) is asked for again a day later. `pools`: addresses of mirrors that may still have a .deb which their indexes no longer name.
 */
export function makeSnapshot(ports: SnapshotPorts, url: string, pools: Record<SuiteRequest['role'], readonly string[]>): Snapshot {
  const { mirror, keyring, now } = ports;
  const base = url.replace(/\/+$/, '');
  const kept = async <T>(key: unknown, make: () => Promise<T | undefined>): Promise<T | undefined> => {
    const file = join(ports.cacheDir, 'snapshot', `${hexOf(digestOf(canonicalJson(key)))}.json`);
    const known = await readFile(file, 'utf8').then(
      (text) => JSON.parse(text) as Kept<T>,
      () => undefined,
    );
    if (known?.answer !== undefined) return known.answer;
    const age = now().getTime() - (known?.at ?? Number.NaN);
    if (age >= 0 && age < ABSENT_MS) return undefined;
    const answer = await make();
    await writeWhole(file, JSON.stringify({ at: now().getTime(), ...(answer === undefined ? {} : { answer }) } satisfies Kept<T>));
    return answer;
  };
  return {
    async openSuite(request, time) {
      const archive = ARCHIVES[request.role];
      const keys = (await Promise.all(request.keyrings.map((name) => keyring.keys(name)))).flat();
      const asked = `${snapshotAddress(base, archive, time)}/dists/${request.suite}/InRelease`;
      const trusted = async ({ text, time: found }: InRelease): Promise<Suite> => {
        const then = { ...request, id: `${request.id} ${found}` };
        const release = await verifyRelease(Buffer.from(text, 'latin1'), then, keys, now(), { url: base, time: found });
        const address = snapshotAddress(base, archive, found);
        return suiteAt(then, release, address, [...pools[request.role], address]);
      };
      try {
        const inRelease = await kept(['InRelease', asked], async () => {
          const fetched = await fetchInRelease(mirror, asked, time);
          if (fetched !== undefined) await trusted(fetched); // what is not signed is not kept
          return fetched;
        });
        return inRelease === undefined ? undefined : await trusted(inRelease);
      } catch (error) {
        if (error instanceof Problem && error.code === 'archive-untrusted') return 'untrusted';
        throw error;
      }
    },
    async hasApi() {
      const asked = `${base}/mr/binary/dpkg/`;
      const json = await kept(['api', asked], () =>
        mirror.get(asked, async (response) => (await bodyOf(response, ANSWER_BYTES_MAX)).toString('utf8')),
      );
      return json !== undefined && /"result"/.test(json);
    },
    async firstSeen({ name, version, architecture }) {
      const asked = `${base}/mr/binary/${encodeURIComponent(name)}/${encodeURIComponent(version)}/binfiles?fileinfo=1`;
      const answer = await kept(['binfiles', asked, architecture], async () => {
        const json = await mirror.get(asked, async (response) => (await bodyOf(response, ANSWER_BYTES_MAX)).toString('utf8'));
        const seen = json === undefined ? [] : readBinfiles(json, architecture);
        return seen.length === 0 ? undefined : seen;
      });
      return answer ?? [];
    },
  };
}

/** As fetched, bytes as latin1, and the snapshot that the archive led to. */
type InRelease = { text: string; time: SnapshotTime };

function fetchInRelease(mirror: Mirror, asked: string, time: SnapshotTime): Promise<InRelease | undefined> {
  return mirror.get(asked, async (response) => {
    // A time between two snapshots is redirected to the one before; a plain copy of a snapshot archive does not redirect.
    const [, led] = /\/(\d{8}T\d{6}Z)\/dists\//.exec(new URL(response.url || asked).pathname) ?? [];
    return { text: (await bodyOf(response, INRELEASE_BYTES_MAX)).toString('latin1'), time: led ?? time };
  });
}

/** `/mr/binary/<name>/<version>/binfiles?fileinfo=1`; what has another form is passed over: it only says where to look. */
function readBinfiles(json: string, architecture: string): FirstSeen[] {
  const seen = new Map<string, FirstSeen>();
  try {
    const { result, fileinfo } = JSON.parse(json) as {
      result: { hash: string; architecture: string }[];
      fileinfo: Record<string, { archive_name: string; first_seen: string }[]>;
    };
    const infos = new Map(Object.entries(fileinfo));
    for (const file of result) {
      if (file.architecture !== architecture) continue;
      for (const { archive_name: archive, first_seen: time } of infos.get(file.hash) ?? []) {
        const role = archive === ARCHIVES.archive ? 'archive' : archive === ARCHIVES.security ? 'security' : undefined;
        if (role !== undefined && !Number.isNaN(parseSnapshotTime(time))) seen.set(`${role} ${time}`, { role, time });
      }
    }
  } catch {
    // no answer of that form
  }
  return [...seen.values()];
}
