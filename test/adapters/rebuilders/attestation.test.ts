import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pinnedKey, readAttestation } from '../../../src/adapters/rebuilders/attestation.ts';
import { olpcCanonicalJson } from '../../../src/adapters/rebuilders/canonical.ts';
import { digestOf, hexOf } from '../../../src/model/digest.ts';
import { attest, linkOf, makeRebuilderKey } from '../../support/attestation.ts';

describe('canonical JSON as OLPC writes it', () => {
  const cases: [unknown, string][] = [
    [{ b: 1, a: [true, null, -2] }, '{"a":[true,null,-2],"b":1}'],
    ['a "b" \\ \n é', '"a \\"b\\" \\\\ \n é"'],
    // By bytes: U+FF5E stands before U+1F600, whose first UTF-16 unit is smaller.
    [{ '\u{1F600}': 1, '\uFF5E': 2 }, '{"\uFF5E":2,"\u{1F600}":1}'],
    [JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
  ];
  for (const [value, text] of cases) it(text, () => assert.equal(olpcCanonicalJson(value), text));

  it('has no form for fractions, and none for what is nested without end', () => {
    assert.throws(() => olpcCanonicalJson(0.5), RangeError);
    assert.throws(() => olpcCanonicalJson(JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)), RangeError);
  });
});

describe('an attestation', () => {
  const key = makeRebuilderKey();
  const other = makeRebuilderKey();
  const pinned = [pinnedKey(key.base64)];
  const deb = digestOf('the .deb');
  const link = linkOf('tool_1_amd64.deb', deb);
  const debs = (bytes: Uint8Array | string, keys = pinned) => readAttestation(Buffer.from(bytes), keys)?.debs;
  /** The envelope with something else in it. */
  const altered = (
    alter: (envelope: { signatures: { keyid: string; sig: string }[]; signed: Record<string, unknown> }) => void,
  ): string => {
    const envelope = JSON.parse(attest(link, [key]));
    alter(envelope);
    return JSON.stringify(envelope);
  };

  it('holds where a pinned key signed it, beside signatures of others', () => {
    assert.deepEqual(debs(attest(link, [other, key])), [deb]);
    assert.deepEqual(debs(attest(link, [key]), [pinnedKey(other.base64), ...pinned]), [deb]);
    assert.equal(readAttestation(Buffer.from(attest(link, [key])), pinned)?.signer.keyId, key.keyId);
  });

  it('holds however it is written: what is believed is what was signed', () => {
    const { signatures, signed } = JSON.parse(attest(link, [key]));
    const reversed = Object.fromEntries(Object.entries(signed).reverse());
    assert.deepEqual(debs(JSON.stringify({ signed: reversed, signatures }, null, 2)), [deb]);
  });

  const attacks: Record<string, string> = {
    'signed by another key': attest(link, [other]),
    'signed by another key, under the id of the pinned one': attest(link, [{ ...other, keyId: key.keyId }]),
    'signed by the pinned key, under the id of another one': attest(link, [{ ...key, keyId: other.keyId }]),
    'signed by nobody': altered((envelope) => void (envelope.signatures = [])),
    'another product put in afterwards': altered(
      ({ signed }) => void (signed['products'] = { 'tool_1_amd64.deb': { sha256: hexOf(digestOf('evil')) } }),
    ),
    'a product added afterwards': altered(
      ({ signed }) => void (signed['products'] = { ...(signed['products'] as object), 'x.deb': { sha256: hexOf(digestOf('evil')) } }),
    ),
    'a signature over the text as it stands, not over its canonical form': attest(link, [key], (signed) => JSON.stringify(signed)),
    'a signature over the canonical form of something else': attest(link, [key], () => olpcCanonicalJson({ ...link, name: 'rebuild x' })),
    'two members of one name, the signed one first': attest(link, [key]).replace(
      '"products":',
      '"products":{},"products":{"x.deb":{"sha256":"00"}},"x":',
    ),
    'a layout in place of a link': attest({ ...link, _type: 'layout' }, [key]),
    'a link of another step': attest({ ...link, name: 'download tool_1_amd64.deb' }, [key]),
    'a hash that is none': attest({ ...link, products: { 'tool_1_amd64.deb': { sha256: 'G'.repeat(64) } } }, [key]),
    'a fraction among what is signed': attest({ ...link, byproducts: { n: 1 } }, [key]).replace('"n":1', '"n":1.5'),
    'a thousand signatures': altered(
      (envelope) => void (envelope.signatures = Array.from({ length: 1000 }, () => envelope.signatures[0]!)),
    ),
    'no JSON': '<html>',
    'nested without end': `{"signatures":[],"signed":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    nothing: '',
  };
  for (const [name, bytes] of Object.entries(attacks)) it(`does not hold: ${name}`, () => assert.equal(debs(bytes), undefined));

  it('names no .deb where its products are others', () => {
    assert.deepEqual(debs(attest(linkOf('tool_1_amd64.buildinfo', deb), [key])), []);
  });
});
