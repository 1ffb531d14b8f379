import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenScratch } from '../../ports-explain.ts';
import { createJob } from './jobs.ts';
import type { SubordinateIds } from './subids.ts';

/** Folders like those of builds, so that what a killed worker leaves is swept with them. Inside, files are numbered. */
export function makeScratch({ folder, ids }: { folder: string; ids: SubordinateIds }): OpenScratch {
  return async () => {
    const job = await createJob(folder, ids);
    let count = 0;
    return {
      async put(bytes) {
        const file = join(job.folder, String(count));
        count += 1;
        await writeFile(file, bytes);
        // Nobody else gets into the folder; the clean environment, which is another user, is handed the file itself.
        await chmod(file, 0o644);
        return file;
      },
      read: (file) => readFile(file),
      done: job.remove,
    };
  };
}
