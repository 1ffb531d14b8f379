import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';

export type TestRedis = {
  /** For `REDIS_URL`. */
  address: string;
  /** As if the machine had lost it; what was written so far is in the append-only file. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  freeze(): void;
  /** Forgets everything it held. Only while stopped. */
  forget(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A real redis-server on a Unix socket in a folder of its own, with an append-only file written at every command. */
export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-redis-'));
  const socket = join(folder, 's');
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const settings = [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--dir',
      folder,
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--save',
      '',
    ];
    server = spawn('redis-server', settings, { stdio: 'ignore' });
    const deadline = Date.now() + 10_000;
    while (!(await answers(socket))) {
      if (Date.now() > deadline || server.exitCode !== null) throw new Error('redis-server does not start');
      await sleep(20);
    }
  }

  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (server === undefined) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
    server = undefined;
  }

  await start();
  return {
    address: `unix://${socket}`,
    start,
    stop,
    freeze: () => server?.kill('SIGSTOP'),
    forget: () => rm(join(folder, 'appendonlydir'), { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(path: string): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect({ path });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      settle(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => settle(false));
  });
}
