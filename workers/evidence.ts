import { type EvidencePorts, gatherEvidence } from '../src/pipeline.ts';
import type { Consume } from '../src/ports.ts';
import type { Running } from './running.ts';
import { resultOf, verificationOf } from './task.ts';

/**
 * How often a job is tried while the archive of snapshots fails. It is one public service that limits its callers, and some
 * installations have no way out to it: a disturbance is waited out, and then the verdict says what could not be looked up.
 */
const SNAPSHOT_TRIES = 4;

/** Asks the Debian archive about what the image says it holds. Waits for the network mostly: two go side by side. */
export function runEvidence(ports: EvidencePorts, consume: Consume): Running {
  return consume(
    'evidence',
    async (task) => {
      const lastTry = task.attempt >= SNAPSHOT_TRIES;
      const evidence = await gatherEvidence(ports, verificationOf(task), resultOf(task, 'published'), lastTry);
      return { ...task.results, evidence };
    },
    { concurrency: 2 },
  );
}
