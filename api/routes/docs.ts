import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { VerificationRequest } from '../../src/model/request.ts';
import { WatchRequest } from '../../src/model/watch.ts';
import { problemsPage } from '../pages/problems.ts';
import { sendPage } from '../pages/document.ts';
import { sayTo } from '../pages/words/index.ts';
import { sharedSchemas } from '../schemas.ts';

const PREDICATE = new URL('../predicates/verdict/v1.md', import.meta.url);

/** Has to be registered before the routes that it documents. */
export async function documentRoutes(app: FastifyInstance, publicUrl: string): Promise<void> {
  for (const schema of sharedSchemas()) app.addSchema(schema);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'conforme',
        description:
          'Rebuilds a published container image, accounts for every file in it, and signs a verdict. Errors are RFC 9457 problem documents; their codes are listed at /docs/problems.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: publicUrl }],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'CONFORME_TOKEN, or to ask for verdicts an identity token that CONFORME_OIDC lets in',
          },
        },
      },
      tags: [
        { name: 'verifications', description: 'Asking for a verdict, and following it' },
        { name: 'verdicts', description: 'What was signed' },
        { name: 'images', description: 'Questions about everything that was judged' },
        { name: 'badges', description: 'For a README' },
        { name: 'webhooks', description: 'Standard Webhooks: https://www.standardwebhooks.com/' },
        { name: 'operations', description: 'For whoever runs the service' },
      ],
    },
    hideUntagged: true,
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => (json['$id'] as string | undefined) ?? `schema-${index}` },
    // The validator of a body takes no references: the document names it all the same.
    transform: ({ schema, url }) => {
      const body = (schema as { body?: unknown } | undefined)?.body;
      const name = body === VerificationRequest ? 'VerificationRequest#' : body === WatchRequest ? 'WatchRequest#' : undefined;
      return { schema: name === undefined ? schema : { ...schema, body: { $ref: name } }, url };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'font-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
    // The default validator sends the address of the document to a third party; the bar at the top loads any document.
    uiConfig: { validatorUrl: null, docExpansion: 'list', layout: 'BaseLayout' },
    theme: { title: 'conforme: HTTP interface' },
  });
}

export const docsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/docs/problems', async (request, reply) => {
    const say = sayTo(request);
    return sendPage(reply, say, problemsPage(say));
  });

  app.get('/predicates/verdict/v1', async (_request, reply) => {
    reply.type('text/markdown; charset=utf-8').header('cache-control', 'public, max-age=300');
    return reply.send(await readFile(PREDICATE));
  });
};
