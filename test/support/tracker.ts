import { createHash } from 'node:crypto';
import { startServer } from './http.ts';

export type TrackerRelease = { status: string; fixed_version?: string; urgency?: string };
/** As the security tracker publishes it. */
export type TrackerDocument = Record<string, Record<string, { description?: string; releases: Record<string, TrackerRelease> }>>;

export type TestTracker = {
  url: string;
  /** What it answers; `status` other than 200 in place of it. */
  answer: { text: string; status?: number };
  /** Headers of each request. */
  asked: Record<string, string | string[] | undefined>[];
  stop(): Promise<void>;
};

/** A security tracker on loopback that knows conditional requests. */
export async function startTracker(document: TrackerDocument): Promise<TestTracker> {
  const asked: TestTracker['asked'] = [];
  const answer: TestTracker['answer'] = { text: JSON.stringify(document) };
  const server = await startServer((request, response) => {
    asked.push(request.headers);
    const etag = `"${createHash('sha256').update(answer.text).digest('hex')}"`;
    if (answer.status !== undefined) return void response.writeHead(answer.status).end();
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
    response.writeHead(200, { etag, 'content-type': 'application/json' }).end(answer.text);
  });
  let stopping: Promise<void> | undefined;
  return { url: `http://${server.host}/tracker/data/json`, answer, asked, stop: () => (stopping ??= server.stop()) };
}

const release = (status: string, fixed?: string, urgency = 'not yet assigned'): TrackerRelease => ({
  status,
  urgency,
  ...(fixed === undefined ? {} : { fixed_version: fixed }),
});

/** Two packages, and one of each thing that the tracker says. */
export const TRACKER_DOCUMENT: TrackerDocument = {
  openssl: {
    'CVE-2024-0001': {
      description: 'a "flaw"\n\\u0000 in \u2028 it',
      releases: { bookworm: release('resolved', '3.0.13-1~deb12u1', 'high'), trixie: release('resolved', '3.2.0-1') },
    },
    'CVE-2024-0002': { releases: { bookworm: release('resolved', '3.0.15-1~deb12u1', 'low**') } },
    'CVE-2024-0003': { releases: { bookworm: release('resolved', '0'), trixie: release('resolved', '0') } },
    'CVE-2024-0004': { releases: { bookworm: release('open', undefined, 'unimportant'), trixie: release('undetermined') } },
    'TEMP-0000001-ABCDEF': { releases: { bookworm: release('resolved', '3.0.13-1~deb12u1') } },
  },
  nginx: { 'CVE-2024-0001': { releases: { bookworm: release('resolved', '1.22.1-9+deb12u3', 'medium') } } },
};
