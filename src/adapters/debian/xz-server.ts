/**
 * A program of its own: starts xz for a process that is too large to fork. Starting a child costs a copy of the page tables
 * of the one that starts it: 3 ms from here, 20 ms from a service of 250 MB, and a Debian image has hundreds of .debs.
 * Listens on a socket in a private folder and tells its parent where; ends with its parent. Every connection is handed to an
 * xz as it is, so that no byte passes through here.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The answer ends with one byte behind what was unpacked: 0 where it is whole. dpkg-deb and dak use 64 MiB of dictionary at most. */
const UNPACK =
  "xz --decompress --stdout --memlimit-decompress=256MiB; case $? in 0) printf '\\000';; 127) printf '\\002';; *) printf '\\001';; esac";

const folder = mkdtempSync(join(tmpdir(), 'conforme-xz-'));
process.on('disconnect', () => process.exit());
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {}); // the parent's to decide

const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  // libuv gives the child a blocking copy. Without a reader, xz ends by SIGPIPE.
  spawn('sh', ['-c', UNPACK], { stdio: [socket, socket, 'ignore'] }).on('error', () => {});
  socket.destroy();
});
server.listen(join(folder, 'socket'), () => process.send?.(join(folder, 'socket')));
