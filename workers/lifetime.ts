import type { Logger } from 'pino';
import type { Running } from './running.ts';

/** The whole of a shutdown: docker and systemd kill after ten seconds or more. */
const SHUTDOWN_MILLISECONDS = 9_500;

/**
 * Runs until SIGTERM or SIGINT, or until standard input ends where this is a child that lives no longer than its parent. Then
 * everything started is closed, the last first, and the process ends with 0; with 1 where that takes too long.
 */
export function untilStopped(started: Running[], log: Logger, { child }: { child: boolean }): void {
  let stopping = false;
  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.error('stopping takes too long');
      process.exit(1);
    }, SHUTDOWN_MILLISECONDS).unref();
    let code = 0;
    for (const running of started.toReversed()) {
      await running.close().catch((error: unknown) => {
        code = 1;
        log.error({ err: error }, 'while stopping');
      });
    }
    log.info('stopped');
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  if (!child) return;
  process.stdin.on('close', () => void stop('the parent ended'));
  process.stdin.resume();
}

/** Several things that are closed at the same time. */
export function together(all: readonly Running[]): Running {
  return {
    async close() {
      const outcomes = await Promise.allSettled(all.map((one) => one.close()));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}
