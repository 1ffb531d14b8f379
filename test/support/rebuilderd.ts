import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import { freePort } from './ports.ts';
import { sidPrograms, type SidPrograms } from './sid-programs.ts';

/** A source package as rebuilderd is told of it: where its input is, and the .debs that were made of it. */
export type SourceReport = {
  name: string;
  version: string;
  /** Of the input that the backend is given: here a tar with the recipe. */
  url: string;
  artifacts: { name: string; version: string; architecture: string; url: string }[];
};

/** A record of `GET /api/v1/packages/binary`, as far as the tests look at it. */
export type BinaryRecord = { name: string; status: string | null; build_id: number | null; artifact_id: number | null };

/** The real rebuilderd of Debian on a free port of loopback, with a database and a key of its own. */
export type Rebuilderd = {
  url: string;
  /** Its raw Ed25519 key in base64, out of the PEM that it publishes. */
  key: string;
  /** Queues sources of a release for being rebuilt. */
  submit(architecture: string, packages: SourceReport[], release?: string): Promise<void>;
  /** Runs one real worker with this backend until nothing is waiting. */
  work(backend: string): Promise<void>;
  packages(): Promise<BinaryRecord[]>;
  stop(): Promise<void>;
};

const PACKAGES = ['rebuilderd', 'rebuilderd-worker', 'libc6', 'libgcc-s1', 'libsqlite3-0', 'libzstd1'];
// A connection for each request: rebuilderd closes idle ones without a word, which a POST does not survive.
const dispatcher = new Agent({ pipelining: 0 });
const SIGNUP = 'a-secret-of-the-tests';

export async function startRebuilderd(): Promise<Rebuilderd> {
  const programs = await sidPrograms('rebuilderd', PACKAGES);
  const folder = await mkdtemp(join(tmpdir(), 'conforme-rebuilderd-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await writeFile(join(folder, 'rebuilderd.conf'), `[http]\nbind_addr = "127.0.0.1:${port}"\n[worker]\nsignup_secret = "${SIGNUP}"\n`);
  const cookieFile = join(folder, 'cookie');
  const server = start(programs, folder, { REBUILDERD_COOKIE_PATH: cookieFile }, 'rebuilderd', '-c', 'rebuilderd.conf');
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`, { dispatcher })).json();
  try {
    await until(
      'rebuilderd listens',
      server,
      async () => (await fetch(`${url}/api/v1/meta/public-keys`, { dispatcher }).catch(() => undefined))?.ok === true,
    );
  } catch (error) {
    await end(server);
    await rm(folder, { recursive: true });
    throw error;
  }
  const { current } = (await get('/api/v1/meta/public-keys')) as { current: string[] };
  const packages = async (): Promise<BinaryRecord[]> => ((await get('/api/v1/packages/binary')) as { records: BinaryRecord[] }).records;
  let workers = 0;
  return {
    url,
    key: rawKey(current[0] ?? ''),
    packages,
    async submit(architecture, reports, release = 'bookworm') {
      const response = await fetch(`${url}/api/v1/packages`, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-auth-cookie': (await readFile(cookieFile, 'utf8')).trim() },
        body: JSON.stringify({ distribution: 'debian', release, component: 'main', architecture, packages: reports }),
      });
      if (!response.ok) throw new Error(`rebuilderd refused the packages: ${response.status} ${await response.text()}`);
    },
    async work(backend) {
      const place = join(folder, `worker-${++workers}`);
      await mkdir(place);
      await writeFile(
        join(place, 'worker.conf'),
        `endpoint = "${url}"\nsignup_secret = "${SIGNUP}"\n[build]\nsilent = true\n[backend."debian"]\npath = "${backend}"\n`,
      );
      const worker = start(programs, place, { HOME: place }, 'rebuilderd-worker', '-c', 'worker.conf', 'connect');
      try {
        await until('everything is rebuilt', worker, async () => (await packages()).every(({ build_id: build }) => build !== null));
      } finally {
        await end(worker);
      }
    },
    async stop() {
      await end(server);
      await rm(folder, { recursive: true });
    },
  };
}

/** The last 32 bytes of the SubjectPublicKeyInfo: RFC 8410. */
function rawKey(pem: string): string {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
    .subarray(-32)
    .toString('base64');
}

type Started = ChildProcess & { said: string };

function start(programs: SidPrograms, cwd: string, env: Record<string, string>, program: string, ...options: string[]): Started {
  const [file, all] = programs.command(program, ...options);
  const child = spawn(file, all, { cwd, env: { PATH: process.env['PATH'], HOME: cwd, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const started = Object.assign(child, { said: '' });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (started.said = `${started.said}${chunk}`.slice(-4000)));
  return started;
}

async function until(what: string, child: Started, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await holds())) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`waited in vain until ${what}:\n${child.said}`);
    await sleep(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await once(child, 'exit');
  clearTimeout(timer);
}
