import { Pool, type PoolClient } from 'pg';
import type { PGlite, Transaction } from '@electric-sql/pglite';
import { Problem } from '../../problem.ts';

export type Row = Record<string, unknown>;
export type Query = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** The one SQL that both databases speak. Errors come out as problems. */
export type Sql = {
  query: Query;
  /** All or nothing. What `work` throws rolls everything back. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

const CONNECTIONS_MAX = 10;
const CONNECT_MILLISECONDS = 3_000;
// No statement of ours takes a second; a database that takes longer is away.
const STATEMENT_MILLISECONDS = 20_000;

/** PostgreSQL 13 or later. `onError` hears of idle connections that broke. */
export function postgresSql(url: string, onError: (error: unknown) => void): Sql {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    query_timeout: STATEMENT_MILLISECONDS,
    statement_timeout: STATEMENT_MILLISECONDS,
    idle_in_transaction_session_timeout: STATEMENT_MILLISECONDS,
    application_name: 'conforme',
  });
  pool.on('error', onError);
  const queryOf =
    (client: Pool | PoolClient): Query =>
    async (text, values = []) =>
      (await client.query<Row>(text, [...values])).rows;
  const query = queryOf(pool);

  return {
    query: (text, values) => translated(() => query(text, values)),
    transaction: (work) =>
      translated(async () => {
        const client = await pool.connect();
        // A connection that breaks while checked out tells it here as well, and an event nobody hears ends the process.
        client.on('error', onError);
        let broken: Error | undefined;
        try {
          await client.query('begin');
          const result = await work(queryOf(client));
          await client.query('commit');
          return result;
        } catch (thrown) {
          await client.query('rollback').catch((error: unknown) => {
            broken = error instanceof Error ? error : new Error('rollback failed');
          });
          throw thrown;
        } finally {
          client.off('error', onError);
          client.release(broken);
        }
      }),
    close: () => pool.end(),
  };
}

/** PostgreSQL in this process. */
export function pgliteSql(database: PGlite): Sql {
  const queryOf =
    (target: PGlite | Transaction): Query =>
    async (text, values = []) =>
      (await target.query<Row>(text, [...values])).rows;
  return {
    query: (text, values) => translated(() => queryOf(database)(text, values)),
    transaction: (work) => translated(() => database.transaction((transaction) => work(queryOf(transaction)))),
    close: () => database.close(),
  };
}

// Class 08 connection, 53 resources, 57P0x shutdown, 58 system, 40 serialisation and deadlock, 55P03 lock, 57014 timeout, 25006
// read only (a standby): all go away by themselves. https://www.postgresql.org/docs/15/errcodes-appendix.html
const PASSING = /^(08...|53...|57P0.|57014|58...|40...|55P03|25006|25P03)$/;
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const MESSAGES = /terminated|timeout|not queryable|connection|pglite is clos/i;

async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    const { code = '', message = '' } = thrown as { code?: string; message?: string };
    if (PASSING.test(code) || NETWORK.has(code) || (code === '' && MESSAGES.test(message)))
      throw new Problem('database-unavailable', 'the database does not answer', { cause: thrown, retryAfter: 5 });
    throw new Problem('internal', 'the database refused a statement', { cause: thrown });
  }
}
