/**
 * A program of its own: starts xz for a process that is too large to fork. Starting a child costs a copy of the page tables
 * of the one that starts it: 3 ms from here, 20 ms from a service of 250 MB, and a Debian image has hundreds of .debs.
 * Listens on a socket in a private folder and tells its parent where; ends with its parent. Every connection is handed to an
 * xz as it is, so that no byte passes through here but the last: how xz ended.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** dpkg-deb and dak use 64 MiB of dictionary at most. */
const UNPACK = ['--decompress', '--stdout', '--memlimit-decompress=256MiB'];
/** The byte behind what was unpacked: 0 where it is whole. */
const STATUS = { good: Buffer.of(0), damaged: Buffer.of(1), missing: Buffer.of(2) };

const folder = mkdtempSync(join(tmpdir(), 'conforme-xz-'));
process.on('disconnect', () => process.exit());
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {}); // the parent's to decide

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  // libuv gives the child a blocking copy. Without a reader, xz ends by SIGPIPE.
  spawn('xz', UNPACK, { stdio: [socket, socket, 'ignore'] })
    .once('error', ({ code }: NodeJS.ErrnoException) => void socket.end(code === 'ENOENT' ? STATUS.missing : STATUS.damaged))
    .once('exit', (code) => void socket.end(code === 0 ? STATUS.good : STATUS.damaged, () => socket.destroy()));
});
server.listen(join(folder, 'socket'), () => process.send?.(join(folder, 'socket')));
