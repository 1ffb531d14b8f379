import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { type Identified, type Identify, type Identity, matchesClaims, type TrustedIssuer } from '../../model/identity.ts';
import { Problem } from '../../problem.ts';

export type OidcPorts = {
  issuers: readonly TrustedIssuer[];
  /** Of those that name none: the address of the service. */
  audience: string;
  /** Guarded: where the keys lie is the issuer's word. */
  fetch: typeof globalThis.fetch;
  /** Milliseconds between two looks for keys that are not known; shorter in tests of a change of keys. */
  cooldown?: number;
};

/** Signatures by a key pair: with a secret, whoever knows the public key could sign. RFC 8725, section 3.1. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const COOLDOWN_MS = 30_000;
const ANSWER_MS = 5_000;
const BYTES_MAX = 256 * 1024; // a document or some dozen keys
/** Milliseconds in which an issuer that failed is not asked again: anybody can send a token that makes us ask. */
const PAUSE_MS = 5_000;
const CLOCK_TOLERANCE = 30; // seconds
/** Of RFC 7519 and 8725: what tells what a token is for and until when. */
const REQUIRED = ['iss', 'sub', 'aud', 'exp', 'iat'];

/**
 * Verifies identity tokens of the issuers that the operator trusts, by the keys that their discovery documents name. A token of another issuer
 * is refused before anything is asked of anybody.
 */
export function makeIdentify({ issuers, audience, fetch, cooldown = COOLDOWN_MS }: OidcPorts): Identify {
  const bounded = boundedFetch(fetch);
  const keysOf = new Map([...new Set(issuers.map(({ issuer }) => issuer))].map((issuer) => [issuer, makeKeys(issuer, bounded, cooldown)]));

  return async (token) => {
    const claimed = issuerOf(token);
    const keys = claimed === undefined ? undefined : keysOf.get(claimed);
    if (claimed === undefined || keys === undefined) return { refused: 'its issuer is none that this service trusts' };
    let last: Identified = { refused: 'its claims are none that this service takes' };
    // One issuer may stand there for several audiences.
    for (const trusted of issuers.filter(({ issuer }) => issuer === claimed)) {
      const found = await verified(token, trusted, keys, trusted.audience ?? audience);
      if ('identity' in found) return found;
      last = found;
    }
    return last;
  };
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verified(token: string, trusted: TrustedIssuer, keys: JWTVerifyGetKey, audience: string): Promise<Identified> {
  let payload: JWTPayload;
  try {
    const options = { issuer: trusted.issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_TOLERANCE, requiredClaims: REQUIRED };
    ({ payload } = await jwtVerify(token, keys, options));
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    return { refused: reasonOf(thrown) };
  }
  if (!matchesClaims(trusted, payload)) return { refused: 'its claims are none that this service takes' };
  const identity: Identity = { issuer: trusted.issuer, subject: payload.sub ?? '' };
  return { identity };
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof errors.JWTExpired) return 'it has expired';
  if (thrown instanceof errors.JWTClaimValidationFailed) return `its claim ${thrown.claim} is not the one that is asked for`;
  if (thrown instanceof errors.JOSEAlgNotAllowed) return 'it is not signed by a key pair';
  return 'its signature does not hold';
}

/** The keys of an issuer: found by its discovery document once it is asked for, fetched anew for a key that is not known. */
function makeKeys(issuer: string, fetch: typeof globalThis.fetch, cooldown: number): JWTVerifyGetKey {
  let known: Promise<JWTVerifyGetKey> | undefined;
  let pausedUntil = 0;
  return async (header, token) => {
    const unavailable = (cause?: unknown): Problem =>
      new Problem('identity-unavailable', `${issuer} cannot be asked for its keys`, { cause, retryAfter: PAUSE_MS / 1000 });
    if (performance.now() < pausedUntil) throw unavailable();
    known ??= discover(issuer, fetch, cooldown);
    try {
      return await (
        await known
      )(header, token);
    } catch (thrown) {
      if (thrown instanceof errors.JWKSNoMatchingKey || thrown instanceof errors.JWKSMultipleMatchingKeys) throw thrown;
      if (thrown instanceof errors.JOSENotSupported) throw thrown; // of the token's header
      known = undefined;
      pausedUntil = performance.now() + PAUSE_MS;
      throw unavailable(thrown);
    }
  };
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discover(issuer: string, fetch: typeof globalThis.fetch, cooldown: number): Promise<JWTVerifyGetKey> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(address, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
  if (response.status !== 200) throw new Error(`${address} answers ${response.status}`);
  const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (document?.issuer !== issuer) throw new Error(`${address} is of another issuer`);
  const url = URL.parse(String(document.jwks_uri));
  if (url === null || (url.protocol !== 'https:' && url.protocol !== new URL(issuer).protocol)) throw new Error(`${address} names no keys`);
  return createRemoteJWKSet(url, { timeoutDuration: ANSWER_MS, cooldownDuration: cooldown, [customFetch]: fetch });
}

/** The body is read as far as it may go, and no further. */
function boundedFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > BYTES_MAX) throw new Error(`more than ${BYTES_MAX} bytes`);
      parts.push(part);
    }
    return new Response(response.status === 204 || response.status === 304 ? null : Buffer.concat(parts), { status: response.status });
  };
}
