import type { Digest } from '../../model/digest.ts';
import type { Seals } from '../../model/seals.ts';
import type { Verdict } from '../../model/verdict.ts';
import type { ProblemDocument, Status, Step, VerdictRecord, Verification, VerificationJob } from '../../model/verification.ts';
import type { Delivery } from '../../ports.ts';
import type { Row } from './sql.ts';

// Both drivers give text as string, timestamptz as Date, int8 as string or number, bytea as Buffer or Uint8Array. What is read here
// was written by `records.ts` from the same types.

export const text = (row: Row, column: string): string => String(row[column]);

export function time(row: Row, column: string): string {
  return new Date(row[column] as string | Date).toISOString();
}

export function document<T>(row: Row, column: string): T {
  return JSON.parse(text(row, column)) as T;
}

/** A member where the column has a value. */
export function optional<const Name extends string, T>(name: Name, value: unknown, read: (value: unknown) => T): { [key in Name]?: T } {
  return value === null || value === undefined ? {} : ({ [name]: read(value) } as { [key in Name]?: T });
}

/** PostgreSQL's text holds no NUL, and its UTF-8 no lone surrogate; names out of an image may have either. */
export function plain(value: string): string {
  return value.replaceAll('\0', '\ufffd').toWellFormed();
}

/** Columns of `verifications v left join verdicts d`. */
export const VERIFICATION_COLUMNS =
  'v.seq, v.job, v.status, v.step, v.problem, v.created_at, v.updated_at, d.verdict, d.digest as verdict_digest';

/**
 * Whether `verifications v`, which ended with a verdict, is the newest of its reference and platform: the others were replaced. One look into
 * an index (`verifications_done`), however many were made of the reference: `not exists` would be turned into a join with all there are.
 */
export const IS_NEWEST = `v.seq = (
  select n.seq from verifications n
  where n.reference = v.reference and coalesce(n.platform, '') = coalesce(v.platform, '') and n.status = 'done'
  order by n.seq desc limit 1
)`;

export function verification(row: Row): Verification {
  return {
    ...document<VerificationJob>(row, 'job'),
    status: text(row, 'status') as Status,
    step: text(row, 'step') as Step,
    createdAt: time(row, 'created_at'),
    updatedAt: time(row, 'updated_at'),
    ...(row['verdict'] === null ? {} : { verdict: document<Verdict>(row, 'verdict') }),
    ...(row['verdict_digest'] === null ? {} : { verdictDigest: text(row, 'verdict_digest') as Digest }),
    ...(row['problem'] === null ? {} : { problem: document<ProblemDocument>(row, 'problem') }),
  };
}

export function verdictRecord(row: Row, packages: Row[]): VerdictRecord {
  return {
    digest: text(row, 'digest') as Digest,
    verification: text(row, 'verification'),
    image: document<VerificationJob['image']>(row, 'image'),
    verdict: document<Verdict>(row, 'verdict'),
    statement: row['statement'] as Uint8Array,
    signature: text(row, 'signature'),
    ...optional('seals', row['seals'], () => document<Seals>(row, 'seals')),
    account: text(row, 'account') as Digest,
    differences: text(row, 'differences') as Digest,
    packages: packages.map((each) => ({
      name: text(each, 'name'),
      version: text(each, 'version'),
      architecture: text(each, 'architecture'),
      source: text(each, 'source'),
      sourceVersion: text(each, 'source_version'),
      ...(each['layer'] === null ? {} : { layer: Number(each['layer']) }),
    })),
  };
}

export function delivery(row: Row, attempts: Row[]): Delivery {
  return {
    id: text(row, 'id'),
    verification: text(row, 'verification'),
    url: text(row, 'url'),
    event: text(row, 'event') as Delivery['event'],
    body: text(row, 'body'),
    status: text(row, 'status') as Delivery['status'],
    attempts: attempts
      .filter((attempt) => attempt['delivery'] === row['id'])
      .map((attempt) => ({
        at: time(attempt, 'at'),
        ...(attempt['http_status'] === null ? {} : { status: Number(attempt['http_status']) }),
        ...optional('answer', attempt['answer'], String),
        ...(attempt['error'] === null ? {} : { error: text(attempt, 'error') }),
      })),
  };
}
