import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Digest } from '../../model/digest.ts';
import type { WatchMatch } from '../../model/watch.ts';
import type { ComposeDelivery } from '../../ports.ts';
import { document, IS_NEWEST, text } from './rows.ts';
import { KEY_MAX } from './security-data.ts';
import type { Query, Row, Sql } from './sql.ts';
import { affectedMatches, CAUSE_OF_FIX, tell, WATCH_COLUMNS } from './watch-matches.ts';

/** Verifications that one turn looks at and tells of: while it lasts, some 20 ms, the embedded database answers nobody else. */
const VERIFICATIONS_AT_ONCE = 200;
/** Told in one transaction, for the same reason. */
const MATCHES_AT_ONCE = 200;
/** For this long a verdict may still be being stored that was held against the data before: new data are gone through twice. */
const TOLD_AFTER = '5 minutes';

/**
 * Tells of the images that security data of after a watch was made affects, as far as nobody was told. Goes in turns, so that others are
 * answered between them, and may be cut off and done again at any point.
 */
export async function tellOfSecurityData({ query, transaction }: Sql, compose: ComposeDelivery): Promise<void> {
  const [state] = await query(
    `select document, told, loaded_at::text as loaded_at, loaded_at < now() - interval '${TOLD_AFTER}' as settled from security_data`,
  );
  if (state === undefined) return;
  const settled = state['settled'] === true;
  const current = text(state, 'document');
  const done = settled ? current : `once ${current}`;
  if (state['told'] === current || state['told'] === done) return;
  for (const watch of await query(`select ${WATCH_COLUMNS}, w.cve from watches w where w.package is null order by w.seq`)) {
    for await (const rows of watch['cve'] === null ? affectedReference(query, watch) : affectedByCve(query, watch)) {
      await othersTurn(); // the embedded database never waits for the event loop, and one statement after the other keeps all else out
      const matches = affectedMatches(rows, judgedOf);
      for (let start = 0; start < matches.length; start += MATCHES_AT_ONCE)
        await transaction((within) => tell(within, matches.slice(start, start + MATCHES_AT_ONCE), compose));
    }
  }
  await query(
    `update security_data set told = $1, told_until = case when $3 then $4::timestamptz else told_until end where document = $2`,
    [done, current, settled, text(state, 'loaded_at')],
  );
}

function judgedOf(row: Row): Pick<WatchMatch, 'image' | 'verification' | 'verdict'> {
  return {
    image: document<WatchMatch['image']>(row, 'image'),
    verification: text(row, 'verification'),
    verdict: text(row, 'verdict') as Digest,
  };
}

/**
 * What the CVE affects, asked once for each version of a package and not for each image. Of what was told to the end, verdicts tell
 * when they are stored. Each step here and below is an index's; `offset 0`, and a value in place of
 * `not exists`, keep the planner, which may know nothing of the tables, from turning them round.
 */
const PACKAGES_OF_CVE = `
  select p.id as package, p.name, p.version, i.source, i.cve, i.fixed, i.urgency
  from watches w
  join security_issues i on i.cve = w.cve and i.changed_at > greatest(w.created_at, (select told_until from security_data))
  cross join lateral (
    select id, name, version from packages
    where source = i.source and release = i.release and source_version_key < i.fixed_key offset 0
  ) p
  where w.id = $1`;

/** The first verification behind $2 that holds one of the packages $1. */
const NEXT_VERIFICATION = `
  select min(found.verification) as seq from unnest($1::bigint[]) as given (package)
  cross join lateral (
    select verification from verification_packages where package = given.package and verification > $2::bigint
    order by verification limit 1
  ) found`;

/** Of the verifications from $2 on those that hold one of the packages $1, are not replaced, and that $3 was not told of for $4. */
const HOLDING = `
  select given.package, v.id as verification, d.image, d.digest as verdict
  from unnest($1::bigint[]) as given (package)
  cross join lateral (
    select verification from verification_packages
    where package = given.package and verification between $2::bigint and $2::bigint + ${VERIFICATIONS_AT_ONCE - 1} offset 0
  ) vp
  join verifications v on v.seq = vp.verification and ${IS_NEWEST}
  join verdicts d on d.verification = v.id
  where (select at from watch_events where watch = $3 and digest = v.manifest_digest and cause = $4) is null
  order by v.seq, given.package`;

async function* affectedByCve(query: Query, watch: Row): AsyncGenerator<Row[]> {
  const packages = new Map((await query(PACKAGES_OF_CVE, [watch['id']])).map((row) => [text(row, 'package'), row]));
  const ids = [...packages.keys()];
  for (let after = '0'; ids.length > 0;) {
    const [next] = await query(NEXT_VERIFICATION, [ids, after]);
    if (next === undefined || next['seq'] === null) return;
    const rows = await query(HOLDING, [ids, text(next, 'seq'), watch['id'], watch['cve']]);
    yield rows.map((row) => ({ ...watch, ...packages.get(text(row, 'package')), ...row }));
    after = String(BigInt(text(next, 'seq')) + BigInt(VERIFICATIONS_AT_ONCE - 1));
  }
}

/** Of a watched reference every issue for which a fix is out, asked once for each version of a source package. */
const FIXES_OF_REFERENCE = `
  with v as materialized (
    select v.seq, v.id, v.release, v.manifest_digest, w.created_at from watches w
    join verifications v on v.reference = w.reference and v.status = 'done' and ${IS_NEWEST}
    where w.id = $1
  ), held as materialized (
    select v.seq, p.* from v cross join lateral (
      select package from verification_packages where verification = v.seq offset 0
    ) vp cross join lateral (
      select name, version, source, source_version_key from packages where id = vp.package offset 0
    ) p
  ), fixes as materialized (
    select s.*, i.cve, i.fixed, i.urgency
    from (
      select distinct v.seq, v.release, v.manifest_digest, v.created_at, held.source, held.source_version_key from v join held on held.seq = v.seq
    ) s
    cross join lateral (
      select cve, fixed, urgency from security_issues
      where source = s.source and release = s.release and fixed_key > s.source_version_key and fixed_key < $2::bytea
        and status = 'resolved' and urgency <> 'unimportant' and changed_at > s.created_at offset 0
    ) i
  ), news as materialized (
    select * from fixes
    where (select at from watch_events where watch = $1 and digest = fixes.manifest_digest and cause = ${CAUSE_OF_FIX}) is null
  )
  select held.name, held.version, news.source, news.cve, news.fixed, news.urgency, v.id as verification, d.image, d.digest as verdict
  from news
  join held on held.seq = news.seq and held.source = news.source and held.source_version_key = news.source_version_key
  join v on v.seq = news.seq
  join verdicts d on d.verification = v.id
  order by v.seq, news.source, news.fixed, held.name, news.cve`;

async function* affectedReference(query: Query, watch: Row): AsyncGenerator<Row[]> {
  yield (await query(FIXES_OF_REFERENCE, [watch['id'], KEY_MAX])).map((row) => ({ ...watch, ...row }));
}
