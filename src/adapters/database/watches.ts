import { debianVersionKey } from '../../model/debian-version-key.ts';
import { type Digest, digestOf } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { VerdictRecord } from '../../model/verification.ts';
import type { Condition, ImageWatch, JudgedResult, WatchMatch } from '../../model/watch.ts';
import type { ComposeDelivery, Records } from '../../ports.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import { document, text } from './rows.ts';
import { tellOfSecurityData } from './security-watches.ts';
import type { Query, Sql } from './sql.ts';
import { affectedMatches, tell, WATCH_COLUMNS, watchOf } from './watch-matches.ts';

type WatchRecords = Pick<Records, 'addWatch' | 'watch' | 'watches' | 'removeWatch' | 'tellOfSecurityData'>;

/** First half of the number of a lock; the second is of the reference. */
const CHANGES_LOCK = 722_663_730;

export function watchRecords(sql: Sql): WatchRecords {
  const { query } = sql;
  const find = async (column: 'id' | 'key', value: string): Promise<ImageWatch | undefined> => {
    const [row] = await query(`select ${WATCH_COLUMNS} from watches w where ${column} = $1`, [value]);
    return row === undefined ? undefined : watchOf(row);
  };
  return {
    async addWatch({ id, condition, url }) {
      const key = digestOf(canonicalJson({ condition, url }));
      const part = columnsOf(condition);
      const made = await query(
        `insert into watches (id, condition, url, package, older_key, cve, reference, key) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (key) do nothing returning id`,
        [id, JSON.stringify(condition), url, part.package, part.olderKey, part.cve, part.reference, key],
      );
      const watch = await find('key', key);
      // It can only have been removed between the two statements: then it is as if it had been removed right after.
      return { watch: watch ?? { id, condition, url, createdAt: new Date(0).toISOString() }, created: made.length > 0 };
    },
    watch: (id) => find('id', id),
    async watches({ limit, cursor }) {
      const [after = '0'] = cursor === undefined ? [] : parseCursor(cursor, 1);
      const rows = await query(`select ${WATCH_COLUMNS} from watches w where w.seq > $1::bigint order by w.seq limit $2`, [
        after,
        limit + 1,
      ]);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return { items: shown.map(watchOf), ...(rows.length > limit && last !== undefined ? { next: cursorOf(text(last, 'seq')) } : {}) };
    },
    removeWatch: async (id) => (await query('delete from watches where id = $1 returning id', [id])).length > 0,
    tellOfSecurityData: (compose) => tellOfSecurityData(sql, compose),
  };
}

/** In the transaction that stores a verdict: what the verdict makes true of the image for the first time. */
export async function tellOfVerdict(query: Query, seq: string, record: VerdictRecord, compose: ComposeDelivery): Promise<void> {
  const judged = { image: record.image, verification: record.verification, verdict: record.digest };
  if ((await query('select 1 from watches limit 1')).length === 0) return;
  const affected = await query(
    `with held as materialized (
       select p.id, p.name, p.version, p.version_key, p.source, p.source_version_key
       from verification_packages vp join packages p on p.id = vp.package where vp.verification = $1
     ), issues as materialized (
       select i.* from watches w join security_issues i on i.cve = w.cve
       where i.release = (select release from verifications where seq = $1)
     )
     select ${WATCH_COLUMNS}, h.id as package, h.name, h.version, null as cve, null as fixed, null as urgency
     from held h join watches w on w.package = h.name and h.version_key < w.older_key
     union all
     select ${WATCH_COLUMNS}, h.id, h.name, h.version, null, null, null
     from held h join watches w on w.package = h.source and w.package <> h.name and h.source_version_key < w.older_key
     union all
     select ${WATCH_COLUMNS}, h.id, h.name, h.version, i.cve, i.fixed, i.urgency
     from (select distinct on (cve, source) * from issues) i join watches w on w.cve = i.cve
     join held h on h.source = i.source and h.source_version_key < i.fixed_key
     order by 1, 6`,
    [seq],
  );
  await tell(
    query,
    affectedMatches(affected, () => judged),
    compose,
  );

  const watching = await query(`select ${WATCH_COLUMNS} from watches w where w.reference = $1 order by w.seq`, [record.image.reference]);
  if (watching.length === 0) return;
  // Of two verdicts that are stored at once, the second to come here sees the first.
  await query('select pg_advisory_xact_lock($1::int, hashtext($2))', [CHANGES_LOCK, record.image.reference]);
  const { result, auditable } = record.verdict;
  const after = { verdict: record.digest, result, auditable };
  const made = watching.map((row): WatchMatch => {
    return { ...judged, watch: watchOf(row), type: 'verdict.created', cause: `verdict ${record.verification}`, after };
  });
  await tell(query, made, compose);
  const before = await verdictBefore(query, seq);
  if (before === undefined) return;
  const cause = `verification ${record.verification}`;
  const changed = watching.map((row): WatchMatch => ({ ...judged, watch: watchOf(row), type: 'verdict.changed', cause, before, after }));
  await tell(query, changed, compose);
}

/** The verdict of the same reference and platform that came before; undefined where a newer one has replaced this one already. */
async function verdictBefore(query: Query, seq: string): Promise<JudgedResult | undefined> {
  const [row] = await query(
    `select d.digest, d.verdict from verifications v
     join verifications n on n.seq = $1 and n.reference = v.reference and coalesce(n.platform, '') = coalesce(v.platform, '')
     join verdicts d on d.verification = v.id
     where v.seq < $1 and v.status = 'done'
       and not exists (
         select 1 from verifications a
         where a.reference = n.reference and coalesce(a.platform, '') = coalesce(n.platform, '') and a.status = 'done' and a.seq > $1
       )
     order by v.seq desc limit 1`,
    [seq],
  );
  if (row === undefined) return undefined;
  const { result, auditable } = document<Verdict>(row, 'verdict');
  return { verdict: text(row, 'digest') as Digest, result, auditable };
}

function columnsOf(condition: Condition): {
  package: string | null;
  olderKey: Uint8Array | null;
  cve: string | null;
  reference: string | null;
} {
  const none = { package: null, olderKey: null, cve: null, reference: null };
  if ('package' in condition) return { ...none, package: condition.package, olderKey: debianVersionKey(condition.olderThan) };
  return 'cve' in condition ? { ...none, cve: condition.cve } : { ...none, reference: condition.image };
}
