import { debianVersionKey } from '../../model/debian-version-key.ts';
import { type Digest, digestOf } from '../../model/digest.ts';
import { canonicalJson } from '../../model/json.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { VerdictRecord } from '../../model/verification.ts';
import type { Condition, ImageWatch, JudgedResult, WatchHit, WatchMatch } from '../../model/watch.ts';
import type { ComposeDelivery, Records } from '../../ports.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import { insertDelivery } from './deliveries.ts';
import { document, optional, text, time } from './rows.ts';
import type { Query, Row, Sql } from './sql.ts';

type WatchRecords = Pick<Records, 'addWatch' | 'watch' | 'watches' | 'removeWatch' | 'tellOfSecurityData'>;

/** Rows of matches that one transaction of the upkeep looks at. */
const MATCHES_AT_ONCE = 1_000;
/** For this long a verdict may still be being stored that was held against the data before. */
const TOLD_AFTER = '5 minutes';
const COLUMNS = 'w.seq, w.id, w.condition, w.url, w.created_at';

export function watchRecords({ query, transaction }: Sql): WatchRecords {
  const find = async (column: 'id' | 'key', value: string): Promise<ImageWatch | undefined> => {
    const [row] = await query(`select ${COLUMNS} from watches w where ${column} = $1`, [value]);
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
      const rows = await query(`select ${COLUMNS} from watches w where w.seq > $1::bigint order by w.seq limit $2`, [after, limit + 1]);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return { items: shown.map(watchOf), ...(rows.length > limit && last !== undefined ? { next: cursorOf(text(last, 'seq')) } : {}) };
    },
    removeWatch: async (id) => (await query('delete from watches where id = $1 returning id', [id])).length > 0,
    async tellOfSecurityData(compose) {
      const [state] = await query('select document, told from security_data');
      if (state === undefined || state['told'] === state['document']) return;
      // What was told is left out of the next turn, so the last turn finds nothing.
      while ((await transaction((within) => tellAffected(within, compose))) > 0);
      await query(`update security_data set told = $1 where document = $1 and loaded_at < now() - interval '${TOLD_AFTER}'`, [
        state['document'],
      ]);
    },
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
     select ${COLUMNS}, h.id as package, h.name, h.version, null as cve, null as fixed, null as urgency
     from held h join watches w on w.package = h.name and h.version_key < w.older_key
     union all
     select ${COLUMNS}, h.id, h.name, h.version, null, null, null
     from held h join watches w on w.package = h.source and w.package <> h.name and h.source_version_key < w.older_key
     union all
     select ${COLUMNS}, h.id, h.name, h.version, i.cve, i.fixed, i.urgency
     from (select distinct on (cve, source) * from issues) i join watches w on w.cve = i.cve
     join held h on h.source = i.source and h.source_version_key < i.fixed_key
     order by 1, 6`,
    [seq],
  );
  for (const match of affectedMatches(affected, () => judged)) await tell(query, match, compose);

  const watching = await query(`select ${COLUMNS} from watches w where w.reference = $1 order by w.seq`, [record.image.reference]);
  const before = watching.length === 0 ? undefined : await verdictBefore(query, seq);
  if (before === undefined) return;
  const { result, auditable } = record.verdict;
  for (const row of watching) {
    const after = { verdict: record.digest, result, auditable };
    const cause = `verification ${record.verification}`;
    await tell(query, { ...judged, watch: watchOf(row), type: 'verdict.changed', cause, before, after }, compose);
  }
}

/** The verdict of the same reference and platform that came before. */
async function verdictBefore(query: Query, seq: string): Promise<JudgedResult | undefined> {
  const [row] = await query(
    `select d.digest, d.verdict from verifications v
     join verifications n on n.seq = $1 and n.reference = v.reference and n.platform is not distinct from v.platform
     join verdicts d on d.verification = v.id
     where v.seq < $1 order by v.seq desc limit 1`,
    [seq],
  );
  if (row === undefined) return undefined;
  const { result, auditable } = document<Verdict>(row, 'verdict');
  return { verdict: text(row, 'digest') as Digest, result, auditable };
}

/** Of a reference its newest verdict counts; the others were replaced. */
const NEWEST = `not exists (
  select 1 from verifications n
  where n.reference = v.reference and n.seq > v.seq and n.status = 'done' and n.platform is not distinct from v.platform
)`;
const FOUND = `${COLUMNS}, p.name, p.version, i.source, i.cve, i.fixed, i.urgency, v.id as verification, v.seq as verdict_seq,
  v.manifest_digest, d.image, d.digest as verdict`;

/**
 * Images that security data of after a watch was made affects, as far as nobody was told: of a watched CVE, and of a watched reference
 * every issue for which a fix is out. Each step is an index's; `offset 0` keeps the planner, which may know nothing of the tables, from
 * turning them round.
 */
async function tellAffected(query: Query, compose: ComposeDelivery): Promise<number> {
  const rows = await query(
    `select * from (
       select ${FOUND}
       from watches w
       join security_issues i on i.cve = w.cve and i.changed_at > w.created_at
       cross join lateral (
         select id, name, version from packages where source = i.source and source_version_key < i.fixed_key offset 0
       ) p
       cross join lateral (select verification from verification_packages where package = p.id offset 0) vp
       join verifications v on v.seq = vp.verification and v.release = i.release and ${NEWEST}
       join verdicts d on d.verification = v.id
       union all
       select ${FOUND}
       from watches w
       join verifications v on v.reference = w.reference and v.status = 'done' and ${NEWEST}
       join verdicts d on d.verification = v.id
       cross join lateral (
         select p.* from verification_packages vp join packages p on p.id = vp.package where vp.verification = v.seq offset 0
       ) p
       cross join lateral (
         select * from security_issues
         where source = p.source and release = v.release and status = 'resolved' and urgency <> 'unimportant'
           and p.source_version_key < fixed_key and changed_at > w.created_at offset 0
       ) i
     ) found
     where not exists (
       select 1 from watch_events e where e.watch = found.id and e.digest = found.manifest_digest and e.cause = ${CAUSE}
     )
     order by seq, verdict_seq, source, fixed, name, cve limit ${MATCHES_AT_ONCE}`,
  );
  const judged = (row: Row): Judged => ({
    image: document<WatchMatch['image']>(row, 'image'),
    verification: text(row, 'verification'),
    verdict: text(row, 'verdict') as Digest,
  });
  const matches = affectedMatches(rows, judged);
  // The last one may go on beyond the limit: it comes first in the next turn.
  if (rows.length === MATCHES_AT_ONCE && matches.length > 1) matches.pop();
  for (const match of matches) await tell(query, match, compose);
  return rows.length;
}

/** {@link causeOf} in SQL. */
const CAUSE = `case when found.condition like '{"cve":%' then found.cve else 'fix ' || found.source || ' ' || found.fixed end`;

type Judged = Pick<WatchMatch, 'image' | 'verification' | 'verdict'>;

/** One match for each watch, image and cause, with everything that was found. */
function affectedMatches(rows: readonly Row[], judgedOf: (row: Row) => Judged): WatchMatch[] {
  const matches = new Map<string, WatchMatch & { type: 'image.affected' }>();
  for (const row of rows) {
    const watch = watchOf(row);
    const judged = judgedOf(row);
    const cause = causeOf(watch.condition, row);
    const key = [watch.id, judged.verification, cause].join(' ');
    const match = matches.get(key) ?? { ...judged, watch, type: 'image.affected' as const, cause, hits: [] };
    match.hits.push(hitOf(row));
    matches.set(key, match);
  }
  return [...matches.values()];
}

function causeOf(condition: Condition, row: Row): string {
  if ('package' in condition) return `${condition.package} older than ${condition.olderThan}`;
  return 'cve' in condition ? condition.cve : `fix ${text(row, 'source')} ${text(row, 'fixed')}`;
}

/** Once for each watch, image digest and cause: who inserts the event inserts the delivery, in one transaction. */
async function tell(query: Query, match: WatchMatch, compose: ComposeDelivery): Promise<void> {
  const delivery = compose(match);
  if (delivery === undefined) return;
  const first = await query('insert into watch_events (watch, digest, cause) values ($1, $2, $3) on conflict do nothing returning watch', [
    match.watch.id,
    match.image.manifestDigest,
    match.cause,
  ]);
  if (first.length > 0) await insertDelivery(query, delivery);
}

function hitOf(row: Row): WatchHit {
  return {
    package: text(row, 'name'),
    version: text(row, 'version'),
    ...optional('cve', row['cve'], String),
    ...optional('fixed', row['fixed'], String),
    ...optional('urgency', row['urgency'], String),
  };
}

function watchOf(row: Row): ImageWatch {
  return {
    id: text(row, 'id'),
    condition: document<Condition>(row, 'condition'),
    url: text(row, 'url'),
    createdAt: time(row, 'created_at'),
  };
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
