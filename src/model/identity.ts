/** Whose identity tokens the service takes, and what they may say. OpenID Connect Core 1.0, section 2. */

/** The operator's word: tokens of this issuer, for this audience, whose claims match all of the patterns. */
export type TrustedIssuer = {
  /** Exactly what stands in `iss`. */
  issuer: string;
  /** The service's own address where it is absent. */
  audience?: string;
  /** Name of a claim to patterns, one of which has to match. `*` is any run of characters but `/`, `**` of any. */
  claims: readonly (readonly [name: string, patterns: readonly string[]])[];
};

export type Identity = { issuer: string; subject: string };

/** Why a token counts for nothing; told to whoever sent it, so nothing of its content stands in it. */
export type Identified = { identity: Identity } | { refused: string };

/** Throws `identity-unavailable` where an issuer cannot be asked for its keys. */
export type Identify = (token: string) => Promise<Identified>;

const ISSUERS_MAX = 20;
const LOOPBACK = /^(localhost|\[::1\]|127(\.\d+){3})$/;

/** `[{"issuer": "https://…", "audience": "…", "claims": {"repository": "example/*"}}]`. Throws an Error that says what is wrong. */
export function parseIssuers(text: string): readonly TrustedIssuer[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('is no JSON');
  }
  if (!Array.isArray(value) || value.length > ISSUERS_MAX) throw new Error(`is no list of at most ${ISSUERS_MAX} issuers`);
  return Object.freeze(value.map(trustedIssuer));
}

function trustedIssuer(value: unknown): TrustedIssuer {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('an issuer is no object');
  const { issuer, audience, claims, ...others } = value as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of issuer, audience, claims`);
  if (typeof issuer !== 'string' || !isIssuer(issuer)) throw new Error('an issuer is no https address without user, query and fragment');
  if (audience !== undefined && (typeof audience !== 'string' || audience === '')) throw new Error(`the audience of ${issuer} is no text`);
  if (claims === null || typeof claims !== 'object' || Array.isArray(claims)) throw new Error(`the claims of ${issuer} are no object`);
  const patterns = Object.entries(claims).map(([name, given]): [string, readonly string[]] => {
    const list: unknown[] = Array.isArray(given) ? given : [given];
    if (list.length === 0 || !list.every((one): one is string => typeof one === 'string' && one !== ''))
      throw new Error(`the claim ${name} of ${issuer} is no pattern or list of patterns`);
    return [name, Object.freeze(list)];
  });
  // Such an issuer gives a token to everybody who has an account.
  if (!patterns.some(([, list]) => list.every((pattern) => /[^*]/.test(pattern))))
    throw new Error(`no claim of ${issuer} says whose tokens are meant`);
  return Object.freeze({ issuer, claims: Object.freeze(patterns), ...(audience === undefined ? {} : { audience }) });
}

/** Plain HTTP on loopback alone: keys that came over it otherwise would be anybody's. */
function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
}

/** Whether a token that is valid otherwise is of those that the operator means. Numbers and truth values compare as JSON writes them. */
export function matchesClaims({ claims }: Pick<TrustedIssuer, 'claims'>, payload: Record<string, unknown>): boolean {
  return claims.every(([name, patterns]) => {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false;
    return patterns.some((pattern) => matches(pattern, String(value)));
  });
}

function matches(pattern: string, text: string): boolean {
  const parts = pattern.split(/(\*+)/).map((part) => {
    if (part === '*') return '[^/]*';
    return part.startsWith('**') ? '.*' : part.replace(/[.+?^${}()|[\]\\/-]/g, '\\$&');
  });
  return new RegExp(`^(?:${parts.join('')})$`, 's').test(text);
}
