import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import { makePieces } from './pieces.ts';

/** The last byte of an answer of `xz-server.ts`. */
const STATUS = { good: 0, damaged: 1, missing: 2 } as const;
const START_MS = 20_000;

type Server = { child: ChildProcess; path: string };
let server: Promise<Server> | undefined;

/**
 * What `xz --decompress` makes of a stream. A piece is only lent: it is valid until the second piece behind it is asked for, and
 * `buffers` are those of {@link withBuffers}, in use until the last piece is done with.
 * Throws an `Error` where the stream is damaged, `environment-missing` without xz.
 */
export async function* unxz(packed: AsyncIterable<Uint8Array>, buffers: Buffer[] = []): AsyncGenerator<Uint8Array> {
  const { path } = await running();
  const pieces = makePieces(buffers, () => void socket.resume());
  const socket = connect({ path, allowHalfOpen: true, onread: { buffer: pieces.space, callback: pieces.filled } });
  socket.once('error', (error) => pieces.end(error));
  socket.once('close', () => pieces.end());
  socket.once('end', () => pieces.end());
  const fed = feed(socket, packed);
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) yield piece;
    const status = pieces.status();
    if (status === STATUS.missing) throw new Problem('environment-missing', 'xz is not installed (xz-utils)');
    if (status === STATUS.damaged) throw new Error('damaged .xz');
    if (status !== STATUS.good) throw new Problem('internal', 'unpacking ended before its end');
    await fed;
  } finally {
    socket.destroy();
  }
}

/** Writes it all; a failing source fails the reading too. */
async function feed(socket: Socket, packed: AsyncIterable<Uint8Array>): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', resolve));
  try {
    for await (const chunk of packed) {
      if (socket.destroyed) return;
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), closed]);
    }
    socket.end();
  } catch (error) {
    socket.destroy(error as Error);
  }
}

function running(): Promise<Server> {
  server ??= start();
  server.catch(() => (server = undefined));
  return server;
}

async function start(): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'xz-server.ts'), [], { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.once('exit', () => (server = undefined)); // whoever unpacks next starts another one
  const [path] = (await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(START_MS) }),
    once(child, 'exit').then(() => Promise.reject(new Error('it ended'))),
  ]).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Problem('internal', 'the unpacking program does not start', { cause: error });
  })) as [string];
  // It must not keep this process alive.
  child.unref();
  child.channel?.unref();
  return { child, path };
}
