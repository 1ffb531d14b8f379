import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { readKey } from 'openpgp';
import Type from 'typebox';
import { zbase32 } from '../../src/model/zbase32.ts';
import { Problem } from '../../src/problem.ts';
import { notModified } from '../caching.ts';
import type { Deps } from '../deps.ts';
import { answersWith } from '../schemas.ts';

/** draft-koch-openpgp-webkey-service, 3.1 "Key Discovery". */
const ROOT = '/.well-known/openpgpkey';
const Hash = Type.String({ pattern: '^[ybndrfg8ejkmcpqxot1uwisza345h769]{32}$', description: 'z-base-32 of the SHA-1 of the local part' });

/**
 * The key over WKD, where `gpg --locate-external-keys` looks: the mail address is the one in the key's own user id, so that a key without one
 * is not found. Both ways of asking: directly at the domain of the address, and at its host `openpgpkey`.
 */
export const webKeyDirectoryRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const response = answersWith('application/octet-stream', 'the OpenPGP key, not armored');
    const find = async (hash: string, domain?: string): Promise<{ bytes: Buffer; fingerprint: string }> => {
      const armored = await deps.signer.publicKey();
      const key = await readKey({ armoredKey: armored });
      for (const userId of key.getUserIDs()) {
        const [, local, host] = /<([^<>@]+)@([^<>@]+)>$/.exec(userId) ?? [];
        if (local === undefined || hashOf(local) !== hash || (domain ?? host)?.toLowerCase() !== host?.toLowerCase()) continue;
        return { bytes: Buffer.from(key.write()), fingerprint: key.getFingerprint() };
      }
      throw new Problem('not-found', 'the key of this instance has no such mail address');
    };

    for (const [prefix, params] of [
      ['', {}],
      ['/:domain', { domain: Type.String({ description: 'of the mail address' }) }],
    ] as const) {
      app.get(
        `${ROOT}${prefix}/hu/:hash`,
        {
          schema: {
            tags: ['verdicts'],
            summary: 'The OpenPGP key by its mail address (WKD)',
            params: Type.Object({ hash: Hash, ...params }),
            response,
          },
        },
        async (request, reply) => {
          const { hash, domain } = request.params as { hash: string; domain?: string };
          const { bytes, fingerprint } = await find(hash, domain);
          reply.header('access-control-allow-origin', '*');
          if (notModified(request, reply, `"${fingerprint}.wkd"`, 'public, max-age=300')) return reply.send();
          return reply.type('application/octet-stream').send(bytes);
        },
      );
      app.get(
        `${ROOT}${prefix}/policy`,
        {
          schema: {
            tags: ['verdicts'],
            summary: 'The flags of the web key directory (WKD): none',
            params: Type.Object(params),
            response: answersWith('text/plain', 'empty'),
          },
        },
        async (_request, reply) => reply.header('access-control-allow-origin', '*').type('text/plain').send(''),
      );
    }
  };

/** Upper case is lowered before, and ASCII alone. */
function hashOf(local: string): string {
  return zbase32(
    createHash('sha1')
      .update(local.replace(/[A-Z]/g, (letter) => letter.toLowerCase()))
      .digest(),
  );
}
