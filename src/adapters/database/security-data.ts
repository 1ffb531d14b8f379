import { setImmediate as othersTurn } from 'node:timers/promises';
import { debianVersionKey } from '../../model/debian-version-key.ts';
import { type Digest, digestOf } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import type { SourceIssues, TrackerFetch } from '../../model/security.ts';
import type { Records } from '../../ports.ts';
import { plain, text } from './rows.ts';
import type { Query, Sql } from './sql.ts';

type SecurityRecords = Pick<Records, 'securityData' | 'loadSecurityData'>;

/** Behind every key of a version: of an issue that is not fixed. */
export const KEY_MAX = Buffer.alloc(6, 0xff);
/** Issues in one transaction, some 30 ms: while it lasts, the embedded database answers nobody else. The kernel has 40,000. */
const ISSUES_AT_ONCE = 2_000;
const LOCK = 7_226_637_303;

export async function securityData(query: Query): Promise<(TrackerFetch & { document: Digest }) | undefined> {
  const [row] = await query('select url, digest, fetched_at, document from security_data');
  if (row === undefined) return undefined;
  return {
    url: text(row, 'url'),
    digest: text(row, 'digest') as Digest,
    fetchedAt: text(row, 'fetched_at'),
    document: text(row, 'document') as Digest,
  };
}

/**
 * What the security tracker says, as last loaded. Of some 3,500 source packages a few change in an hour: only these are written, in
 * small transactions, and `changed_at` of an issue is when its own facts did. A load that is cut off is done again from the start.
 */
export function securityRecords({ query, transaction }: Sql): SecurityRecords {
  return {
    securityData: () => securityData(query),
    async loadSecurityData({ url, digest, fetchedAt, document }, issues) {
      const known = new Map(
        (await query('select source, digest from security_sources')).map((row) => [text(row, 'source'), text(row, 'digest')]),
      );
      let batch: SourceIssues[] = [];
      const flush = async (): Promise<void> => {
        const rows = batch.flatMap(({ source, issues: all }) => all.map((issue) => ({ source, ...issue })));
        for (let start = 0; start < rows.length; start += ISSUES_AT_ONCE) {
          await transaction((within) => put(within, rows.slice(start, start + ISSUES_AT_ONCE)));
          await othersTurn();
        }
        // Known by its digest when all of it is there, so that a load that was cut off is made up for.
        if (batch.length > 0) await transaction((within) => finish(within, batch));
        batch = [];
      };
      for await (const one of issues) {
        const before = known.get(one.source);
        known.delete(one.source);
        if (before !== digestOf(canonicalJson(one.issues))) batch.push(one);
        if (batch.reduce((sum, each) => sum + each.issues.length, 0) >= ISSUES_AT_ONCE) await flush();
      }
      batch.push(...[...known.keys()].map((source) => ({ source, issues: [] }))); // what is told of no more
      await flush();
      await query(
        `insert into security_data (url, digest, fetched_at, document) values ($1, $2, $3, $4)
         on conflict (only_one) do update set url = $1, digest = $2, fetched_at = $3, document = $4, loaded_at = now()`,
        [plain(url), digest, fetchedAt, document],
      );
    },
  };
}

type IssueRow = { source: string } & SourceIssues['issues'][number];

/** Two processes that load at once do not block each other half-way. */
async function lock(query: Query): Promise<void> {
  await query('select pg_advisory_xact_lock($1::bigint)', [LOCK]);
}

async function put(query: Query, rows: readonly IssueRow[]): Promise<void> {
  await lock(query);
  const key = (fixed: string | undefined): Uint8Array => (fixed === undefined ? KEY_MAX : debianVersionKey(fixed));
  await query(
    `insert into security_issues as i (cve, source, release, status, fixed, fixed_key, urgency)
     select cve, source, release, status, fixed, decode(key, 'hex'), urgency
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as given (cve, source, release, status, fixed, key, urgency)
     on conflict (cve, source, release) do update
       set status = excluded.status, fixed = excluded.fixed, fixed_key = excluded.fixed_key, urgency = excluded.urgency, changed_at = now()
       where (i.status, i.fixed, i.urgency) is distinct from (excluded.status, excluded.fixed, excluded.urgency)`,
    [
      rows.map(({ cve }) => cve),
      rows.map(({ source }) => source),
      rows.map(({ release }) => release),
      rows.map(({ status }) => status),
      rows.map(({ fixed }) => fixed ?? null),
      rows.map(({ fixed }) => Buffer.from(key(fixed)).toString('hex')),
      rows.map(({ urgency }) => urgency),
    ],
  );
}

/** Removes what the tracker says no more, and notes what is there. */
async function finish(query: Query, sources: readonly SourceIssues[]): Promise<void> {
  await lock(query);
  const rows = sources.flatMap(({ source, issues }) => issues.map(({ cve, release }) => ({ source, cve, release })));
  await query(
    `delete from security_issues where source = any($1::text[])
       and (cve, source, release) not in (select * from unnest($2::text[], $3::text[], $4::text[]))`,
    [sources.map(({ source }) => source), rows.map(({ cve }) => cve), rows.map(({ source }) => source), rows.map(({ release }) => release)],
  );
  const gone = sources.filter(({ issues }) => issues.length === 0).map(({ source }) => source);
  await query('delete from security_sources where source = any($1::text[])', [gone]);
  const kept = sources.filter(({ issues }) => issues.length > 0);
  await query(
    `insert into security_sources (source, digest) select * from unnest($1::text[], $2::text[])
     on conflict (source) do update set digest = excluded.digest`,
    [kept.map(({ source }) => source), kept.map(({ issues }) => digestOf(canonicalJson(issues)))],
  );
}
