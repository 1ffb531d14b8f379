import type { Digest } from '../../model/digest.ts';
import { formatPlatform } from '../../model/platform.ts';
import type { Seals } from '../../model/seals.ts';
import type { VerdictRecord, VerificationJob } from '../../model/verification.ts';
import type { Records } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { insertContents } from './contents.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import { deliveryRecords, insertDeliveries } from './deliveries.ts';
import { fleetRecords } from './fleet.ts';
import { securityRecords } from './security-data.ts';
import { document, optional, plain, text, verdictRecord, verification, VERIFICATION_COLUMNS } from './rows.ts';
import type { Query, Row, Sql } from './sql.ts';
import { tellOfVerdict, watchRecords } from './watches.ts';

/** How long an Idempotency-Key is remembered. */
const KEY_HOURS = 24;

const VERIFICATIONS = `select ${VERIFICATION_COLUMNS} from verifications v left join verdicts d on d.verification = v.id`;

/** The records on a migrated database. */
export function makeRecords(sql: Sql): Records {
  const { query, transaction } = sql;

  const one = async (where: string, values: readonly unknown[]) => {
    const [row] = await query(`${VERIFICATIONS} ${where} limit 1`, values);
    return row === undefined ? undefined : verification(row);
  };

  return {
    async accept(job, requestKey) {
      // A verification that fails between the two statements frees its key: then the next turn inserts.
      for (let turn = 0; turn < 5; turn++) {
        const { image } = job;
        const inserted = await query(
          `insert into verifications (id, request_key, job, reference, digest, manifest_digest, platform, status, step)
           values ($1, $2, $3, $4, $5, $6, $7, 'queued', 'queued')
           on conflict (request_key) where status <> 'failed' do nothing returning id`,
          [
            job.id,
            requestKey,
            JSON.stringify(job),
            plain(image.reference),
            image.digest,
            image.manifestDigest,
            formatPlatform(image.platform),
          ],
        );
        const found = await one(`where v.request_key = $1 and v.status <> 'failed'`, [requestKey]);
        if (found !== undefined) return { verification: found, created: inserted.length > 0 };
      }
      throw new Problem('database-unavailable', 'the same request fails again and again', { retryAfter: 5 });
    },

    async idempotent(key, bodyDigest) {
      const [row] = await query('select body_digest, verification from idempotency_keys where key = $1 and expires_at > now()', [
        plain(key),
      ]);
      if (row === undefined) return undefined;
      if (row['body_digest'] !== bodyDigest)
        throw new Problem('idempotency-key-reused', 'this Idempotency-Key came with another request within the last day');
      return text(row, 'verification');
    },

    async rememberKey(key, bodyDigest, verificationId) {
      await query('delete from idempotency_keys where expires_at <= now()');
      await query(
        `insert into idempotency_keys (key, body_digest, verification, expires_at)
         values ($1, $2, $3, now() + make_interval(hours => $4::int)) on conflict (key) do nothing`,
        [plain(key), bodyDigest, verificationId, KEY_HOURS],
      );
    },

    get: (id) => one('where v.id = $1', [plain(id)]),

    async unfinished() {
      const rows = await query(`select job from verifications where status in ('queued', 'running') order by seq`);
      return rows.map((row) => JSON.parse(text(row, 'job')) as VerificationJob);
    },

    async setStatus(id, status, step) {
      await query(`update verifications set status = $2, step = $3, updated_at = now() where id = $1 and status in ('queued', 'running')`, [
        id,
        status,
        step,
      ]);
    },

    fail: (id, problem, deliveries = []) =>
      transaction(async (within) => {
        const failed = await within(
          `update verifications set status = 'failed', step = 'done', problem = $2, updated_at = now()
           where id = $1 and status in ('queued', 'running') returning id`,
          [id, JSON.stringify(problem)],
        );
        if (failed.length > 0) await insertDeliveries(within, deliveries);
      }),

    conclude: (record, deliveries = [], compose) =>
      transaction(async (within) => {
        const seq = await conclude(within, record);
        if (seq === undefined) return false;
        await insertDeliveries(within, deliveries);
        if (compose !== undefined) await tellOfVerdict(within, seq, record, compose);
        return true;
      }),

    async verdict(digest) {
      const [row] = await query('select * from verdicts where digest = $1 order by created_at limit 1', [digest]);
      return row === undefined ? undefined : verdictRecord(row, await packagesOf(query, text(row, 'verification')));
    },

    async verdictOf(id) {
      const [row] = await query('select * from verdicts where verification = $1', [plain(id)]);
      return row === undefined ? undefined : verdictRecord(row, await packagesOf(query, text(row, 'verification')));
    },

    async sealsOn(repository, manifestDigest, limit) {
      const rows = await query(
        `select d.digest, d.seals from verifications v join verdicts d on d.verification = v.id
         where v.manifest_digest = $1 and left(v.reference, $2::int) = any($3::text[]) order by v.seq desc limit $4`,
        [manifestDigest, repository.length + 1, [`${plain(repository)}:`, `${plain(repository)}@`], limit],
      );
      return rows.map((row) => ({
        digest: text(row, 'digest') as Digest,
        ...optional('seals', row['seals'], () => document<Seals>(row, 'seals')),
      }));
    },

    latest: (reference) => one('where v.reference = $1 or v.digest = $1 or v.manifest_digest = $1 order by v.seq desc', [plain(reference)]),

    async list(limit, cursor, image) {
      const [before = null] = cursor === undefined ? [] : parseCursor(cursor, 1);
      const rows = await query(
        `${VERIFICATIONS} where ($1::bigint is null or v.seq < $1::bigint)
           and ($3::text is null or v.digest = $3 or v.manifest_digest = $3 or position($3 in v.reference) > 0)
         order by v.seq desc limit $2`,
        [before, limit + 1, image === undefined ? null : plain(image)],
      );
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      const page = { items: items.map(verification) };
      return rows.length > limit && last !== undefined ? { ...page, next: cursorOf(text(last, 'seq')) } : page;
    },

    ...fleetRecords(sql),

    ...securityRecords(sql),

    ...watchRecords(sql),
    ...deliveryRecords(sql),

    async counts() {
      const statuses = await query('select status as name, count(*) as count from verifications group by status');
      const results = await query('select result as name, count(*) as count from verdicts group by result');
      const map = (rows: Row[]) => Object.fromEntries(rows.map((row) => [text(row, 'name'), Number(row['count'])]));
      return { verifications: map(statuses), verdicts: map(results) };
    },

    async ready() {
      await query('select 1');
    },
  };
}

/** The verification's number; undefined where it had ended before. */
async function conclude(query: Query, record: VerdictRecord): Promise<string | undefined> {
  const [row] = await query('select seq, status from verifications where id = $1 for update', [record.verification]);
  if (row === undefined) throw new Problem('internal', 'a verdict on a verification that was never accepted');
  // One that was told to have failed stays so: its request may have been made and judged anew.
  if (row['status'] === 'done' || row['status'] === 'failed') return undefined;
  await query(
    `insert into verdicts (verification, digest, image, result, verdict, statement, signature, account, differences, seals)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      record.verification,
      record.digest,
      JSON.stringify(record.image),
      record.verdict.result,
      JSON.stringify(record.verdict),
      record.statement,
      record.signature,
      record.account,
      record.differences,
      record.seals === undefined ? null : JSON.stringify(record.seals),
    ],
  );
  await insertContents(query, text(row, 'seq'), record);
  await query(`update verifications set status = 'done', step = 'done', release = $2, updated_at = now() where id = $1`, [
    record.verification,
    record.contents?.release ?? null,
  ]);
  return text(row, 'seq');
}

function packagesOf(query: Query, verificationId: string): ReturnType<Query> {
  return query(
    `select p.*, vp.layer from verification_packages vp
     join packages p on p.id = vp.package
     join verifications v on v.seq = vp.verification
     where v.id = $1 order by p.name collate "C", p.architecture collate "C", p.version collate "C"`,
    [verificationId],
  );
}
