import { Problem } from '../../problem.ts';
import type { Credential } from './credentials.ts';
import { type HttpOptions, readBody, send } from './http.ts';

export type Challenge = { scheme: string; parameters: ReadonlyMap<string, string> };

/** Bytes of a token service's answer; tokens with many scopes have some kilobytes. */
const ANSWER_MAX = 1 << 18;
/** Seconds that a token holds where the service does not say. Distribution specification, "Token Response Fields". */
const EXPIRES_DEFAULT = 60;
const EXPIRES_MAX = 3600;
/** A token is not used in its last seconds: it would expire on the way. */
const EXPIRES_MARGIN = 10;

/** A `WWW-Authenticate` field, RFC 9110 section 11.6.1; the first challenge that is known here. */
export function parseChallenge(field: string): Challenge | undefined {
  const start = /(?:^|,\s*)(bearer|basic)(?:\s+|$)/i.exec(field);
  if (start === null) return undefined;
  const parameters = new Map<string, string>();
  const rest = field.slice(start.index + start[0].length, start.index + start[0].length + 4096);
  for (const [, name = '', quoted, plain] of rest.matchAll(/([A-Za-z_-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g))
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
  return { scheme: (start[1] ?? '').toLowerCase(), parameters };
}

export type Authorizer = {
  /** The value of `Authorization` for a host and a repository, where one is known to be needed. */
  known(host: string, repository: string): string | undefined;
  /** Answers a 401. Undefined where there is nothing to answer with. Throws `registry-denied`, `registry-unavailable`. */
  answer(host: string, repository: string, response: Response): Promise<string | undefined>;
};

/**
 * Distribution "Token Authentication Specification": https://distribution.github.io/distribution/spec/auth/token/
 * `credentials` are looked up by the host that asks, so that a mirror never sees those of the registry it mirrors.
 */
export function makeAuthorizer(
  http: HttpOptions,
  credentialOf: (host: string) => Credential | undefined,
  actions: 'pull' | 'pull,push' = 'pull',
): Authorizer {
  const values = new Map<string, { value: string; until: number }>();
  const key = (host: string, repository: string) => `${host} ${repository}`;

  async function token(host: string, repository: string, parameters: Challenge['parameters']): Promise<{ value: string; until: number }> {
    const realm = URL.parse(parameters.get('realm') ?? '');
    if (realm === null) throw new Problem('registry-unavailable', `${host} asks for a token and does not say where to get one`);
    const credential = credentialOf(host);
    const query = {
      ...(parameters.has('service') && { service: parameters.get('service') ?? '' }),
      // Only this, whatever the challenge names: a token is good for what is asked here.
      scope: `repository:${repository}:${actions}`,
    };
    const isRefresh = credential !== undefined && 'identityToken' in credential;
    const basic = credential !== undefined && 'username' in credential ? basicOf(credential) : undefined;
    const headers = { accept: 'application/json' };
    if (!isRefresh) for (const [name, value] of Object.entries(query)) realm.searchParams.set(name, value);
    const response = await send(
      http,
      isRefresh
        ? {
            url: realm,
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({
              ...query,
              grant_type: 'refresh_token',
              client_id: 'conforme',
              refresh_token: credential.identityToken,
            }).toString(),
          }
        : { url: realm, headers, authorization: basic },
    );
    const body = await readBody(
      response,
      ANSWER_MAX,
      () => new Problem('registry-unavailable', `${realm.host} sends a token that is too large`),
    );
    if (!response.ok)
      throw new Problem(
        [400, 401, 403, 404].includes(response.status) ? 'registry-denied' : 'registry-unavailable',
        `${realm.host} gives no token for ${host}/${repository}: it answers ${response.status}`,
      );
    return parseToken(body, realm.host);
  }

  return {
    known(host, repository) {
      const kept = values.get(key(host, repository));
      if (kept === undefined || kept.until > Date.now()) return kept?.value;
      values.delete(key(host, repository));
      return undefined;
    },
    async answer(host, repository, response) {
      const challenge = parseChallenge(response.headers.get('www-authenticate') ?? '');
      const credential = credentialOf(host);
      let made: { value: string; until: number } | undefined;
      if (credential !== undefined && 'registryToken' in credential)
        made = { value: `Bearer ${credential.registryToken}`, until: Infinity };
      else if (challenge?.scheme === 'bearer') made = await token(host, repository, challenge.parameters);
      else if (challenge?.scheme === 'basic' && credential !== undefined && 'username' in credential)
        made = { value: basicOf(credential), until: Infinity };
      if (made !== undefined) values.set(key(host, repository), made);
      return made?.value;
    },
  };
}

function basicOf({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function parseToken(body: Buffer, host: string): { value: string; until: number } {
  const answer = parseAnswer(body);
  const token = [answer['token'], answer['access_token']].find((each) => typeof each === 'string' && /^[\x21-\x7e]+$/.test(each));
  if (token === undefined) throw new Problem('registry-unavailable', `${host} answers with no token`);
  const stated = answer['expires_in'];
  const seconds = typeof stated === 'number' && stated > 0 ? Math.min(stated, EXPIRES_MAX) : EXPIRES_DEFAULT;
  return { value: `Bearer ${token as string}`, until: Date.now() + Math.max(seconds - EXPIRES_MARGIN, 1) * 1000 };
}

function parseAnswer(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
