import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type CryptoKey, exportSPKI, generateKeyPair, importJWK } from 'jose';
import { makeFetch } from '../../../src/adapters/network/fetch.ts';
import { makeGuard } from '../../../src/adapters/network/guard.ts';
import { makeIdentify } from '../../../src/adapters/oidc/oidc.ts';
import { type Identified, matchesClaims, parseIssuers } from '../../../src/model/identity.ts';
import { startIssuer, type TestIssuer } from '../../support/issuer.ts';

const AUDIENCE = 'https://conforme.example.org';
let issuer: TestIssuer;
let stranger: TestIssuer;
before(async () => {
  [issuer, stranger] = await Promise.all([startIssuer(), startIssuer('ES256')]);
});
after(async () => {
  await issuer.stop();
  await stranger.stop();
});

/** Composed as api/main.ts does it: the issuer's host is the operator's word, every other address is guarded. */
function identifying(one: TestIssuer, claims: object = { repository: 'example/*' }, more: { cooldown?: number; audience?: string } = {}) {
  const { audience, ...rest } = more;
  const issuers = parseIssuers(JSON.stringify([{ issuer: one.issuer, claims, ...(audience === undefined ? {} : { audience }) }]));
  const fetch = makeFetch(makeGuard({ allow: [], hosts: [new URL(one.issuer).hostname] }));
  return makeIdentify({ issuers, audience: AUDIENCE, fetch, ...rest });
}
const good = { aud: AUDIENCE, repository: 'example/shop' };
const refused = (found: Identified): string => ('refused' in found ? found.refused : 'let in');
const now = (): number => Math.floor(Date.now() / 1000);

describe('an identity token', () => {
  it('lets in by issuer, audience, claims and signature', async () => {
    const subject = 'repo:example/shop:ref:refs/heads/main';
    assert.deepEqual(await identifying(issuer)(await issuer.token(good)), { identity: { issuer: issuer.issuer, subject } });
    assert.ok('identity' in (await identifying(stranger)(await stranger.token(good)))); // ES256
    assert.ok(
      'identity' in (await identifying(issuer, { repository: ['a', 'example/*'] })(await issuer.token({ ...good, aud: ['x', AUDIENCE] }))),
    );
    assert.ok(
      'identity' in
        (await identifying(issuer, { repository: 'example/shop' }, { audience: 'own' })(await issuer.token({ ...good, aud: 'own' }))),
    );
  });

  const REFUSED: [what: string, token: () => Promise<string> | string, message: RegExp][] = [
    ['another audience', () => issuer.token({ ...good, aud: 'https://other.example' }), /claim aud/],
    ['no audience', () => issuer.token({ repository: 'example/shop' }), /claim aud/],
    ['another issuer', () => stranger.token(good), /issuer is none/],
    ['the name of our issuer, by the key of another', () => stranger.token({ ...good, iss: issuer.issuer }), /signature does not hold/],
    [
      'the same with our key id',
      () => stranger.token({ ...good, iss: issuer.issuer }, { header: { kid: 'key-1' } }),
      /signature does not hold/,
    ],
    [
      'our key id and algorithm, by another key',
      async () => issuer.token(good, { key: (await generateKeyPair('RS256')).privateKey }),
      /signature/,
    ],
    ['expired', () => issuer.token({ ...good, iat: now() - 900, exp: now() - 300 }), /has expired/],
    ['no end', () => issuer.token({ ...good, exp: undefined as unknown as number }), /claim exp/],
    ['not yet', () => issuer.token({ ...good, nbf: now() + 900 }), /claim nbf/],
    ['no subject', () => issuer.token({ ...good, sub: undefined as unknown as string }), /claim sub/],
    ['an unlisted repository', () => issuer.token({ ...good, repository: 'evil/shop' }), /claims are none/],
    ['a repository with a prefix', () => issuer.token({ ...good, repository: 'evil/example/shop' }), /claims are none/],
    ['a repository of a longer owner', () => issuer.token({ ...good, repository: 'example2/shop' }), /claims are none/],
    ['a list as claim', () => issuer.token({ ...good, repository: ['example/shop'] }), /claims are none/],
    ['no such claim', () => issuer.token({ aud: AUDIENCE }), /claims are none/],
    ['no signature', () => unsigned({ alg: 'none' }), /not signed by a key pair/],
    ['no signature, with a type', () => unsigned({ alg: 'NONE', typ: 'JWT' }), /not signed by a key pair/],
    [
      'the public key as a secret',
      () => issuer.token(good, { alg: 'HS256', key: new TextEncoder().encode(JSON.stringify(issuer.publicJwk())) }),
      /key pair/,
    ],
    [
      'the public key in PEM as a secret',
      async () => issuer.token(good, { alg: 'HS256', key: new TextEncoder().encode(await pem()) }),
      /key pair/,
    ],
    ['a changed payload', async () => changed(await issuer.token({ ...good, repository: 'evil/shop' })), /signature does not hold/],
    [
      'a key that it brings itself',
      () => stranger.token({ ...good, iss: issuer.issuer }, { header: { jwk: stranger.publicJwk() } }),
      /signature/,
    ],
    [
      'an address of keys that it brings itself',
      () => stranger.token({ ...good, iss: issuer.issuer }, { header: { jku: `${stranger.issuer}/keys` } }),
      /signature/,
    ],
    ['a name that no object should have', () => issuer.token({ ...good, iss: '__proto__' }), /issuer is none/],
    ['nothing of the kind', () => 'a.b.c', /issuer is none/],
    ['empty parts', () => '..', /issuer is none/],
  ];
  const unsigned = (header: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part(header)}.${part({ iss: issuer.issuer, sub: 's', iat: now(), exp: now() + 300, ...good })}.`;
  };
  const pem = async (): Promise<string> => exportSPKI((await importJWK(issuer.publicJwk(), 'RS256', { extractable: true })) as CryptoKey);
  const changed = (token: string): string => {
    const [header, payload = '', signature] = token.split('.');
    const text = Buffer.from(payload, 'base64url').toString().replace('evil/shop', 'example/shop');
    return [header, Buffer.from(text).toString('base64url'), signature].join('.');
  };
  for (const [what, token, message] of REFUSED)
    it(`is refused: ${what}`, async () => assert.match(refused(await identifying(issuer)(await token())), message));

  it('of an issuer that nobody trusts leads to no request', async () => {
    const before = stranger.asked.length;
    await identifying(issuer)(await stranger.token(good));
    assert.equal(stranger.asked.length, before);
  });
});

describe('the keys of an issuer', () => {
  it('are asked for once, and anew for a key that is not known, at most once in a while', async () => {
    const own = await startIssuer();
    try {
      const identify = identifying(own, { repository: 'example/*' }, { cooldown: 50 });
      const old = await own.token(good);
      for (let times = 0; times < 3; times += 1) assert.ok('identity' in (await identify(old)));
      assert.deepEqual(own.asked, ['/.well-known/openid-configuration', '/keys']);
      await own.rotate('ES384');
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok('identity' in (await identify(await own.token(good))));
      assert.equal(own.asked.length, 3);
      // The old key is gone, and a flood of tokens with keys of their own does not become a flood of requests.
      const slow = identifying(own, { repository: 'example/*' }, { cooldown: 60_000 });
      await slow(await own.token(good));
      const asked = own.asked.length;
      for (let times = 0; times < 5; times += 1) assert.match(refused(await slow(old)), /signature does not hold/);
      assert.equal(own.asked.length, asked);
    } finally {
      await own.stop();
    }
  });

  it('that cannot be had are no fault of the token, and are not asked for again at once', async () => {
    const own = await startIssuer();
    const token = await own.token(good);
    const cases: [what: string, answers: TestIssuer['answers']][] = [
      ['an error', { status: 500 }],
      ['a redirect', { status: 302 }],
      ['another issuer', { discovery: () => ({ issuer: 'https://other.example', jwks_uri: `${own.issuer}/keys` }) }],
      ['no address', { discovery: () => ({ issuer: own.issuer }) }],
      ['a file', { discovery: () => ({ issuer: own.issuer, jwks_uri: 'file:///etc/passwd' }) }],
      ['a private address', { discovery: () => ({ issuer: own.issuer, jwks_uri: 'http://10.0.0.1/keys' }) }],
      ['the address of the metadata', { discovery: () => ({ issuer: own.issuer, jwks_uri: 'http://169.254.169.254/keys' }) }],
      ['no keys', { keys: 'none' }],
      ['a bomb', { keys: { keys: [], filler: 'x'.repeat(1_000_000) } }],
    ];
    for (const [what, answers] of cases) {
      Object.assign(own.answers, { discovery: undefined, keys: undefined, status: undefined }, answers);
      const identify = identifying(own);
      await assert.rejects(identify(token), { code: 'identity-unavailable', status: 503, retryAfter: 5 }, what);
      const asked = own.asked.length;
      await assert.rejects(identify(token), { code: 'identity-unavailable' }, what);
      assert.equal(own.asked.length, asked, what);
    }
    await own.stop();
    await assert.rejects(identifying(own)(token), { code: 'identity-unavailable' });
  });
});

describe('the issuers of the configuration', () => {
  const issuers = (one: object): unknown => parseIssuers(JSON.stringify([{ issuer: 'https://i.example', claims: { sub: 'x' }, ...one }]));
  const WRONG: [what: object, message: RegExp][] = [
    [{ claims: {} }, /says whose tokens/],
    [{ claims: { repository: '*' } }, /says whose tokens/],
    [{ claims: { repository: ['example/*', '**'] } }, /says whose tokens/],
    [{ claims: undefined }, /no object/],
    [{ claims: { repository: 7 } }, /no pattern/],
    [{ claims: { repository: [] } }, /no pattern/],
    [{ issuer: 'http://i.example' }, /no https address/],
    [{ issuer: 'https://u:p@i.example' }, /no https address/],
    [{ issuer: 'https://i.example/?a' }, /no https address/],
    [{ audience: '' }, /audience/],
    [{ audiance: 'x' }, /"audiance" is none/],
  ];
  for (const [what, message] of WRONG) it(`are refused: ${JSON.stringify(what)}`, () => assert.throws(() => issuers(what), message));
  it('are JSON', () => {
    for (const text of ['', '{}', 'x', '[1]', '[null]']) assert.throws(() => parseIssuers(text));
    assert.deepEqual(parseIssuers('[]'), []);
  });

  const PATTERNS: [pattern: string, value: unknown, fits: boolean][] = [
    ['example/*', 'example/shop', true],
    ['example/*', 'example/a/b', false],
    ['example/**', 'example/a/b', true],
    ['refs/heads/*', 'refs/heads/main\nx', true],
    ['refs/heads/*', 'refs/heads/main\nrefs/heads/x', false],
    ['a.b', 'axb', false],
    ['a+(b)[c]', 'a+(b)[c]', true],
    ['true', true, true],
    ['42', 42, true],
    ['x', null, false],
    ['x', { toString: 'x' }, false],
    ['*x', 'x', true],
    ['x', 'X', false],
  ];
  for (const [pattern, value, fits] of PATTERNS)
    it(`${pattern} ${fits ? 'fits' : 'does not fit'} ${JSON.stringify(value)}`, () =>
      assert.equal(matchesClaims({ claims: [['name', [pattern]]] }, { name: value }), fits));
  it('ask for all claims, and for none of those that every object has', () => {
    assert.equal(
      matchesClaims(
        {
          claims: [
            ['a', ['1']],
            ['b', ['2']],
          ],
        },
        { a: '1', b: '3' },
      ),
      false,
    );
    assert.equal(matchesClaims({ claims: [['constructor', ['**']]] }, {}), false);
  });
});
