import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';

/**
 * The text of a file that only we may read, made where there is none. Nobody ever reads half of it, and of two processes that make
 * it at once the first one's stays. Throws `environment-missing` where it cannot be read.
 */
export async function readOrMake(
  folder: string,
  name: string,
  make: () => Promise<string>,
): Promise<{ text: string; path: string; made: boolean }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  const found = await readIfThere(path);
  if (found !== undefined) return { text: found, path, made: false };
  const fresh = await writeNewFile(folder, await make());
  try {
    await link(fresh, path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    return { text: await readFile(path, 'utf8'), path, made: false };
  } finally {
    await rm(fresh, { force: true });
  }
  return { text: await readFile(path, 'utf8'), path, made: true };
}

/** Of a file that the operator made. Throws `environment-missing` where there is none or it cannot be read. */
export async function readSecret(path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text === undefined) throw new Problem('environment-missing', `${path} does not exist`);
  return text.trim();
}

/** Mode 0600, and on the disk before it gets its name. */
async function writeNewFile(folder: string, text: string): Promise<string> {
  const path = join(folder, `.new-${randomUUID()}`);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Problem('environment-missing', `${path} cannot be read`, { cause: thrown });
  }
}
