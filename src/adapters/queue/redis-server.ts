import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '../../problem.ts';

// unix(7): sun_path holds 108 bytes with the zero at the end.
const SOCKET_PATH_MAX = 107;
const START_MILLISECONDS = 15_000;

export type PrivateRedis = {
  /** For {@link makeQueue} and its kin. */
  address: string;
  /** Starts a server. It ends with this process, however that ends. */
  spawn(): ChildProcess;
  /** Throws `queue-unavailable` where it does not answer in time. */
  ready(): Promise<void>;
};

/** The embedded redis-server: on a Unix socket in `folder`, with its append-only file there, for this user alone. */
export async function privateRedis(folder: string): Promise<PrivateRedis> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const socket = join(folder, 'redis.sock');
  if (Buffer.byteLength(socket) > SOCKET_PATH_MAX)
    throw new Problem(
      'invalid-configuration',
      `CONFORME_DATA_DIR: ${socket} is longer than the ${SOCKET_PATH_MAX} bytes a socket's path may have`,
    );
  // One left behind by a process that was killed a moment ago is on its way out: two on one append-only file would break it.
  for (const deadline = Date.now() + START_MILLISECONDS; (await stateOf(socket)) !== 'none'; await sleep(100)) {
    if (Date.now() > deadline) throw new Problem('environment-missing', `another redis-server answers at ${socket}`);
  }
  const settings = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '600',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction', // BullMQ's data must never be evicted
    loglevel: 'warning',
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return {
    address: `unix://${socket.split('/').map(encodeURIComponent).join('/')}`,
    // Detached, so that Ctrl-C on a terminal ends it last and not first.
    spawn: () =>
      spawn('setpriv', ['--pdeathsig', 'TERM', 'redis-server', ...parameters], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] }),
    async ready() {
      for (const deadline = Date.now() + START_MILLISECONDS; (await stateOf(socket)) !== 'ready'; await sleep(20))
        if (Date.now() > deadline) throw new Problem('queue-unavailable', 'the embedded redis-server does not start');
    },
  };
}

/** One that still loads its file says LOADING and not PONG. */
async function stateOf(path: string): Promise<'none' | 'loading' | 'ready'> {
  return new Promise((settle) => {
    const socket = connect({ path });
    const end = (state: 'none' | 'loading' | 'ready'): void => {
      socket.destroy();
      settle(state);
    };
    socket.setTimeout(1_000, () => end('loading'));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG') ? 'ready' : 'loading'));
    socket.once('error', () => end('none'));
  });
}
