import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { openPglite, openPostgres, type OpenRecords } from '../../src/adapters/database/open.ts';
import type { Records } from '../../src/ports.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

/** The same tests on both databases, each empty at the beginning. */
export function onBothDatabases(name: string, suite: (records: () => Records) => void): void {
  describe(`${name} on PGlite`, () => {
    let folder: string;
    let opened: OpenRecords;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'conforme-pglite-'));
      opened = await openPglite(folder);
    });
    after(async () => {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    });
    suite(() => opened.records);
  });
  describe(`${name} on PostgreSQL`, () => {
    let postgres: TestPostgres;
    let opened: OpenRecords;
    before(async () => {
      postgres = await startPostgres();
      opened = await openPostgres(postgres.url, () => undefined);
    });
    after(async () => {
      await opened.close();
      await postgres[Symbol.asyncDispose]();
    });
    suite(() => opened.records);
  });
}
