import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Verdict } from '../../src/model/verdict.ts';
import { composeEvent } from '../../src/steps/compose-event.ts';
import { digestOfNumber, someJob } from '../support/verification.ts';

const AT = '2025-01-02T03:04:05.000Z';
const job = someJob('abc', 'https://hook.test/secret');

describe('the event of a webhook', () => {
  it('of a verdict says what it is and where to look, no more', () => {
    const verdict = { result: 'not-comparable', reason: 'no-source', auditable: 'partly', findings: [{ code: 'x' }] } as unknown as Verdict;
    const { type, body } = composeEvent('https://c.test', job, { verdict, digest: digestOfNumber(9) }, AT);
    assert.equal(type, 'verdict.created');
    assert.deepEqual(JSON.parse(body), {
      type,
      timestamp: AT,
      data: {
        verification: 'abc',
        image: { reference: 'example.test/abc:1', digest: digestOfNumber(1) },
        result: 'not-comparable',
        reason: 'no-source',
        auditable: 'partly',
        links: {
          verification: 'https://c.test/v1/verifications/abc',
          page: 'https://c.test/verifications/abc',
          badge: 'https://c.test/badge/example.test/abc:1.svg',
          verdict: `https://c.test/v1/verdicts/${digestOfNumber(9)}`,
          signature: `https://c.test/v1/verdicts/${digestOfNumber(9)}/signature`,
        },
      },
    });
    assert.ok(!body.includes('secret'));
    assert.equal(body, composeEvent('https://c.test', job, { verdict, digest: digestOfNumber(9) }, AT).body, 'the same bytes');
  });

  it('of a failure names the problem and promises no verdict', () => {
    const problem = { type: '/docs/problems#image-not-found', title: 'none', status: 404, code: 'image-not-found', detail: 'inside' };
    const { type, body } = composeEvent('https://c.test', job, { problem }, AT);
    const { data } = JSON.parse(body) as { data: Record<string, Record<string, string>> };
    assert.equal(type, 'verification.failed');
    assert.deepEqual(data['problem'], { code: 'image-not-found', title: 'none' });
    assert.deepEqual(Object.keys(data['links'] ?? {}), ['badge', 'page', 'verification']);
    assert.ok(!('result' in data));
  });
});
