/** The same service on a real Redis and a real PostgreSQL, with every role in a process of its own. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startGitServer } from '../../scripts/demo/git-server.ts';
import type { Statement } from '../../src/model/statement.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { judged, makeSmallImage, startAsUser, type Started } from './world.ts';

// Nobody listens there: who is asked beside the archive must not hold up or change a verdict by being away.
const NOBODY = 'http://127.0.0.1:1';
const REBUILDER_KEY = Buffer.alloc(32, 1).toString('base64');
const WORKER = join(import.meta.dirname, '../../workers/main.ts');

describe('many processes on Redis and PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conforme-e2e-many-'));
  const workers: ChildProcess[] = [];
  let redis: TestRedis;
  let postgres: TestPostgres;
  let registry: TestRegistry;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let service: Started;

  before(async () => {
    [redis, postgres, registry] = await Promise.all([startRedis(), startPostgres(), startRegistry()]);
    git = await startGitServer(join(folder, 'repositories'));
    const env = {
      REDIS_URL: redis.address,
      DATABASE_URL: postgres.url,
      CONFORME_BLOBS_URL: `file://${join(folder, 'blobs')}`,
      CONFORME_DATA_DIR: join(folder, 'service', 'data'),
      CONFORME_ALLOW_ADDRESSES: '127.0.0.0/8',
      CONFORME_REGISTRIES_INSECURE: registry.host,
      CONFORME_REBUILDERS: `${NOBODY}/amd64=${REBUILDER_KEY}`,
      CONFORME_BUILDINFOS_URL: `${NOBODY}/buildinfo-pool`,
    };
    for (const role of ['rebuild', 'evidence', 'conclude', 'deliver']) {
      // The rebuild role gets no database.
      const own = role === 'rebuild' ? { ...env, DATABASE_URL: '' } : env;
      workers.push(spawn(process.execPath, [WORKER], { env: { ...process.env, ...own, CONFORME_ROLES: role }, stdio: 'ignore' }));
    }
    service = await startAsUser(join(folder, 'service'), registry.host, { ...env, CONFORME_ROLES: 'api' });
  });
  after(async () => {
    await service?.stop();
    for (const worker of workers) {
      const gone = worker.exitCode === null ? once(worker, 'exit') : undefined;
      worker.kill('SIGTERM');
      await gone;
    }
    await git?.stop();
    await registry?.stop();
    await redis?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it('judges an image from end to end', async () => {
    const image = await makeSmallImage(registry.host, join(folder, 'repositories'));
    const view = await judged(service, {
      image: image.reference('honest'),
      source: { git: `${git.address}/small/.git`, ref: image.commit },
    });
    assert.equal(view.verdict?.result, 'equivalent', JSON.stringify(view.problem));
    assert.equal(view.verdict.auditable, 'yes');
    const { predicate } = (await (await fetch(view.links.verdict ?? '')).json()) as Statement;
    assert.deepEqual(predicate.rebuilders, { atLeast: 1, asked: [{ url: `${NOBODY}/amd64`, keys: [REBUILDER_KEY] }] });
    const { packages, of } = view.verdict.coverage.reproduced ?? {};
    assert.deepEqual([packages, of], [0, predicate.packages.filter(({ reproduced }) => reproduced !== undefined).length]);
    assert.ok(
      predicate.packages.every(({ reproduced }) => reproduced?.rebuilders.every(({ outcome }) => outcome === 'unavailable') ?? true),
    );
    assert.match(await (await fetch(view.links.signature ?? '')).text(), /BEGIN PGP SIGNATURE/);
    assert.deepEqual(
      workers.map(({ exitCode }) => exitCode),
      [null, null, null, null],
    );
  });
});
