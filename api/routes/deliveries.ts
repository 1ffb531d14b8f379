import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Problem } from '../../src/problem.ts';
import type { Deps } from '../deps.ts';
import { within } from '../patience.ts';
import { answers, DeliveriesPage, DeliveryView, IdParams } from '../schemas.ts';
import { hasToken, requireToken } from '../token.ts';
import { deliveryView } from '../views.ts';
import { find } from './verifications.ts';

export const deliveryRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/verifications/:id/deliveries',
      {
        schema: {
          tags: ['webhooks'],
          summary: 'Every attempt to tell the webhooks of a verification',
          description: 'With the API token also what was sent, and how each answer begins.',
          security: [{}, { token: [] }],
          params: IdParams,
          response: answers(200, DeliveriesPage, 'deliveries, oldest first'),
        },
      },
      async (request, reply) => {
        await find(deps, request.params.id);
        const whole = deps.token !== undefined && hasToken(request, deps.token);
        const deliveries = await deps.records.deliveriesOf(request.params.id);
        reply.headers({ 'cache-control': 'no-cache', vary: 'authorization' });
        return { items: deliveries.map((delivery) => deliveryView(delivery, whole)) };
      },
    );

    app.post(
      '/v1/deliveries/:id/redeliver',
      {
        onRequest: requireToken(deps.token),
        schema: {
          tags: ['webhooks'],
          summary: 'Sends a delivery again',
          description:
            'With the same id and body, by which a receiver knows it, and tried again like a new one. One that is pending stays as it is.',
          security: [{ token: [] }],
          params: IdParams,
          response: answers(202, DeliveryView, 'pending'),
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const delivery = await within(deps.patience, 'database-unavailable', deps.records.redeliver(id));
        if (delivery === undefined) throw new Problem('not-found', `there is no delivery ${id}`);
        // What fails here is done by the upkeep, since the row says that it is pending.
        await within(deps.patience, 'queue-unavailable', deps.queue.deliverAgain({ id }));
        return reply.code(202).send(deliveryView(delivery, true));
      },
    );
  };
