import { setTimeout as sleep } from 'node:timers/promises';
import { readTrackerData } from '../src/flow/security.ts';
import type { Blobs, Records, SecurityTracker } from '../src/ports.ts';
import { composeForWatches, type EndPorts } from './end.ts';
import type { Running } from './running.ts';

export type SecurityDataPorts = Pick<EndPorts, 'publicUrl' | 'now'> & {
  records: Pick<Records, 'securityData' | 'loadSecurityData' | 'tellOfSecurityData'>;
  blobs: Blobs;
  tracker: Pick<SecurityTracker, 'latest'>;
};

/** New data comes once an hour. */
const INTERVAL_MILLISECONDS = 60_000;

/** Beside the conclude role: what the evidence role fetched answers questions about images, and watches are told of it. */
export function runSecurityData(ports: SecurityDataPorts, onError: (error: unknown, context?: string) => void): Running {
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await updateSecurityData(ports).catch((thrown: unknown) => onError(thrown, 'security data'));
      await sleep(INTERVAL_MILLISECONDS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    async close() {
      stopping.abort();
      await running;
    },
  };
}

/** One turn. Several processes may do it at once. What is cut off is done again by the next turn. */
export async function updateSecurityData({ records, blobs, tracker, ...end }: SecurityDataPorts): Promise<void> {
  const document = await tracker.latest();
  if (document !== undefined && (await records.securityData())?.document !== document) {
    const data = await readTrackerData(blobs, document);
    await records.loadSecurityData({ ...data.tracker, document }, data.issues);
  }
  await records.tellOfSecurityData(composeForWatches(end));
}
