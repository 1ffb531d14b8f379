import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunConfined } from '../../ports-explain.ts';
import { runInEnvironment } from './environment.ts';
import { createJob } from './jobs.ts';
import type { Limits } from './limits.ts';
import { logLines } from './log.ts';
import type { SubordinateIds } from './subids.ts';

/** Bytes. What a program unpacks of a file lies there, in memory: a bomb meets this limit within a second. */
const ROOM_BYTES = 256 * 1024 ** 2;

/** For programs that look at files and build nothing. */
export const CONFINED_LIMITS: Omit<Limits, 'seconds'> = {
  memoryBytes: 1024 ** 3,
  diskBytes: 256 * 1024 ** 2,
  processes: 64,
  logBytes: 1024 ** 2,
};

export function makeRunConfined({
  folder,
  ids,
  limits = CONFINED_LIMITS,
}: {
  folder: string;
  ids: SubordinateIds;
  limits?: Omit<Limits, 'seconds'>;
}): RunConfined {
  return async ({ command, files, seconds, answerBytesMax, signal }) => {
    const job = await createJob(folder, ids);
    const log = logLines(() => undefined);
    try {
      const out = await job.innerFolder('out');
      const ended = await runInEnvironment({
        job,
        limits: { ...limits, seconds },
        command: [...command],
        mounts: [
          ...files.map((file) => ({ access: 'read' as const, ...file })),
          { access: 'memory', bytes: ROOM_BYTES, to: '/job/tmp' },
          { access: 'write', from: out, to: '/job/out' },
        ],
        onOutput: log.write,
        ...(signal && { signal }),
      });
      log.end();
      const answer = await readAnswer(join(out, 'answer'), answerBytesMax);
      return {
        ended: ended.kind,
        ...(ended.kind === 'exit' ? { code: ended.code } : {}),
        ...(answer === undefined ? {} : { answer }),
        lastLog: ended.kind === 'limit' ? [...log.tail(), `the limit on ${ended.limit} was met`] : log.tail(),
      };
    } finally {
      await job.remove();
    }
  };
}

/** What was written in there may be anything, also a link or a pipe. */
async function readAnswer(path: string, bytesMax: number): Promise<Buffer | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const facts = await file.stat();
    return facts.isFile() && facts.size <= bytesMax ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
