import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { RESULTS } from '../src/model/verdict.ts';
import { STATUSES } from '../src/model/verification.ts';
import type { Deps } from './deps.ts';
import { within } from './patience.ts';

export type Metrics = { contentType: string; text(): Promise<string> };

/** One registry for each app: a process can hold several (tests do), and prom-client's own is global. */
export function makeMetrics(app: FastifyInstance, deps: Pick<Deps, 'records' | 'patience' | 'logger'>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'HTTP requests by method, route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers,
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    durations.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
    done();
  });

  const verifications = new Gauge({
    name: 'conforme_verifications',
    help: 'Verifications by status',
    labelNames: ['status'],
    registers,
  });
  const verdicts = new Gauge({ name: 'conforme_verdicts', help: 'Verdicts by result', labelNames: ['result'], registers });
  const up = new Gauge({
    name: 'conforme_database_up',
    help: '1 where the database answered this scrape; the other numbers of conforme are as of the last one it did',
    registers,
  });

  return {
    contentType: registry.contentType,
    async text() {
      // Not in `collect` of a gauge: prom-client reads all of them at once, and the others would be a scrape late.
      try {
        const counts = await within(deps.patience, 'database-unavailable', deps.records.counts());
        for (const status of STATUSES) verifications.labels(status).set(counts.verifications[status] ?? 0);
        for (const result of RESULTS) verdicts.labels(result).set(counts.verdicts[result] ?? 0);
        up.set(1);
      } catch (thrown) {
        deps.logger.warn({ err: thrown }, 'metrics without a database');
        up.set(0);
      }
      return registry.metrics();
    },
  };
}
