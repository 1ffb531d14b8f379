import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem } from '../../problem.ts';
import { joinCgroup } from './cgroup.ts';
import type { Job } from './jobs.ts';
import type { Limit, Limits } from './limits.ts';
import { watchLimits } from './watch-limits.ts';
import { mapOwnAndSubordinate } from './subids.ts';

/** What is seen inside: a folder or file of the machine, or an empty folder in memory. */
export type Mount = { access: 'read' | 'write'; from: string; to: string } | { access: 'memory'; bytes: number; to: string };

export type EnvironmentOrder = {
  job: Job;
  command: string[];
  mounts: Mount[];
  limits: Limits;
  /** What the program is fed; nothing by default. */
  stdin?: Readable;
  /** Its output and errors, in the order they came. */
  onOutput: (chunk: Buffer) => void;
  /** Lines that the program writes to file descriptor 4. */
  onEvent?: (line: string) => void;
  /** Connections to 127.0.0.1:3128 inside; without it, nothing listens there. */
  onConnection?: (socket: Socket) => void;
  /** Name of the machine inside: `localhost` by default. */
  hostName?: string;
  /** Numbers of the processors that programs may use: sched_setaffinity(2). All that the service has by default. */
  processors?: readonly number[];
  signal?: AbortSignal;
};

/** How the program ended: by itself, or by a limit. */
export type Ended = { kind: 'exit'; code: number } | { kind: 'limit'; limit: Limit };

/** Where the proxy answers inside of the environment. */
export const PROXY_PORT = 3128;

// The hard limits stand a little above what the watch looks for, so that going over is seen and named, not only refused.
const PROCESSES_SLACK = 64;
const FILE_SLACK_BYTES = 1024 ** 3;

// Listens inside of the network namespace and hands the socket to the worker, which accepts from it directly.
const LISTENER = `require('node:net').createServer().listen(${PROXY_PORT}, '127.0.0.1', function () { process.send('', this, () => process.exit(0)) })`;
const SCRIPT = join(import.meta.dirname, 'environment.sh');
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a program where there is nothing but what it is given: see environment.sh. When this returns or throws, every
 * process, mount and namespace of it is gone. They also go when the worker is killed: each stage dies with its parent.
 */
export async function runInEnvironment(order: EnvironmentOrder): Promise<Ended> {
  order.signal?.throwIfAborted();
  const { job, limits } = order;
  const mounts = order.mounts.flatMap((mount) => [mount.access, mount.access === 'memory' ? String(mount.bytes) : mount.from, mount.to]);
  const inMemory = order.mounts.filter((mount) => mount.access === 'memory');
  const bytesInMemory = inMemory.reduce((sum, { bytes }) => sum + bytes, 0);
  const cgroup = await joinCgroup(job.folder, { ...limits, memoryBytes: limits.memoryBytes + bytesInMemory });
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--ipc', '--uts', '--cgroup'];
  const script = [
    'sh',
    SCRIPT,
    join(job.folder, 'root'),
    String(limits.processes + PROCESSES_SLACK),
    String(limits.diskBytes + FILE_SLACK_BYTES),
    ...mounts,
    '--',
    ...order.command,
  ];
  const affinity = order.processors === undefined ? [] : ['taskset', '--cpu-list', order.processors.join()];
  const child = spawn(
    'setpriv',
    ['--pdeathsig=KILL', ...cgroup.enter, ...affinity, 'unshare', ...mapOwnAndSubordinate(job.ids), ...namespaces, '--', ...script],
    {
      // A process group of its own, for the moment in which there is nothing better to kill.
      detached: true,
      stdio: [order.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'ipc', 'pipe'],
      env: {
        PATH,
        HOME: '/root',
        LC_ALL: 'C.UTF-8',
        HOST_NAME: order.hostName ?? 'localhost',
        ...(order.onConnection && { LISTENER, NODE: process.execPath }),
      },
    },
  );
  const state: State = { child, built: false, started: false, pid: undefined, listener: undefined, limit: undefined, tail: '' };
  follow(state, order);
  const stop = (): void => kill(state);
  order.signal?.addEventListener('abort', stop);
  const hit = (limit: Limit): void => {
    state.limit ??= limit;
    stop();
  };
  const watch = watchLimits({ job, limits, pid: () => (state.built ? state.pid : undefined), folders: inMemory.map(({ to }) => to), hit });
  try {
    const fed = order.stdin === undefined ? undefined : pipeline(order.stdin, child.stdin!);
    fed?.catch(() => undefined); // a program that ends early closes its input; how it ended says more
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    state.limit ??= (await cgroup.limitHit(code === 0)) ?? (code === 0 ? undefined : complaint(state.tail));
    order.signal?.throwIfAborted();
    if (state.limit !== undefined) return { kind: 'limit', limit: state.limit };
    if (!state.started)
      throw new Problem('environment-missing', `the clean environment could not be made: ${state.tail.trim().slice(-500)}`);
    await fed?.catch(rethrowOwn);
    return { kind: 'exit', code: code ?? (signal === null ? 1 : 137) };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn')) {
      throw new Problem('environment-missing', 'setpriv and unshare (util-linux) are needed', { cause: error });
    }
    throw error;
  } finally {
    watch.stop();
    order.signal?.removeEventListener('abort', stop);
    state.listener?.close();
    kill(state);
    await cgroup.remove();
  }
}

type State = {
  child: ChildProcess;
  /** Its own root and /proc are there. */
  built: boolean;
  started: boolean;
  /** The first process of the environment, as the machine numbers it; its death is the death of all. */
  pid: number | undefined;
  listener: Server | undefined;
  limit: Limit | undefined;
  /** The end of its output. */
  tail: string;
};

function follow(state: State, order: EnvironmentOrder): void {
  const { child } = state;
  let bytes = 0;
  const output = (chunk: Buffer): void => {
    state.tail = (state.tail + chunk.toString('latin1')).slice(-4000);
    if (state.limit !== undefined) return;
    bytes += chunk.length;
    if (bytes > order.limits.logBytes) {
      state.limit = 'log';
      kill(state);
      return;
    }
    order.onOutput(chunk);
  };
  child.stdout?.on('data', output);
  child.stderr?.on('data', output);
  const events = createInterface({ input: child.stdio[4] as Readable });
  events.on('line', (line) => {
    if (line.startsWith('pid ') && state.pid === undefined) state.pid = Number(line.slice(4));
    else if (line === 'started') state.started = true;
    else if (line === 'built') state.built = true;
    else order.onEvent?.(line);
  });
  child.on('message', (_message, handle) => {
    state.listener = handle as Server;
    state.listener.on('connection', (socket) => order.onConnection?.(socket));
  });
}

/**
 * Kills the first process of the pid namespace; the kernel takes all others with it before the parent, which waits for it,
 * sees it end. Before its number is known nothing foreign runs, and the group is killed: unshare has a helper that would wait for it for ever.
 */
function kill(state: State): void {
  const { child, pid } = state;
  if (child.exitCode !== null || child.signalCode !== null) return;
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    else if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** A program that a hard limit stopped is often gone before the watch looks; its last words are left. */
function complaint(output: string): Limit | undefined {
  if (/no space left on device|disk quota exceeded/i.test(output)) return 'disk';
  return /(cannot|can't|unable to) fork|fork: (retry|resource temporarily)/i.test(output) ? 'processes' : undefined;
}

function rethrowOwn(error: unknown): void {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET') throw error;
}
