import type { Delivery, Records } from '../../ports.ts';
import { delivery, plain } from './rows.ts';
import type { Query, Row, Sql } from './sql.ts';

type DeliveryRecords = Pick<Records, 'addDelivery' | 'delivery' | 'deliveriesOf' | 'redeliver' | 'recordAttempt' | 'pendingDeliveries'>;

// Reconciled every half minute; what is beyond comes with the next turn.
const PENDING_MAX = 1_000;
const ERROR_LENGTH_MAX = 500; // characters

/** Webhook deliveries and their attempts. */
export function deliveryRecords({ query, transaction }: Sql): DeliveryRecords {
  async function read(where: string, values: readonly unknown[]): Promise<ReturnType<typeof delivery>[]> {
    const rows: Row[] = await query(`select * from deliveries ${where}`, values);
    if (rows.length === 0) return [];
    const attempts = await query('select * from delivery_attempts where delivery = any($1::text[]) order by seq', [
      rows.map((row) => row['id']),
    ]);
    return rows.map((row) => delivery(row, attempts));
  }

  return {
    addDelivery: (added) => insertDeliveries(query, [added]),
    delivery: async (id) => (await read('where id = $1', [plain(id)]))[0],
    deliveriesOf: (verification) => read('where verification = $1 order by seq', [plain(verification)]),
    pendingDeliveries: () => read(`where status = 'pending' order by seq limit ${PENDING_MAX}`, []),
    async redeliver(id) {
      await query(`update deliveries set status = 'pending' where id = $1 and status <> 'pending'`, [plain(id)]);
      return (await read('where id = $1', [plain(id)]))[0];
    },
    recordAttempt: (id, attempt, status) =>
      transaction(async (within) => {
        const error = attempt.error === undefined ? null : plain(attempt.error).slice(0, ERROR_LENGTH_MAX);
        const { at, status: answered = null, answer = null } = attempt;
        const values = [id, at, answered, error, answer === null ? null : plain(answer)];
        await within('insert into delivery_attempts (delivery, at, http_status, error, answer) values ($1, $2, $3, $4, $5)', values);
        await within(`update deliveries set status = $2 where id = $1 and status <> 'delivered'`, [id, status]);
      }),
  };
}

export async function insertDeliveries(query: Query, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await query(
    `insert into deliveries (id, verification, url, event, body, status)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     on conflict (id) do nothing`,
    [
      deliveries.map(({ id }) => id),
      deliveries.map(({ verification }) => verification),
      deliveries.map(({ url }) => plain(url)),
      deliveries.map(({ event }) => event),
      deliveries.map(({ body }) => plain(body)),
      deliveries.map(({ status }) => status),
    ],
  );
}
