import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';

const TAKEN = 9; // exit code of our choice, none that flock(1) has itself

/**
 * Takes `folder` for this process; the answer gives it back. The lock is flock(2)'s, on an open file that flock(1) of util-linux is
 * handed for a moment because Node has no call for it: the kernel drops it with the process, however that ends, and it holds
 * between containers that share the folder.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = await open(join(folder, 'lock'), 'a+', 0o600);
  try {
    const flock = spawn('flock', ['--nonblock', '--conflict-exit-code', String(TAKEN), '3'], {
      stdio: ['ignore', 'ignore', 'ignore', file.fd],
    });
    const [code] = (await once(flock, 'exit')) as [number | null];
    if (code === TAKEN) {
      const owner = (await file.readFile('latin1')).trim();
      throw new Problem(
        'environment-missing',
        `${folder} is in use${/^\d+$/.test(owner) ? ` by process ${owner}` : ''}: one process may have it open`,
      );
    }
    if (code !== 0) throw new Error(`flock ended with ${String(code)}`);
    await file.truncate();
    await file.writeFile(`${process.pid}\n`);
    return () => file.close();
  } catch (thrown) {
    await file.close();
    throw thrown instanceof Problem ? thrown : new Problem('environment-missing', `${folder} cannot be locked`, { cause: thrown });
  }
}
