import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lockFolder } from '../../../src/adapters/database/lock.ts';
import { debianVersionKey } from '../../../src/model/debian-version-key.ts';
import { migrate } from '../../../src/adapters/database/migrations.ts';
import { openPostgres } from '../../../src/adapters/database/open.ts';
import { postgresSql } from '../../../src/adapters/database/sql.ts';
import { Problem } from '../../../src/problem.ts';
import { startPostgres } from '../../support/postgres.ts';

const problem = (code: string): ((thrown: unknown) => boolean) => {
  return (thrown) => thrown instanceof Problem && thrown.code === code;
};

describe('PostgreSQL', () => {
  it('migrates once, never changes a verdict, comes back after it was away', async () => {
    await using postgres = await startPostgres();
    // Three processes that start at once.
    const opened = await Promise.all([1, 2, 3].map(() => openPostgres(postgres.url, () => undefined)));
    const [first] = opened;
    assert.ok(first !== undefined);
    const sql = postgresSql(postgres.url, () => undefined);
    await migrate(sql);
    assert.deepEqual(await sql.query('select count(*)::int as applied, max(version) as newest from conforme_schema'), [
      { applied: 6, newest: 6 },
    ]);

    const job = {
      id: 'v',
      request: { image: 'x' },
      image: { reference: 'x', digest: 'sha256:1', manifestDigest: 'sha256:2', platform: { os: 'linux', architecture: 'amd64' } },
    } as const;
    await first.records.accept(job, 'k');
    const verdict = { result: 'identical' } as never;
    const record = { digest: 'sha256:3', account: 'sha256:4', differences: 'sha256:5' } as const;
    const bytes = { statement: Buffer.from('{}'), signature: 's', packages: [] };
    assert.equal(await first.records.conclude({ ...record, ...bytes, verification: 'v', image: job.image, verdict }), true);
    for (const change of ["update verdicts set result = 'x'", 'delete from verdicts', 'truncate verdicts cascade'])
      await assert.rejects(sql.query(change), problem('internal'), change);
    assert.equal((await first.records.verdictOf('v'))?.verdict.result, 'identical');

    await postgres.stop();
    const started = Date.now();
    await assert.rejects(
      first.records.get('v'),
      (thrown) => problem('database-unavailable')(thrown) && (thrown as Problem).retryAfter === 5,
    );
    await assert.rejects(
      first.records.conclude({ ...record, ...bytes, verification: 'v', image: job.image, verdict }),
      problem('database-unavailable'),
    );
    assert.ok(Date.now() - started < 5_000, 'said quickly');
    await postgres.start();
    assert.equal((await first.records.get('v'))?.status, 'done');
    await Promise.all([sql.close(), ...opened.map(({ close }) => close())]);
  });

  it('answers from what an older schema kept', async () => {
    await using postgres = await startPostgres();
    const sql = postgresSql(postgres.url, () => undefined);
    await migrate(sql, 1);
    await sql.query(
      `insert into verifications (id, request_key, job, reference, digest, manifest_digest, status, step)
       values ('old', 'k', '{}', 'x', 'sha256:1', 'sha256:2', 'done', 'done')`,
    );
    await sql.query(
      `insert into verdicts (verification, digest, image, result, verdict, statement, signature, account, differences)
       values ('old', 'sha256:3', '{"reference":"x"}', 'identical', '{}', '', '', '', '')`,
    );
    for (const version of ['1.10-1', 'odd'])
      await sql.query(`insert into packages (name, version, architecture, source, source_version) values ('p', $1, 'all', 's', $1)`, [
        version,
      ]);
    await sql.query('insert into verification_packages select id, 1, 0 from packages');
    const opened = await openPostgres(postgres.url, () => undefined);
    const found = async (olderThan: string) =>
      (await opened.records.imagesWithPackage({ name: 's', olderThan }, { limit: 9 })).items.map((item) => item.package?.version);
    assert.deepEqual(await found('1.9-1'), ['odd'], 'nothing shows that it is new enough');
    assert.deepEqual(await found('1.10-2'), ['1.10-1', 'odd']);
    await Promise.all([sql.close(), opened.close()]);
  });

  it('gives a package of two releases a row for each', async () => {
    await using postgres = await startPostgres();
    const sql = postgresSql(postgres.url, () => undefined);
    await migrate(sql, 3);
    for (const [id, release] of [
      ['one', 'bookworm'],
      ['two', 'trixie'],
      ['three', null],
      ['four', 'trixie'],
    ]) {
      // prettier-ignore
      await sql.query(
        `insert into verifications (id, request_key, job, reference, digest, manifest_digest, status, step, release)
         values ($1, $1, '{}', $1, 'sha256:1', 'sha256:2', 'done', 'done', $2)`,
        [id, release],
      );
      await sql.query(
        `insert into verdicts (verification, digest, image, result, verdict, statement, signature, account, differences)
         values ($1, 'sha256:3', '{}', 'identical', '{}', '', '', '', '')`,
        [id],
      );
    }
    await sql.query(
      `insert into packages (name, version, architecture, source, source_version, version_key, source_version_key)
       values ('p', '1', 'all', 's', '1', $1, $1), ('q', '1', 'all', 's', '1', $1, $1)`,
      [debianVersionKey('1')],
    );
    await sql.query(`insert into verification_packages (package, verification, layer) select 1, seq, 7 from verifications`);
    await sql.query(`insert into verification_packages (package, verification) select 2, seq from verifications where id = 'two'`);
    const opened = await openPostgres(postgres.url, () => undefined);
    const { items } = await opened.records.imagesWithPackage({ name: 's' }, { limit: 9 });
    assert.deepEqual(
      items.map(({ verification, package: held, layer }) => [verification, held?.name, layer]),
      [['four', 'p', 7], ['three', 'p', 7], ['two', 'q', undefined], ['two', 'p', 7], ['one', 'p', 7]], // prettier-ignore
    );
    const rows = await sql.query('select name, release from packages order by name, release');
    assert.deepEqual(rows, [
      { name: 'p', release: '' },
      { name: 'p', release: 'bookworm' },
      { name: 'p', release: 'trixie' },
      { name: 'q', release: 'trixie' },
    ]);
    await Promise.all([sql.close(), opened.close()]);
  });

  it('refuses a schema newer than it knows', async () => {
    await using postgres = await startPostgres();
    const sql = postgresSql(postgres.url, () => undefined);
    await migrate(sql);
    await sql.query('insert into conforme_schema (version) values (9999)');
    await assert.rejects(migrate(sql), problem('environment-missing'));
    await sql.close();
  });
});

describe('the lock of a folder', () => {
  const MODULE = new URL('../../../src/adapters/database/lock.ts', import.meta.url).href;
  const HOLD = `const { lockFolder } = await import(${JSON.stringify(MODULE)}); await lockFolder(process.argv[1]); console.log('held'); setInterval(() => {}, 1e6);`;

  async function holder(folder: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return child;
  }

  async function killed(child: ChildProcess): Promise<void> {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  it('is held by one process, and survives nobody', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conforme-lock-'));
    const child = await holder(folder);
    await assert.rejects(
      lockFolder(folder),
      (thrown) => problem('environment-missing')(thrown) && /in use by process \d+/.test(String(thrown)),
    );
    await killed(child);
    const unlock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), problem('environment-missing'), 'not twice in one process either');
    await unlock();
    await (
      await lockFolder(folder)
    )();
    await rm(folder, { recursive: true });
  });

  it('goes to one of many that want it at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conforme-lock-'));
    await writeFile(join(folder, 'lock'), `${process.pid} left by a process that had our number`);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    await rm(folder, { recursive: true });
  });
});
