import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from './limits.ts';

/** Control groups for one job, where this process may make them: as root, or in a delegated tree. */
export type Cgroup = {
  /** Goes before a command so that it runs inside. */
  enter: string[];
  /**
   * The limit that was met: the kernel killed a process for memory (however the program ended: a killed step can pass for a
   * good one), or refused to start one and the program then failed.
   */
  limitHit(succeeded: boolean): Promise<'memory' | 'processes' | undefined>;
  remove(): Promise<void>;
};

const MOUNT = '/sys/fs/cgroup';
const NONE: Cgroup = { enter: [], limitHit: async () => undefined, remove: async () => undefined };

/**
 * A memory and a pids group under this process's own (version 1) or at the top (version 2, where a group that has processes
 * can have no children with controllers). Without the right to make them there is the watch of watch-limits.ts alone.
 */
export async function joinCgroup(jobFolder: string, limits: Limits): Promise<Cgroup> {
  const name = nameOf(jobFolder);
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const memory = controllerPath(own, 'memory');
  const pids = controllerPath(own, 'pids');
  const unified =
    memory === undefined && (await readFile(join(MOUNT, 'cgroup.subtree_control'), 'utf8').catch(() => '')).includes('memory');
  const wanted: Group[] = unified
    ? [{ folder: join(MOUNT, name), values: { 'memory.max': limits.memoryBytes, 'memory.swap.max': 0, 'pids.max': limits.processes } }]
    : [
        ...(memory === undefined
          ? []
          : [{ folder: join(MOUNT, 'memory', memory, name), values: { 'memory.limit_in_bytes': limits.memoryBytes } }]),
        ...(pids === undefined ? [] : [{ folder: join(MOUNT, 'pids', pids, name), values: { 'pids.max': limits.processes } }]),
      ];
  const made: Group[] = [];
  for (const group of wanted) if (await make(group)) made.push(group);
  if (made.length === 0) return NONE;
  const joins = made.map(({ folder }) => `echo $$ > '${folder}/cgroup.procs'`);
  return {
    // The last command of the list replaces the shell, so that the signal for a dead parent stays with the process.
    enter: ['sh', '-c', `${joins.join('; ')}; exec setpriv --pdeathsig=KILL "$@"`, 'sh'],
    async limitHit(succeeded) {
      const read = async (file: string): Promise<string> =>
        (await Promise.all(made.map(({ folder }) => readFile(join(folder, file), 'utf8').catch(() => '')))).join('\n');
      const [memoryEvents, oomControl, pidsEvents] = await Promise.all(['memory.events', 'memory.oom_control', 'pids.events'].map(read));
      if (/^oom_kill [1-9]/m.test(`${memoryEvents}\n${oomControl}`)) return 'memory';
      return !succeeded && /^max [1-9]/m.test(pidsEvents ?? '') ? 'processes' : undefined;
    },
    async remove() {
      for (const { folder } of made) await removeGroup(folder);
    },
  };
}

/** A group is made an instant before its first process joins it. */
const YOUNG_MS = 60_000;

/** Removes groups that nobody uses any more, whatever job they were for. A group that has processes cannot be removed. */
export async function sweepCgroups(): Promise<void> {
  for (const parent of await parents()) {
    const names = await readdir(parent).catch(() => []);
    for (const name of names.filter((entry) => entry.startsWith('conforme-job-'))) {
      const made = await stat(join(parent, name)).catch(() => undefined);
      if (made !== undefined && Date.now() - made.mtimeMs > YOUNG_MS) await rmdir(join(parent, name)).catch(() => undefined);
    }
  }
}

/** Removes what a killed worker left of one job. */
export async function removeCgroupsOf(jobFolder: string): Promise<void> {
  for (const parent of await parents()) await rmdir(join(parent, nameOf(jobFolder))).catch(() => undefined);
}

async function parents(): Promise<string[]> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const found = ['memory', 'pids'].flatMap((controller) => {
    const path = controllerPath(own, controller);
    return path === undefined ? [] : [join(MOUNT, controller, path)];
  });
  return [MOUNT, ...found];
}

function nameOf(jobFolder: string): string {
  return `conforme-${basename(jobFolder)}`;
}

type Group = { folder: string; values: Record<string, number> };

async function make({ folder, values }: Group): Promise<boolean> {
  try {
    await mkdir(folder);
  } catch {
    return false;
  }
  try {
    for (const [file, value] of Object.entries(values)) {
      // Some kernels count no swap; every other value has to hold.
      await writeFile(join(folder, file), String(value)).catch((error: unknown) => {
        if (!file.includes('swap')) throw error;
      });
    }
    return true;
  } catch {
    await removeGroup(folder);
    return false;
  }
}

async function removeGroup(folder: string): Promise<void> {
  // The last process can be gone for its parent and still be leaving its group.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      return await rmdir(folder);
    } catch {
      await sleep(50);
    }
  }
}

function controllerPath(own: string, controller: string): string | undefined {
  for (const line of own.split('\n')) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers.split(',').includes(controller)) return path;
  }
  return undefined;
}
