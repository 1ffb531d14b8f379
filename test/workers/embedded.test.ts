import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/ports.ts';
import { eventually } from '../support/verification.ts';

const MAIN = join(import.meta.dirname, '../../api/main.ts');

type Process = { pid: number; parent: number; command: string };

async function processes(): Promise<Process[]> {
  const found: Process[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const [status, command] = await Promise.all(
      ['status', 'cmdline'].map((file) => readFile(`/proc/${name}/${file}`, 'latin1').catch(() => '')),
    );
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status ?? '')?.[1] ?? 0);
    if (!/^State:\s+Z/m.test(status ?? '')) found.push({ pid: Number(name), parent, command: (command ?? '').replaceAll('\0', ' ') });
  }
  return found;
}

describe('the embedded service', () => {
  let folder: string;
  let port: number;
  const started: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-embedded-'));
    port = await freePort();
  });
  after(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  function start(more: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    const secrets = { CONFORME_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`, PGPASSWORD: 'secret-of-ours' };
    const settings = { CONFORME_DATA_DIR: folder, CONFORME_PORT: String(port), ...secrets, ...more };
    const child = spawn(process.execPath, [MAIN], { env: { PATH, HOME, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()));
    return { child, output };
  }

  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const ready = () =>
    eventually(
      () =>
        get('/readyz').then(
          (response) => response.ok,
          () => false,
        ),
      60_000,
    );
  const children = async (pid: number | undefined): Promise<Process[]> => (await processes()).filter(({ parent }) => parent === pid);
  const rebuildOf = (pid: number | undefined) =>
    eventually(async () => (await children(pid)).find(({ command }) => command.includes('workers/main.ts')));
  const isAlive = async (pid: number): Promise<boolean> => (await processes()).some((each) => each.pid === pid);
  /** The redis-server, by its socket in our folder: also where it has lost its parent. */
  const redisServers = async (): Promise<Process[]> =>
    (await processes()).filter(({ command }) => command.startsWith('redis-server') && command.includes(folder));

  it('starts from nothing, keeps its folder to itself, ends in time', async () => {
    const { child, output } = start();
    await ready();
    const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
    assert.ok(output.err.includes(token) && output.err.includes(join(folder, 'token')), 'the first token is shown, and where it stands');
    assert.ok(!output.out.includes(token), 'and is not in the log');
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    for (const name of ['token', 'key/private-key.asc', 'key/envelope-key.pem'])
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    for (const name of ['key', 'database', 'redis']) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o700, name);
    assert.match(await (await get('/v1/keys')).text(), /BEGIN PGP PUBLIC KEY BLOCK/);
    assert.match(await (await get('/v1/keys/cosign.pub')).text(), /^-----BEGIN PUBLIC KEY-----\n/);

    const rebuild = await rebuildOf(child.pid);
    await eventually(() => output.out.includes('"roles":"rebuild","msg":"ready"'));
    const environment = (await readFile(`/proc/${rebuild.pid}/environ`, 'latin1')).split('\0').map((line) => line.split('=')[0]);
    assert.ok(environment.includes('REDIS_URL') && environment.includes('CONFORME_ROLES'));
    for (const name of ['CONFORME_TOKEN', 'CONFORME_WEBHOOK_SECRET', 'PGPASSWORD', 'DATABASE_URL'])
      assert.ok(!environment.includes(name), name);
    const maps = await readFile(`/proc/${rebuild.pid}/maps`, 'latin1');
    assert.ok(!maps.includes('pglite'), 'nor is the database loaded');

    process.kill(rebuild.pid, 'SIGKILL');
    const next = await eventually(async () =>
      (await children(child.pid)).find(({ pid, command }) => pid !== rebuild.pid && command.includes('workers/main.ts')),
    );
    assert.ok(next.pid !== rebuild.pid, 'a rebuild worker that died is started again');

    const [server] = await redisServers();
    process.kill(server?.pid ?? 0, 'SIGKILL');
    await eventually(async () => (await get('/readyz')).ok && (await redisServers())[0]?.pid !== server?.pid);

    const stopping = Date.now();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0, output.out.slice(-2000));
    assert.ok(Date.now() - stopping < 10_000);
    assert.ok(!(await isAlive(next.pid)));
    assert.deepEqual(await redisServers(), []);
  });

  it('refuses a second process on its folder, and leaves nothing behind when it is killed', async () => {
    const { child, output } = start();
    await ready();
    assert.ok(!output.err.includes((await readFile(join(folder, 'token'), 'utf8')).trim()), 'the token is shown once');
    const rebuild = await rebuildOf(child.pid);
    const second = start({ CONFORME_PORT: String(await freePort()) });
    const [code] = (await once(second.child, 'exit')) as [number];
    assert.equal(code, 1);
    assert.match(second.output.err, /^environment-missing: .* in use by process \d+/m);

    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually(async () => (await redisServers()).length === 0 && !(await isAlive(rebuild.pid)), 12_000);
  });

  it('starts again with what it had', async () => {
    const key = await readFile(join(folder, 'key/private-key.asc'), 'utf8');
    const { child } = start();
    await ready();
    assert.equal(await readFile(join(folder, 'key/private-key.asc'), 'utf8'), key);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('says what is wrong with its configuration', async () => {
    const { child, output } = start({ CONFORME_PORT: 'eighty' });
    assert.deepEqual(await once(child, 'exit'), [1, null]);
    assert.match(output.err, /^invalid-configuration: CONFORME_PORT: /);
  });
});
