import { randomUUID } from 'node:crypto';
import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController, type RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Deps } from './deps.ts';
import { handleErrors } from './errors.ts';
import { makeMetrics } from './metrics.ts';
import { limitRates } from './rate-limit.ts';
import { badgeRoutes } from './routes/badge.ts';
import { ciRoutes } from './routes/ci.ts';
import { contextRoutes } from './routes/contexts.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { docsRoutes, documentRoutes } from './routes/docs.ts';
import { eventRoutes } from './routes/events.ts';
import { fileRoutes } from './routes/files.ts';
import { imageRoutes } from './routes/images.ts';
import { lookasideRoutes } from './routes/lookaside.ts';
import { operationRoutes } from './routes/operations.ts';
import { pageRoutes } from './routes/pages.ts';
import { stackBadgeRoutes } from './routes/stack-badge.ts';
import { verdictRoutes } from './routes/verdicts.ts';
import { verificationRoutes } from './routes/verifications.ts';
import { watchRoutes } from './routes/watches.ts';
import { webKeyDirectoryRoutes } from './routes/web-key-directory.ts';

export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

const JSON_BODY_BYTES_MAX = 512 * 1024; // a hundred build arguments of 4 kB, escaped
const PARAMETER_LENGTH_MAX = 1024; // an image reference with a digest is a parameter

/** The HTTP interface over what it is given; it listens to nothing yet. */
export async function buildApp(deps: Deps): Promise<App> {
  const app = fastify({
    loggerInstance: deps.logger,
    genReqId: () => randomUUID(),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request' }),
    bodyLimit: JSON_BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    // A slow upload of a large context is no fault; a caller that sends nothing at all is.
    requestTimeout: 0,
    connectionTimeout: 120_000,
    return503OnClosing: true,
    trustProxy: deps.trustedProxies.length > 0 ? [...deps.trustedProxies] : false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  handleErrors(app);

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, ip } = request;
    const level = method === 'GET' || method === 'HEAD' ? 'debug' : 'info';
    request.log[level]({ method, url, ip, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime) }, 'answered');
    done();
  });

  await limitRates(app, deps.requestsPerMinute);
  const metrics = makeMetrics(app, deps);
  await documentRoutes(app, deps.publicUrl);
  await app.register(verificationRoutes(deps));
  await app.register(contextRoutes(deps));
  await app.register(eventRoutes(deps));
  await app.register(fileRoutes(deps));
  await app.register(verdictRoutes(deps));
  await app.register(lookasideRoutes(deps));
  await app.register(webKeyDirectoryRoutes(deps));
  await app.register(ciRoutes(deps));
  await app.register(imageRoutes(deps));
  await app.register(deliveryRoutes(deps));
  await app.register(watchRoutes(deps));
  await app.register(badgeRoutes(deps));
  await app.register(stackBadgeRoutes(deps));
  await app.register(operationRoutes(deps, metrics));
  await app.register(docsRoutes);
  await app.register(pageRoutes(deps));
  return app;
}
