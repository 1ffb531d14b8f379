import type { Condition, ImageWatch, WatchHit, WatchMatch } from '../../model/watch.ts';
import type { ComposeDelivery } from '../../ports.ts';
import { insertDeliveries } from './deliveries.ts';
import { document, optional, text, time } from './rows.ts';
import type { Query, Row } from './sql.ts';

/** Of `watches w`. */
export const WATCH_COLUMNS = 'w.seq, w.id, w.condition, w.url, w.created_at';

export function watchOf(row: Row): ImageWatch {
  return {
    id: text(row, 'id'),
    condition: document<Condition>(row, 'condition'),
    url: text(row, 'url'),
    createdAt: time(row, 'created_at'),
  };
}

type Judged = Pick<WatchMatch, 'image' | 'verification' | 'verdict'>;

/** One match for each watch, image and cause, with everything that was found. */
export function affectedMatches(rows: readonly Row[], judgedOf: (row: Row) => Judged): WatchMatch[] {
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

/** {@link causeOf} for a watch of a reference, in SQL. */
export const CAUSE_OF_FIX = `'fix ' || source || ' ' || fixed`;

function causeOf(condition: Condition, row: Row): string {
  if ('package' in condition) return `${condition.package} older than ${condition.olderThan}`;
  return 'cve' in condition ? condition.cve : `fix ${text(row, 'source')} ${text(row, 'fixed')}`;
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

/**
 * Once for each watch, image digest and cause: who inserts the event inserts the delivery, in one transaction. Nothing is told to a watch
 * that somebody removes meanwhile. The order is fixed, so that two transactions do not block each other.
 */
export async function tell(query: Query, matches: readonly WatchMatch[], compose: ComposeDelivery): Promise<void> {
  const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);
  const deliveries = new Map<string, NonNullable<ReturnType<ComposeDelivery>>>();
  const events: string[][] = [];
  for (const match of matches) {
    const event = [match.watch.id, match.image.manifestDigest, match.cause] as const;
    if (deliveries.has(keyOf(...event))) continue;
    const delivery = compose(match);
    if (delivery === undefined) continue;
    events.push([...event]);
    deliveries.set(keyOf(...event), delivery);
  }
  if (events.length === 0) return;
  const first = await query(
    `insert into watch_events (watch, digest, cause)
     select w.id, given.digest, given.cause from unnest($1::text[], $2::text[], $3::text[]) as given (watch, digest, cause)
     join watches w on w.id = given.watch order by w.seq, 2, 3 for key share of w
     on conflict do nothing returning watch, digest, cause`,
    [0, 1, 2].map((part) => events.map((event) => event[part])),
  );
  const told = new Set(first.map((row) => keyOf(text(row, 'watch'), text(row, 'digest'), text(row, 'cause'))));
  await insertDeliveries(
    query,
    [...deliveries].flatMap(([key, delivery]) => (told.has(key) ? [delivery] : [])),
  );
}
