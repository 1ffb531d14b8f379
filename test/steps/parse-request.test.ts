import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../src/model/digest.ts';
import type { VerificationRequest } from '../../src/model/request.ts';
import { Problem, type ProblemCode } from '../../src/problem.ts';
import { parseRequest, requestKey } from '../../src/steps/parse-request.ts';

const git = 'https://git.example.org/shop.git';
const image = {
  reference: 'registry.example.org/shop:1',
  digest: digestOf('index'),
  manifestDigest: digestOf('manifest'),
  platform: { os: 'linux', architecture: 'amd64' },
};

describe('the normal form of a request', () => {
  const CASES: [what: string, given: VerificationRequest, expected: VerificationRequest][] = [
    ['white space around the image', { image: ' shop \n' }, { image: 'shop' }],
    ['what is empty', { image: 'a', dockerfile: './', target: '', buildArgs: {} }, { image: 'a' }],
    // Where a provenance names another one, the request's own word has to be told from saying nothing.
    ['the default, named', { image: 'a', dockerfile: './Dockerfile' }, { image: 'a', dockerfile: 'Dockerfile' }],
    ['a path', { image: 'a', dockerfile: './x//y/./Dockerfile' }, { image: 'a', dockerfile: 'x/y/Dockerfile' }],
    ['the folder itself', { image: 'a', source: { git, subdir: '.', ref: '' } }, { image: 'a', source: { git } }],
    ['an address', { image: 'a', source: { git: 'HTTPS://Git.Example.ORG:443/shop.git' } }, { image: 'a', source: { git } }],
    [
      'nothing of the rest',
      { image: 'a', platform: 'linux/arm64', target: 't', buildArgs: { A: '' }, webhook: { url: 'https://h.example/x?y' } },
      { image: 'a', platform: 'linux/arm64', target: 't', buildArgs: { A: '' }, webhook: { url: 'https://h.example/x?y' } },
    ],
    ['no time', { image: 'a', asOf: '2025-06-01T12:00:00Z' }, { image: 'a', asOf: '2025-06-01T12:00:00Z' }],
    ['names with dots that stay inside', { image: 'a', dockerfile: '..a/b..' }, { image: 'a', dockerfile: '..a/b..' }],
  ];
  for (const [what, given, expected] of CASES) {
    it(`changes ${what}`, () => {
      assert.deepEqual(parseRequest(given), expected);
      assert.deepEqual(parseRequest(parseRequest(given)), expected);
    });
  }

  const REFUSED: [what: string, given: VerificationRequest, code: ProblemCode, pointer: string][] = [
    ['no image', { image: ' ' }, 'invalid-reference', '/image'],
    ['a fragment as ref', { image: 'a', source: { git: `${git}#main` } }, 'invalid-source', '/source/git'],
    ['no address', { image: 'a', source: { git: 'git@example.org:shop' } }, 'invalid-source', '/source/git'],
    ['another protocol', { image: 'a', source: { git: 'ext::sh -c id' } }, 'invalid-source', '/source/git'],
    ['a name in the address', { image: 'a', source: { git: 'https://me@example.org/' } }, 'invalid-source', '/source/git'],
    ['an option', { image: 'a', source: { git, ref: '-x' } }, 'invalid-source', '/source/ref'],
    ['a line break', { image: 'a', source: { git, ref: 'a\nb' } }, 'invalid-source', '/source/ref'],
    ['an absolute folder', { image: 'a', source: { git, subdir: '/etc' } }, 'invalid-source', '/source/subdir'],
    ['a way out', { image: 'a', dockerfile: 'a/../../b' }, 'invalid-request', '/dockerfile'],
    ['NUL in a path', { image: 'a', dockerfile: 'a\0b' }, 'invalid-request', '/dockerfile'],
    ['a control character in a stage', { image: 'a', target: '\u001b[31m' }, 'invalid-request', '/target'],
    ['a day that is none', { image: 'a', asOf: '2025-06-99T12:00:00Z' }, 'invalid-request', '/asOf'],
    ['a time before any archive', { image: 'a', asOf: '1999-06-01T12:00:00Z' }, 'invalid-request', '/asOf'],
    ['a webhook that is a file', { image: 'a', webhook: { url: 'file:///etc/passwd' } }, 'invalid-request', '/webhook/url'],
  ];
  for (const [what, given, code, pointer] of REFUSED) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseRequest(given),
        (error) => error instanceof Problem && error.code === code && error.message.startsWith(`${pointer}: `),
      );
    });
  }
});

describe('the key of a request', () => {
  const request: VerificationRequest = { image: 'shop', source: { git, ref: 'v1' }, buildArgs: { A: '1', B: '2' } };
  const keyOf = (more: Partial<VerificationRequest> = {}, pinned = image, commit?: string, rules = '1'): string =>
    requestKey({ request: { ...request, ...more }, image: pinned, ...(commit === undefined ? {} : { commit }) }, rules);
  const key = keyOf();

  it('is the same for what is judged alike', () => {
    const same: VerificationRequest[] = [
      { ...request, image: 'registry.example.org/shop:1' },
      { ...request, webhook: { url: 'https://hooks.example.org' } },
      { ...request, buildArgs: { B: '2', A: '1' } },
    ];
    for (const other of same) assert.equal(keyOf(other), key);
    assert.equal(keyOf({}, { ...image, reference: 'mirror.example.org/shop:2' }), key);
  });

  it('differs where anything that is judged differs', () => {
    const keys = [
      key,
      keyOf({}, image, undefined, '2'),
      keyOf({}, image, 'a'.repeat(40)),
      keyOf({}, image, 'b'.repeat(40)),
      keyOf({}, { ...image, digest: digestOf('other') }),
      keyOf({}, { ...image, manifestDigest: digestOf('other') }),
      keyOf({}, { ...image, platform: { os: 'linux', architecture: 'arm64' } }),
      keyOf({ source: { git, ref: 'v2' } }),
      keyOf({ source: { context: digestOf('tar') } }),
      keyOf({ dockerfile: 'x' }),
      keyOf({ target: 'x' }),
      keyOf({ buildArgs: { A: '12', B: '' } }),
      keyOf({ asOf: '2025-06-01T12:00:00Z' }),
    ];
    assert.equal(new Set(keys).size, keys.length);
  });
});
