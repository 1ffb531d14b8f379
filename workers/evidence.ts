import { type EvidencePorts, gatherEvidence } from '../src/pipeline.ts';
import type { Consume } from '../src/ports.ts';
import type { Running } from './running.ts';
import { resultOf, verificationOf } from './task.ts';

/** Asks the Debian archive about what the image says it holds. Waits for the network mostly: two go side by side. */
export function runEvidence(ports: EvidencePorts, consume: Consume): Running {
  return consume(
    'evidence',
    async (task) => {
      const evidence = await gatherEvidence(ports, verificationOf(task), resultOf(task, 'published'));
      return { ...task.results, evidence };
    },
    { concurrency: 2 },
  );
}
