import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Deps } from '../deps.ts';
import type { Metrics } from '../metrics.ts';
import { within } from '../patience.ts';
import { answers, answersWith } from '../schemas.ts';

const Health = Type.Object({ status: Type.Literal('ok') });

/** What whoever runs the service asks. */
export const operationRoutes =
  (deps: Deps, metrics: Metrics): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));

    app.get(
      '/healthz',
      { schema: { tags: ['operations'], summary: 'The process is alive', response: answers(200, Health, 'alive') } },
      async () => ({ status: 'ok' as const }),
    );

    app.get(
      '/readyz',
      {
        schema: {
          tags: ['operations'],
          summary: 'Queue and database answer',
          response: answers(200, Health, 'requests can be accepted; else 503 with the code of what is away'),
        },
      },
      async () => {
        await Promise.all([
          within(deps.patience, 'queue-unavailable', deps.queue.ready()),
          within(deps.patience, 'database-unavailable', deps.records.ready()),
        ]);
        return { status: 'ok' as const };
      },
    );

    app.get(
      '/metrics',
      { schema: { tags: ['operations'], summary: 'For Prometheus', response: answersWith('text/plain', 'text exposition format') } },
      async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
    );
  };
