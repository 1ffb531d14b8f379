import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import { removeCgroupsOf } from './cgroup.ts';
import { mapOwnAndSubordinate, type SubordinateIds } from './subids.ts';

/** The folder of one job: everything it ever writes. */
export type Job = {
  folder: string;
  ids: SubordinateIds;
  /** A folder of the job that belongs to the root of the clean environment. */
  innerFolder(name: string): Promise<string>;
  /** Bytes on disk. */
  usage(): Promise<number>;
  remove(): Promise<void>;
};

const OWNER_FILE = 'owner.json';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Who works in a folder. A process number comes again, its start time within one boot does not. */
type Owner = { pid: number; started: string; boot: string };

export async function createJob(parent: string, ids: SubordinateIds): Promise<Job> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(parent, 'job-'));
  await writeFile(join(folder, OWNER_FILE), JSON.stringify(await describeProcess(process.pid)));
  await mkdir(join(folder, 'root'));
  return {
    folder,
    ids,
    async innerFolder(name) {
      const path = join(folder, name);
      await mkdir(path);
      await asOuterRoot(ids, ['chown', '1:1', path]);
      return path;
    },
    async usage() {
      const text = await asOuterRoot(ids, ['du', '--summarize', '--one-file-system', '--block-size=1', folder], true);
      return Number.parseInt(text, 10) || 0;
    },
    remove: () => removeFolder(ids, folder),
  };
}

/** Removes the folders of jobs whose process is no longer there. Safe beside other workers with the same parent. */
export async function sweepJobs(parent: string, ids: SubordinateIds): Promise<number> {
  const names = await readdir(parent).catch(() => []);
  let removed = 0;
  for (const name of names.filter((entry) => entry.startsWith('job-'))) {
    const folder = join(parent, name);
    if (await isOwned(folder)) continue;
    await killProcessesOf(folder);
    await removeCgroupsOf(folder);
    await removeFolder(ids, folder);
    removed += 1;
  }
  return removed;
}

/**
 * Every process of a job dies with its worker but one: where unshare is killed before it has its ids mapped, its helper waits on.
 * It is known by the job's folder among its arguments.
 */
async function killProcessesOf(folder: string): Promise<void> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [program, ...words] = text.split('\0');
    if (program !== 'unshare' || !words.some((word) => word === folder || word.startsWith(`${folder}/`))) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
}

async function isOwned(folder: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8')) as Owner;
    const now = await describeProcess(owner.pid);
    return now.started === owner.started && now.boot === owner.boot;
  } catch {
    return false;
  }
}

async function describeProcess(pid: number): Promise<Owner> {
  const [stat, boot] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
  // proc(5): field 22; the second field may hold spaces and brackets.
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return { pid, started, boot: boot.trim() };
}

async function removeFolder(ids: SubordinateIds, folder: string): Promise<void> {
  await asOuterRoot(ids, ['rm', '--recursive', '--force', '--one-file-system', '--', folder]);
}

/** Runs a program of the machine with rights over the service's own and its subordinate ids, and nothing else. */
async function asOuterRoot(ids: SubordinateIds, command: string[], mayFail = false): Promise<string> {
  const child = spawn('setpriv', ['--pdeathsig=KILL', 'unshare', ...mapOwnAndSubordinate(ids), '--', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, LC_ALL: 'C' },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  const [code] = (await once(child, 'close').catch((cause: unknown) => {
    throw new Problem('environment-missing', 'setpriv and unshare (util-linux) are needed', { cause });
  })) as [number | null];
  // A tree that changes while du walks it makes du fail after it has printed its sum.
  if (code !== 0 && !mayFail) throw new Problem('environment-missing', `${command[0]} failed in the helper namespace: ${errors.trim()}`);
  return output;
}
