import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUDITABLE, RESULTS } from '../../src/model/verdict.ts';
import { badgeEndpoint, badgeSvg, type BadgeSubject, drawBadge, percentage } from '../../src/steps/draw-badge.ts';
import { type SampleKind, sampleVerdict } from '../support/sample.ts';

const done = (kind: SampleKind): BadgeSubject => ({ status: 'done', verdict: sampleVerdict(kind) });

describe('a badge', () => {
  const CASES: [what: string, subject: BadgeSubject, message: string, color: string][] = [
    ['an image nobody asked about', undefined, 'not judged', 'lightgrey'],
    ['one that waits', { status: 'queued' }, 'judging', 'blue'],
    ['one that is being judged', { status: 'running' }, 'judging', 'blue'],
    ['a job that failed', { status: 'failed' }, 'could not judge', 'lightgrey'],
    ['an honest image', done('honest'), 'auditable · equivalent', 'brightgreen'],
    ['one that is partly accounted for', done('partly'), '99.5% auditable · explained', 'yellow'],
    ['a replaced program', done('backdoored'), 'not auditable · suspicious', 'red'],
    ['one without source', done('unsourced'), '99.8% auditable · not-comparable', 'yellow'],
  ];
  for (const [what, subject, message, color] of CASES) {
    it(`of ${what} says "${message}" in ${color}`, () => {
      assert.deepEqual(drawBadge(subject), { label: 'conforme', message, color });
    });
  }

  it('is green only where the contents can be audited and no rebuild speaks against them', () => {
    for (const auditable of AUDITABLE) {
      for (const result of RESULTS) {
        const { color } = drawBadge({ status: 'done', verdict: { ...sampleVerdict('honest'), auditable, result } });
        const green = auditable === 'yes' && result !== 'different' && result !== 'suspicious';
        assert.equal(color === 'green' || color === 'brightgreen', green, `${auditable} ${result}: ${color}`);
        if (auditable === 'no' || result === 'suspicious') assert.equal(color, 'red');
      }
    }
  });

  it('never rounds up', () => {
    const cases: [number, string][] = [
      [1, '100%'],
      [0.9999, '99.9%'],
      [0.999, '99.9%'],
      [0.5, '50%'],
      [0.123, '12.3%'],
      [0, '0%'],
    ];
    for (const [share, text] of cases) assert.equal(percentage(share), text);
  });

  it('is SVG that escapes, and JSON that shields.io takes', () => {
    const svg = badgeSvg({ label: 'conforme', message: '<script>"&', color: 'red' });
    assert.match(svg, /^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    assert.ok(svg.includes('&lt;script&gt;') && !svg.includes('<script'));
    assert.deepEqual(badgeEndpoint(drawBadge(undefined)), {
      schemaVersion: 1,
      label: 'conforme',
      message: 'not judged',
      color: 'lightgrey',
      cacheSeconds: 300,
    });
  });
});
