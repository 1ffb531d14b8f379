import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Deps } from '../deps.ts';
import { answers, DeliveriesPage, IdParams } from '../schemas.ts';
import { hasToken } from '../token.ts';
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
          summary: 'Every attempt to tell the webhook of a verification',
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
  };
