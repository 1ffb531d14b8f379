import { readdir, readFile, statfs } from 'node:fs/promises';
import type { Job } from './jobs.ts';
import type { Limit, Limits } from './limits.ts';

const TICK_MS = 200;
const DISK_TICK_MS = 1000;
/** A machine whose disk is full stops more than this job. */
const DISK_RESERVE_BYTES = 256 * 1024 ** 2;
/** No honest build makes more files than this; every one of them costs an inode that a file system may have made once for all. */
const FILES_MAX = 2_000_000;

/**
 * Looks at a running environment from outside. Unprivileged there is no other way for disk, and none for memory but a
 * cgroup where one is writable; a fork bomb is held by RLIMIT_NPROC until it is seen here.
 */
export function watchLimits(watched: {
  job: Job;
  limits: Limits;
  /** The first process, once the environment has a /proc of its own. */
  pid: () => number | undefined;
  /** Folders inside that lie in memory; a full one is a full disk. */
  folders: string[];
  hit: (limit: Limit) => void;
}): { stop(): void } {
  const { job, limits, pid, folders, hit } = watched;
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;
  const repeat = (milliseconds: number, look: () => Promise<void>): void => {
    const next = async (): Promise<void> => {
      const begun = performance.now();
      await look().catch(() => undefined); // processes and folders come and go while they are looked at
      // A look that takes long is made less often.
      if (!stopped) schedule(Math.max(milliseconds, 4 * (performance.now() - begun)), next);
    };
    schedule(milliseconds, next);
  };
  const schedule = (milliseconds: number, what: () => unknown): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      void what();
    }, milliseconds);
    timers.add(timer);
  };

  schedule(limits.seconds * 1000, () => hit('seconds'));
  repeat(TICK_MS, async () => {
    const first = pid();
    if (first === undefined) return;
    const { memory, threads } = await usageOf(first);
    if (threads >= limits.processes) hit('processes');
    if (memory > limits.memoryBytes) hit('memory');
    for (const folder of folders) {
      const { bavail, ffree } = await statfs(`/proc/${first}/root${folder}`);
      if (bavail === 0 || ffree === 0) hit('disk');
    }
  });
  const before = statfs(job.folder);
  let lastFree: number | undefined;
  let lastLook = 0;
  repeat(TICK_MS, async () => {
    const [start, now] = await Promise.all([before, statfs(job.folder)]);
    const free = now.bavail * now.bsize;
    lastFree ??= start.bavail * start.bsize;
    const urgent = lastFree - free > limits.diskBytes / 4 || free < DISK_RESERVE_BYTES;
    if (start.ffree - now.ffree > FILES_MAX) return hit('disk');
    if (!urgent && performance.now() - lastLook < DISK_TICK_MS) return;
    lastFree = free;
    lastLook = performance.now();
    if ((await job.usage()) > limits.diskBytes) hit('disk');
  });
  return {
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** Sums over all processes of the pid namespace whose first process this is, read from that namespace's own /proc. */
async function usageOf(first: number): Promise<{ memory: number; threads: number }> {
  const proc = `/proc/${first}/root/proc`;
  let memory = 0;
  let threads = 0;
  for (const name of await readdir(proc)) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`${proc}/${name}/status`, 'utf8').catch(() => '');
    // Not RssShmem: programs and libraries that lie in a folder in memory are mapped as such, once for each process.
    memory += 1024 * (field(status, 'RssAnon') + field(status, 'VmSwap'));
    threads += field(status, 'Threads');
  }
  return { memory, threads };
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}
