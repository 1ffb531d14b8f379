import { debianVersionKey } from '../../model/debian-version-key.ts';
import { Problem } from '../../problem.ts';
import { text } from './rows.ts';
import type { Query, Sql } from './sql.ts';

/** A statement, or what SQL alone cannot do. */
type Migration = string | ((query: Query) => Promise<void>);

/**
 * Applied in order, each once, never changed afterwards. Documents are `text`, not `jsonb`: they are read whole, and jsonb refuses
 * the escape of NUL that a hostile string may hold.
 */
const MIGRATIONS: readonly (readonly Migration[])[] = [
  [
    `create table verifications (
      seq bigint generated always as identity unique,
      id text primary key,
      request_key text not null,
      job text not null,
      reference text not null,
      digest text not null,
      manifest_digest text not null,
      status text not null check (status in ('queued', 'running', 'done', 'failed')),
      step text not null,
      problem text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`,
    // A request that failed may be made again; any other is made once.
    `create unique index verifications_request on verifications (request_key) where status <> 'failed'`,
    `create index verifications_reference on verifications (reference, seq desc)`,
    `create index verifications_digest on verifications (digest, seq desc)`,
    `create index verifications_manifest on verifications (manifest_digest, seq desc)`,
    `create index verifications_unfinished on verifications (seq) where status in ('queued', 'running')`,
    `create table verdicts (
      verification text primary key references verifications (id),
      digest text not null,
      image text not null,
      result text not null,
      verdict text not null,
      statement bytea not null,
      signature text not null,
      account text not null,
      differences text not null,
      created_at timestamptz not null default now()
    )`,
    `create index verdicts_digest on verdicts (digest)`,
    `create function refuse_change() returns trigger language plpgsql as $$
      begin raise exception 'verdicts are never changed' using errcode = 'restrict_violation'; end $$`,
    `create trigger verdicts_are_kept before update or delete on verdicts for each row execute function refuse_change()`,
    `create trigger verdicts_are_not_emptied before truncate on verdicts for each statement execute function refuse_change()`,
    `create table packages (
      id bigint generated always as identity primary key,
      name text not null,
      version text not null,
      architecture text not null,
      source text not null,
      source_version text not null,
      unique (name, version, architecture, source, source_version)
    )`,
    `create index packages_source on packages (source)`,
    `create table verification_packages (
      package bigint not null references packages (id),
      verification bigint not null references verifications (seq),
      layer integer,
      primary key (package, verification)
    )`,
    `create table idempotency_keys (
      key text primary key,
      body_digest text not null,
      verification text not null references verifications (id),
      expires_at timestamptz not null
    )`,
    `create table deliveries (
      seq bigint generated always as identity unique,
      id text primary key,
      verification text not null references verifications (id),
      url text not null,
      event text not null,
      body text not null,
      status text not null check (status in ('pending', 'delivered', 'failed'))
    )`,
    `create index deliveries_verification on deliveries (verification, seq)`,
    `create index deliveries_pending on deliveries (seq) where status = 'pending'`,
    `create table delivery_attempts (
      seq bigint generated always as identity primary key,
      delivery text not null references deliveries (id),
      at timestamptz not null,
      http_status integer,
      error text
    )`,
    // Public halves of every key that signed: those that cannot see the key's folder serve them.
    `create table signing_keys (
      fingerprint text primary key,
      armored text not null,
      seq bigint generated always as identity
    )`,
    `create index delivery_attempts_delivery on delivery_attempts (delivery, seq)`,
  ],
  // Questions about everything that was judged: versions by a key whose bytes are in dpkg's order, files by sets of them.
  [
    `alter table verifications add column platform text, add column release text`,
    `alter table packages add column version_key bytea, add column source_version_key bytea, add column file_set bigint not null default 0`,
    addVersionKeys,
    `alter table packages drop constraint packages_name_version_architecture_source_source_version_key`,
    `alter table packages add constraint packages_identity unique (name, version, architecture, source, source_version, file_set)`,
    `drop index packages_source`,
    `create index packages_source on packages (source, source_version_key)`,
    `create index packages_name on packages (name, version_key)`,
    `create index packages_file_set on packages (file_set)`,
    `create index verification_packages_verification on verification_packages (verification)`,
    `create table file_sets (id bigint generated always as identity primary key, digest text not null unique)`,
    `create table file_set_files (
      digest bytea not null,
      file_set bigint not null references file_sets (id),
      path text not null,
      primary key (digest, file_set)
    )`,
    `create table verification_file_sets (
      id bigint generated always as identity primary key,
      file_set bigint not null references file_sets (id),
      verification bigint not null references verifications (seq),
      layer integer not null,
      hidden boolean not null
    )`,
    `create index verification_file_sets_set on verification_file_sets (file_set, verification)`,
    `create table verification_layers (
      verification bigint not null references verifications (seq),
      layer integer not null,
      digest text not null,
      line integer,
      created_by text,
      primary key (verification, layer)
    )`,
  ],
  // What the security tracker says, and who wants to be told.
  [
    `create table security_data (
      only_one boolean primary key default true check (only_one),
      url text not null,
      digest text not null,
      fetched_at text not null,
      document text not null,
      loaded_at timestamptz not null default now(),
      told text
    )`,
    `create table security_sources (source text primary key, digest text not null)`,
    `create table security_issues (
      cve text not null,
      source text not null,
      release text not null,
      status text not null,
      fixed text,
      fixed_key bytea not null,
      urgency text not null,
      changed_at timestamptz not null default now(),
      primary key (cve, source, release)
    )`,
    `create index security_issues_source on security_issues (source)`,
    `create index security_issues_changed on security_issues (changed_at)`,
    `create table watches (
      seq bigint generated always as identity unique,
      id text primary key,
      condition text not null,
      url text not null,
      package text,
      older_key bytea,
      cve text,
      reference text,
      created_at timestamptz not null default now(),
      key text not null unique
    )`,
    `create index watches_package on watches (package)`,
    `create index watches_cve on watches (cve)`,
    `create index watches_reference on watches (reference)`,
    `create table watch_events (
      watch text not null references watches (id) on delete cascade,
      digest text not null,
      cause text not null,
      at timestamptz not null default now(),
      primary key (watch, digest, cause)
    )`,
  ],
  // Work that is bounded by its answer: packages know their release, issues are found by it, and so is the newest verdict of a reference.
  [
    `alter table packages add column release text not null default ''`,
    // Nearly every package is of one release; the others get a row for each.
    `update packages p set release = coalesce((
      select v.release from verification_packages vp join verifications v on v.seq = vp.verification where vp.package = p.id limit 1
    ), '')`,
    `alter table packages drop constraint packages_identity`,
    `alter table packages add constraint packages_identity
      unique (name, version, architecture, source, source_version, file_set, release)`,
    `create table packages_elsewhere as
      select vp.package, vp.verification, coalesce(v.release, '') as release
      from verification_packages vp join verifications v on v.seq = vp.verification join packages p on p.id = vp.package
      where p.release <> coalesce(v.release, '')`,
    `insert into packages (name, version, architecture, source, source_version, file_set, version_key, source_version_key, release)
      select distinct name, version, architecture, source, source_version, file_set, version_key, source_version_key, e.release
      from packages_elsewhere e join packages p on p.id = e.package`,
    `update verification_packages vp set package = n.id
      from packages_elsewhere e join packages p on p.id = e.package join packages n
        on (n.name, n.version, n.architecture, n.source, n.source_version, n.file_set, n.release)
         = (p.name, p.version, p.architecture, p.source, p.source_version, p.file_set, e.release)
      where vp.package = e.package and vp.verification = e.verification`,
    `drop table packages_elsewhere`,
    `drop index security_issues_source`,
    `create index security_issues_source on security_issues (source, release, fixed_key)`,
    `create index verifications_done on verifications (reference, coalesce(platform, ''), seq) where status = 'done'`,
    `alter table security_data add column told_until timestamptz not null default '-infinity'`,
  ],
  // What receivers of webhooks answer.
  [`alter table delivery_attempts add column answer text`],
  // Signatures in the forms that other programs look for, and the public half of the key for envelopes.
  [
    `alter table verdicts add column seals text`,
    `create table envelope_keys (key_id text primary key, pem text not null, seq bigint generated always as identity)`,
  ],
];

async function addVersionKeys(query: Query): Promise<void> {
  for (const row of await query('select id, version, source_version from packages')) {
    const keys = [debianVersionKey(text(row, 'version')), debianVersionKey(text(row, 'source_version'))];
    await query('update packages set version_key = $2, source_version_key = $3 where id = $1', [row['id'], ...keys]);
  }
}

// Any number that nothing else in a shared database uses.
const ADVISORY_LOCK = 7_226_637_302;

/** Brings the schema up to date, or up to `to`; processes that start at once wait for the first. */
export async function migrate(sql: Sql, to = MIGRATIONS.length): Promise<void> {
  await sql.transaction(async (query) => {
    await query('select pg_advisory_xact_lock($1::bigint)', [ADVISORY_LOCK]);
    await query('create table if not exists conforme_schema (version integer primary key, applied_at timestamptz not null default now())');
    const applied = Number((await query('select coalesce(max(version), 0) as version from conforme_schema'))[0]?.['version'] ?? 0);
    if (applied > MIGRATIONS.length)
      throw new Problem('environment-missing', `the database has schema ${applied}; this version of conforme knows ${MIGRATIONS.length}`);
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < applied || index >= to) continue;
      for (const statement of statements) await (typeof statement === 'string' ? query(statement) : statement(query));
      await query('insert into conforme_schema (version) values ($1)', [index + 1]);
    }
  });
}
