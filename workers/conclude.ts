import { conclude, type ConcludePorts } from '../src/pipeline.ts';
import type { Consume } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';
import { announceEnd, type EndPorts, isAway, recordFailure, recordsWithDelivery } from './end.ts';
import type { Running } from './running.ts';
import { resultOf, verificationOf } from './task.ts';

/** Holds the key and the database and runs nothing that came from an image: judges, signs and stores, or records why there is no verdict. */
export function runConclude(ports: ConcludePorts & EndPorts, consume: Consume): Running {
  return consume('conclude', async (task) => {
    const job = verificationOf(task);
    if (task.problem !== undefined) {
      await recordFailure(ports, job, task.problem);
    } else {
      try {
        const { reinstall } = task.results;
        const inputs = {
          published: resultOf(task, 'published'),
          rebuild: resultOf(task, 'rebuild'),
          evidence: resultOf(task, 'evidence'),
          ...(reinstall === undefined ? {} : { reinstall }),
        };
        await conclude({ ...ports, records: recordsWithDelivery(ports, job) }, job, inputs);
      } catch (thrown) {
        const problem = Problem.from(thrown);
        if (task.retries(problem) || isAway(problem.code)) throw thrown;
        await recordFailure(ports, job, problem.toDocument());
      }
    }
    await announceEnd(ports, job);
    return {};
  });
}
