import type { Logger } from 'pino';
import type { Consume } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';

/** `consume` with a line at the beginning and the end of every job, each with the id of its verification or delivery. */
export function logged(consume: Consume, log: Logger): Consume {
  return (kind, work, options) =>
    consume(
      kind,
      async (task, signal) => {
        const job = log.child({ job: kind, [kind === 'deliver' ? 'delivery' : 'verification']: task.id });
        const started = performance.now();
        job.info('begun');
        try {
          const results = await work(task, signal);
          job.info({ milliseconds: Math.round(performance.now() - started) }, 'done');
          return results;
        } catch (thrown) {
          const problem = Problem.from(thrown);
          const again = signal.aborted || task.retries(problem);
          const milliseconds = Math.round(performance.now() - started);
          job.warn({ code: problem.code, detail: problem.message, again, milliseconds }, 'failed');
          throw thrown;
        }
      },
      options,
    );
}
