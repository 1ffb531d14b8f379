import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type TestPostgres = {
  /** For `DATABASE_URL`. */
  url: string;
  /** As if the machine had lost it. */
  stop(): Promise<void>;
  start(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

const ROOT = '/usr/lib/postgresql';

/** A real PostgreSQL in a folder of its own, on a Unix socket only. It refuses to run as root: Debian's user `postgres` runs it then. */
export async function startPostgres(): Promise<TestPostgres> {
  const versions = (await readdir(ROOT)).toSorted((a, b) => Number(b) - Number(a));
  const bin = join(ROOT, versions[0] ?? '', 'bin');
  const folder = await mkdtemp(join(tmpdir(), 'conforme-pg-'));
  const user = process.getuid?.() === 0 ? await lookUp('postgres') : {};
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const initialise = ['-D', data, '-U', 'conforme', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  await promisify(execFile)(join(bin, 'initdb'), initialise, { ...user, cwd: folder });
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const settings = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'shared_buffers=16MB'];
    server = spawn(join(bin, 'postgres'), settings, { ...user, cwd: folder, stdio: 'ignore' });
    const ready = ['-h', folder, '-U', 'conforme', '-d', 'postgres', '-q'];
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
      const answers = await promisify(execFile)(join(bin, 'pg_isready'), ready).then(
        () => true,
        () => false,
      );
      if (answers) return;
      if (Date.now() > deadline || server.exitCode !== null) throw new Error('PostgreSQL does not start');
    }
  }

  async function stop(): Promise<void> {
    if (server === undefined) return;
    const gone = once(server, 'exit');
    server.kill('SIGQUIT'); // immediate shutdown: no connection is waited for, recovery at the next start
    await gone;
    server = undefined;
  }

  await start();
  return {
    url: `postgres://conforme@localhost/postgres?host=${encodeURIComponent(folder)}`,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function lookUp(name: string): Promise<{ uid?: number; gid?: number }> {
  const line = (await readFile('/etc/passwd', 'utf8')).split('\n').find((each) => each.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`no user ${name} on this machine`);
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}
