import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../support/ports.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { eventually } from '../support/verification.ts';

const TOKEN = 'a-token-for-the-tests';

describe('many processes', () => {
  let redis: TestRedis;
  let postgres: TestPostgres;
  let folder: string;
  let port: number;
  const started: ChildProcess[] = [];
  before(async () => {
    [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
    folder = await mkdtemp(join(tmpdir(), 'conforme-many-'));
    port = await freePort();
    start('api/main.ts', 'api', { CONFORME_TOKEN: TOKEN });
    start('workers/main.ts', 'conclude');
    start('workers/main.ts', 'deliver');
    start('workers/main.ts', 'evidence');
    await eventually(
      () =>
        get('/readyz').then(
          ({ ok }) => ok,
          () => false,
        ),
      30_000,
    );
  });
  after(async () => {
    await Promise.all(
      started.map(async (child) => {
        if (child.exitCode !== null) return;
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        assert.deepEqual(await gone, [0, null]);
      }),
    );
    await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose](), rm(folder, { recursive: true, force: true })]);
  });

  function start(program: string, role: string, more: Record<string, string> = {}): void {
    const { PATH = '', HOME = '' } = process.env;
    const settings = {
      CONFORME_ROLES: role,
      CONFORME_DATA_DIR: join(folder, role),
      CONFORME_PORT: String(port),
      CONFORME_BLOBS_URL: `file://${folder}/blobs`,
    };
    const env = {
      PATH,
      HOME,
      REDIS_URL: redis.address,
      ...(role === 'evidence' ? {} : { DATABASE_URL: postgres.url }),
      ...settings,
      ...more,
    };
    started.push(spawn(process.execPath, [join(import.meta.dirname, '../..', program)], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
  }

  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
  const post = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/v1/verifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ image: '127.0.0.1:5999/none:1' }),
    });

  it('serve the key of the one that signs', async () => {
    const key = await eventually(async () => {
      const answer = await get('/v1/keys');
      return answer.ok && answer.text();
    });
    assert.match(key, /BEGIN PGP PUBLIC KEY BLOCK/);
    assert.match(await (await get('/v1/keys/cosign.pub')).text(), /^-----BEGIN PUBLIC KEY-----\n/);
  });

  for (const [name, away, back] of [
    ['Redis', () => redis.stop(), () => redis.start()],
    ['the database', () => postgres.stop(), () => postgres.start()],
  ] as const) {
    it(`say 503 with Retry-After while ${name} is away, and go on when it is back`, async () => {
      await away();
      const begun = Date.now();
      const answer = await post();
      assert.equal(answer.status, 503);
      assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal((await get('/readyz')).status, 503);
      assert.ok(Date.now() - begun < 12_000);
      assert.equal((await get('/healthz')).status, 200);
      await back();
      await eventually(async () => (await get('/readyz')).ok);
      assert.equal((await post()).status, 403, 'the request gets as far as the registry, whose address is refused');
      for (const child of started) assert.equal(child.exitCode, null);
    });
  }
});
