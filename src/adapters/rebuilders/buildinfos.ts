import { buildinfoPaths, debsOfBuildinfo } from '../../model/buildinfo.ts';
import type { Digest } from '../../model/digest.ts';
import type { AskBuildinfos, Blobs, Clock } from '../../ports.ts';
import { makeAsking, PATIENCE_MS } from './asking.ts';
import { courteously } from './courteous.ts';
import { type Fetch, getBounded } from './http.ts';

export type BuildinfosPorts = {
  fetch: Fetch;
  blobs: Blobs;
  /** Of the pool, without a slash at the end. */
  url: string;
  now?: Clock;
  patience?: number;
};

/** A record lists every package of the build environment: 30 kB mostly, some hundred at most. */
const BUILDINFO_BYTES_MAX = 2 * 1024 * 1024;
/** Packages of one source: kernels and TeX have some hundred. */
const NAMED_MAX = 500;

/** A pool of build records, `<p>/<source>/<source>_<version>_<architecture>.buildinfo`. One that names the .deb is kept for ever. */
export function makeAskBuildinfos({ fetch, blobs, url, now = () => new Date(), patience = PATIENCE_MS }: BuildinfosPorts): AskBuildinfos {
  const nameOf = (deb: Digest): string => `buildinfo/v1/${deb}`;
  const ask = courteously<{ buildinfo?: Digest }>({
    now,
    unavailable: {},
    async recall(deb) {
      const buildinfo = await blobs.resolve(nameOf(deb));
      return buildinfo !== undefined && debsOf(await blobs.read(buildinfo)).includes(deb) ? { buildinfo } : undefined;
    },
    async ask(one, deb, signal) {
      for (const path of buildinfoPaths(one)) {
        const bytes = await getBounded(fetch, `${url}/${path.split('/').map(encodeURIComponent).join('/')}`, BUILDINFO_BYTES_MAX, signal);
        const named = bytes === undefined ? [] : debsOf(bytes);
        if (bytes === undefined || !named.includes(deb)) continue;
        const { digest } = await blobs.put([bytes]);
        // The other packages of the same build need not ask.
        for (const each of new Set([deb, ...named.slice(0, NAMED_MAX)])) await blobs.link(nameOf(each), digest);
        return { buildinfo: digest };
      }
      return {};
    },
  });
  return () =>
    makeAsking(
      ask,
      (answered) => ({
        archive: url,
        debs: answered.flatMap(({ deb, answer: { buildinfo } }) => (buildinfo === undefined ? [] : [{ deb, buildinfo }])),
      }),
      patience,
    );
}

function debsOf(bytes: Buffer): Digest[] {
  return debsOfBuildinfo(bytes.toString());
}
