/** An issuer of identity tokens on loopback, as GitHub Actions and GitLab CI are: a discovery document, keys, and tokens by them. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { startServer } from './http.ts';

export type TestIssuer = {
  issuer: string;
  /** Paths that were asked for. */
  asked: string[];
  /** What the next answers are, where they are not the good ones. */
  answers: { discovery?: (good: object) => unknown; keys?: unknown; status?: number };
  token(claims: JWTPayload, more?: { header?: object; key?: CryptoKey | Uint8Array; alg?: string }): Promise<string>;
  /** A new key in place of the old one. */
  rotate(alg?: string): Promise<void>;
  publicJwk(): object;
  stop(): Promise<void>;
};

export async function startIssuer(alg = 'RS256'): Promise<TestIssuer> {
  let current: { kid: string; alg: string; key: CryptoKey; jwk: object };
  let count = 0;
  const rotate = async (next = 'RS256'): Promise<void> => {
    const { privateKey, publicKey } = await generateKeyPair(next, { extractable: true });
    const kid = `key-${(count += 1)}`;
    current = { kid, alg: next, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: next, use: 'sig' } };
  };
  await rotate(alg);
  const answers: TestIssuer['answers'] = {};
  const asked: string[] = [];
  const server = await startServer((request, response) => {
    asked.push(request.url ?? '');
    const good = { issuer: issuer(), jwks_uri: `${issuer()}/keys` };
    const body =
      request.url === '/.well-known/openid-configuration' ? (answers.discovery?.(good) ?? good) : (answers.keys ?? { keys: [current.jwk] });
    response.writeHead(answers.status ?? 200, { 'content-type': 'application/json', location: '/keys' });
    response.end(JSON.stringify(body));
  });
  const issuer = (): string => `http://${server.host}`;
  return {
    issuer: issuer(),
    asked,
    answers,
    rotate,
    publicJwk: () => current.jwk,
    async token(claims, { header = {}, key = current.key, alg: by = current.alg } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: issuer(), sub: 'repo:example/shop:ref:refs/heads/main', iat: now, exp: now + 300, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: by, kid: current.kid, ...header }).sign(key);
    },
    stop: server.stop,
  };
}
