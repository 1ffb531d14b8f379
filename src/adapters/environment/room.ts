import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import type { Limits } from './limits.ts';
import type { Mount } from './environment.ts';

/** Less than this is not worth a try: a base image alone may need it. */
const ROOM_MIN_BYTES = 1024 ** 3;

/**
 * Where the environment's storage lies: in memory where there is plenty of it (ten thousand small files are made in a tenth of the
 * time, and nothing of it can be left behind), then on disk. `last` tells that there is nothing to try after it.
 */
export async function storageChoices(
  limits: Limits,
  onDisk: () => Promise<string>,
  onDiskOnly = false,
): Promise<{ kind: 'memory' | 'disk'; mount: () => Promise<Mount>; last: boolean }[]> {
  const to = '/job/storage';
  const disk = { kind: 'disk' as const, mount: async (): Promise<Mount> => ({ access: 'write', from: await onDisk(), to }), last: true };
  if (onDiskOnly) return [disk];
  // tmpfs keeps user.* attributes, which an unprivileged overlay needs, from Linux 6.6 on.
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 6)) return [disk];
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const available = 1024 * Number(/^MemAvailable:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  // Half of what the programs leave: other builds may be about to make the same choice.
  const bytes = Math.floor(Math.min(limits.diskBytes, (available - limits.memoryBytes) / 2));
  if (bytes < Math.min(ROOM_MIN_BYTES, limits.diskBytes)) return [disk];
  const last = bytes >= limits.diskBytes;
  const memory = { kind: 'memory' as const, mount: async (): Promise<Mount> => ({ access: 'memory', bytes, to }), last };
  return last ? [memory] : [memory, disk];
}
