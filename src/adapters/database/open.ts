import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Records } from '../../ports.ts';
import { lockFolder } from './lock.ts';
import { migrate } from './migrations.ts';
import { makePublicKeys, type PublicKeys } from './public-keys.ts';
import { makeRecords } from './records.ts';
import { pgliteSql, postgresSql } from './sql.ts';

export type OpenRecords = { records: Records; keys: PublicKeys; close(): Promise<void> };

/** PostgreSQL at `url`, migrated. Throws `database-unavailable`. */
export async function openPostgres(url: string, onError: (error: unknown) => void): Promise<OpenRecords> {
  const sql = postgresSql(url, onError);
  try {
    await migrate(sql);
  } catch (thrown) {
    await sql.close();
    throw thrown;
  }
  return { records: makeRecords(sql), keys: makePublicKeys(sql), close: () => sql.close() };
}

/**
 * The embedded database in `folder`, migrated. One process only: two on one folder lose each other's rows and then break it, so a
 * second one gets `environment-missing`.
 */
export async function openPglite(folder: string): Promise<OpenRecords> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(folder);
  try {
    const sql = pgliteSql(await PGlite.create(join(folder, 'data')));
    await migrate(sql);
    return {
      records: makeRecords(sql),
      keys: makePublicKeys(sql),
      async close() {
        await sql.close();
        await unlock();
      },
    };
  } catch (thrown) {
    await unlock();
    throw thrown;
  }
}
