import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf, hexOf } from '../../src/model/digest.ts';
import type { Statement } from '../../src/model/statement.ts';
import { AUDITABLE, RESULTS, type Verdict } from '../../src/model/verdict.ts';
import { imageClaim } from '../../src/steps/image-claim.ts';
import { judge } from '../../src/steps/judge.ts';
import { makeVsa } from '../../src/steps/make-vsa.ts';
import { byproducts, judgeInputs } from '../support/judge-inputs.ts';

const VERIFIER = 'https://conforme.example';
const DIGEST = digestOf('the verdict');
/** The document whose digest a summary names. */
const POLICY = '{"name":"default","reproducedBy":{"atLeast":1},"version":1,"weakForCode":["third-party","rebuilt","volatile"]}';
const honest = judge(judgeInputs()).state(byproducts);

const having = (verdict: Partial<Verdict>, reference = honest.predicate.image.reference): Statement => ({
  ...honest,
  predicate: { ...honest.predicate, verdict: { ...honest.predicate.verdict, ...verdict }, image: { ...honest.predicate.image, reference } },
});

describe('the verification summary', () => {
  it('has the members of the specification, and nothing that a clock decides', () => {
    const { image } = honest.predicate;
    assert.deepEqual(
      makeVsa(having({ auditable: 'yes', result: 'layers-identical' }, 'registry.example:5000/team/web:1'), DIGEST, VERIFIER),
      {
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: 'registry.example:5000/team/web', digest: { sha256: hexOf(image.manifestDigest) } }],
        predicateType: 'https://slsa.dev/verification_summary/v1',
        predicate: {
          verifier: { id: VERIFIER, version: { 'conforme-rules': honest.predicate.verdict.freshness.rules } },
          timeVerified: '2026-01-02T10:00:00.000Z',
          resourceUri: `pkg:oci/web@${image.manifestDigest}?arch=amd64&repository_url=registry.example:5000%2Fteam%2Fweb&tag=1`.replaceAll(
            '%3A',
            ':',
          ),
          policy: {
            uri: 'urn:conforme:policy:default@1',
            digest: { sha256: hexOf(digestOf(POLICY)) },
          },
          inputAttestations: [{ uri: `${VERIFIER}/v1/verdicts/${DIGEST}`, digest: { sha256: hexOf(DIGEST) } }],
          verificationResult: 'PASSED',
          verifiedLevels: ['CONFORME_AUDITABLE_YES', 'CONFORME_REBUILD_LAYERS_IDENTICAL'],
          slsaVersion: '1.1',
        },
      },
    );
  });

  it('is about the manifest that was judged, not about the index with other platforms', () => {
    const { image } = honest.predicate;
    assert.notEqual(image.digest, image.manifestDigest);
    assert.ok(!JSON.stringify(makeVsa(honest, DIGEST, VERIFIER)).includes(hexOf(image.digest)));
    assert.ok(!imageClaim(having({ auditable: 'yes' }), DIGEST)?.payload.includes(hexOf(image.digest)));
  });
});

describe('a machine is told yes', () => {
  for (const auditable of AUDITABLE)
    for (const result of RESULTS) {
      const passes = auditable === 'yes' && result !== 'suspicious';
      it(`${passes ? '' : 'not '}of ${auditable} with ${result}`, () => {
        const statement = having({ auditable, result });
        const { verificationResult, verifiedLevels } = makeVsa(statement, DIGEST, VERIFIER).predicate;
        assert.equal(verificationResult, passes ? 'PASSED' : 'FAILED');
        assert.ok(verifiedLevels.every((level) => !level.startsWith('SLSA_')));
        if (!passes) assert.deepEqual(verifiedLevels, ['FAILED']);
        assert.equal(imageClaim(statement, DIGEST) !== undefined, passes);
      });
    }
});

describe('the claim of a containers signature', () => {
  for (const [asked, named] of [
    ['docker.io/library/nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['registry.example:5000/team/web:1', 'registry.example:5000/team/web:1'],
    [`registry.example:5000/team/web@${digestOf('x')}`, 'registry.example:5000/team/web'],
    [`registry.example:5000/team/web:1@${digestOf('x')}`, 'registry.example:5000/team/web:1'],
  ] as const)
    it(`names ${named} where ${asked} was asked for`, () => {
      const claim = imageClaim(having({ auditable: 'yes', result: 'equivalent' }, asked), DIGEST);
      assert.equal(claim?.reference, named);
      assert.deepEqual(JSON.parse(claim?.payload ?? ''), {
        critical: {
          type: 'atomic container signature',
          image: { 'docker-manifest-digest': honest.predicate.image.manifestDigest },
          identity: { 'docker-reference': named },
        },
        optional: { creator: 'conforme', timestamp: 1767348000, verdict: DIGEST },
      });
    });
});
