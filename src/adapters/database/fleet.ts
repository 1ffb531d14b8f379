import { debianVersionKey } from '../../model/debian-version-key.ts';
import { type Digest, hexOf } from '../../model/digest.ts';
import type { FleetItem, FleetPage, PageRequest } from '../../model/fleet.ts';
import type { Records } from '../../ports.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import { document, IS_NEWEST, optional, plain, text } from './rows.ts';
import { KEY_MAX, securityData } from './security-data.ts';
import type { Query, Row, Sql } from './sql.ts';

type FleetRecords = Pick<Records, 'imagesWithPackage' | 'imagesWithFile' | 'imagesWithCve'>;

/** Behind every verification. */
const SEQ_MAX = '4611686018427387904';

/**
 * `hits` has a row for each place that was found: verification, key (which tells places in one verification apart, ascending), layer
 * and what else the question asks for, at most one more than the page, in the order of the answer. Only what is on the page is
 * looked up further.
 */
const WHERE_AND_WHAT = `
  select hits.*, v.id as verification_id, d.image, d.digest as verdict_digest, d.result,
    l.digest as layer_digest, l.line, l.created_by, ${IS_NEWEST} as latest
  from hits
  join verifications v on v.seq = hits.verification
  join verdicts d on d.verification = v.id
  left join verification_layers l on l.verification = hits.verification and l.layer = hits.layer
  order by hits.verification desc, hits.key`;

/**
 * Of one package the newest verdicts that hold it and come behind the cursor ($1 and $2), as many as the page may need ($3). An index
 * answers each of these, so that the time depends on the page and not on the number of images.
 */
const NEWEST_OF_EACH = `
  cross join lateral (
    select vp.verification, vp.layer from verification_packages vp
    where vp.package = w.id and vp.verification < $1::bigint + case when w.key > $2::bigint then 1 else 0 end
    order by vp.verification desc limit $3::int
  ) found`;

const PACKAGES = 'id, id as key, name, version, architecture, source, source_version';

const WITH_PACKAGE = `
  with w as (
    select ${PACKAGES} from packages where name = $4 and version_key < $5
    union all
    select ${PACKAGES} from packages where source = $4 and name <> $4 and source_version_key < $5
  ), hits as (
    select w.*, found.verification, found.layer from w ${NEWEST_OF_EACH}
    order by found.verification desc, w.key limit $3::int
  ) ${WHERE_AND_WHAT}`;

// Two kinds of places: files of packages have even keys, all others odd ones.
const WITH_FILE = `
  with sets as materialized (
    select file_set, path from file_set_files where digest = decode($4, 'hex')
  ), w as materialized (
    select p.*, 2 * p.id as key, sets.path
    from sets cross join lateral (
      select id, name, version, architecture, source, source_version from packages where file_set = sets.file_set offset 0
    ) p
  ), hits as (
    select * from (
      select w.*, false as hidden, found.verification, found.layer from w ${NEWEST_OF_EACH}
      union all
      select null, null, null, null, null, null, found.key, sets.path, found.hidden, found.verification, found.layer
      from sets cross join lateral (
        select 2 * vs.id + 1 as key, vs.hidden, vs.verification, vs.layer from verification_file_sets vs
        where vs.file_set = sets.file_set and vs.verification <= $1::bigint
          and (vs.verification < $1::bigint or 2 * vs.id + 1 > $2::bigint)
        order by vs.verification desc, vs.id limit $3::int
      ) found
    ) places
    order by verification desc, key limit $3::int
  ) ${WHERE_AND_WHAT}`;

// What the tracker says of a source package holds for one release.
const WITH_CVE = `
  with w as materialized (
    select p.*, p.id as key, i.cve, i.fixed, i.urgency
    from (select source, release, cve, fixed, fixed_key, urgency from security_issues where cve = $4) i
    cross join lateral (
      select id, name, version, architecture, source, source_version
      from packages where source = i.source and release = i.release and source_version_key < i.fixed_key offset 0
    ) p
  ), hits as (
    select w.*, found.verification, found.layer from w ${NEWEST_OF_EACH}
    order by found.verification desc, w.key limit $3::int
  ) ${WHERE_AND_WHAT}`;

/** Questions about every image that was ever judged. */
export function fleetRecords({ query }: Pick<Sql, 'query'>): FleetRecords {
  return {
    imagesWithPackage: ({ name, olderThan }, page) =>
      pageOf(query, WITH_PACKAGE, page, [plain(name), olderThan === undefined ? KEY_MAX : debianVersionKey(olderThan)]),
    imagesWithFile: (digest, page) => pageOf(query, WITH_FILE, page, [hexOf(digest)]),
    async imagesWithCve(cve, page) {
      const known = await securityData(query);
      if (known === undefined) return undefined;
      const { document: _, ...tracker } = known;
      return { ...(await pageOf(query, WITH_CVE, page, [cve])), tracker };
    },
  };
}

async function pageOf(query: Query, statement: string, { limit, cursor }: PageRequest, values: readonly unknown[]): Promise<FleetPage> {
  const [seq, key] = cursor === undefined ? [SEQ_MAX, '0'] : parseCursor(cursor, 2);
  const rows = await query(statement, [seq, key, limit + 1, ...values]);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const page = { items: shown.map(item) };
  return rows.length > limit && last !== undefined ? { ...page, next: cursorOf(text(last, 'verification'), text(last, 'key')) } : page;
}

function item(row: Row): FleetItem {
  return {
    image: document(row, 'image'),
    verification: text(row, 'verification_id'),
    verdict: text(row, 'verdict_digest') as Digest,
    result: text(row, 'result') as FleetItem['result'],
    latest: row['latest'] === true,
    ...(row['name'] === null
      ? {}
      : {
          package: {
            name: text(row, 'name'),
            version: text(row, 'version'),
            architecture: text(row, 'architecture'),
            source: text(row, 'source'),
            sourceVersion: text(row, 'source_version'),
          },
        }),
    ...optional('issue', row['cve'], (cve) => ({
      cve: String(cve),
      urgency: text(row, 'urgency'),
      ...optional('fixed', row['fixed'], String),
    })),
    ...optional('path', row['path'], String),
    ...optional('hidden', row['hidden'], Boolean),
    ...optional('layer', row['layer'], Number),
    ...optional('layerDigest', row['layer_digest'], (value) => String(value) as Digest),
    ...optional('line', row['line'], Number),
    ...optional('createdBy', row['created_by'], String),
  };
}
