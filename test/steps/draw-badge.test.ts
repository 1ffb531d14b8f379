import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AUDITABLE, RESULTS } from '../../src/model/verdict.ts';
import { BADGE_METRICS, badgeEndpoint, badgeSvg, type BadgeSubject, drawBadge, percentage } from '../../src/steps/draw-badge.ts';
import { type SampleKind, sampleVerdict } from '../support/sample-verdict.ts';

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
      const { title, ...badge } = drawBadge(subject);
      assert.deepEqual(badge, { label: 'conforme', message, color });
      assert.equal(title !== undefined, subject?.status === 'done');
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

  it('says one thing alone where that is asked for, red wherever the contents cannot be audited', () => {
    const packages = { verified: 311, total: 312 };
    const CASES: [metric: (typeof BADGE_METRICS)[number], kind: SampleKind, message: string, color: string][] = [
      ['auditable', 'honest', 'auditable', 'brightgreen'],
      ['auditable', 'partly', '99.5% auditable', 'yellow'],
      ['result', 'partly', 'explained', 'green'],
      ['result', 'unsourced', 'not-comparable', 'lightgrey'],
      ['coverage', 'honest', '100% accounted for', 'brightgreen'],
      ['coverage', 'backdoored', '99.9% accounted for', 'red'],
      ['packages', 'honest', '311 of 312 packages verified', 'yellow'],
      ['packages', 'backdoored', '311 of 312 packages verified', 'red'],
    ];
    for (const [metric, kind, message, color] of CASES) {
      const badge = drawBadge({ status: 'done', verdict: sampleVerdict(kind), packages }, metric);
      assert.deepEqual([badge.message, badge.color], [message, color], `${metric} of ${kind}`);
    }
    const all = drawBadge({ status: 'done', verdict: sampleVerdict('honest'), packages: { verified: 3, total: 3 } }, 'packages');
    assert.deepEqual([all.message, all.color], ['3 packages verified', 'brightgreen']);
  });

  it('names its verdict and the day in its title, and has a mark that tells the colours apart', () => {
    const verdictDigest = `sha256:${'ab'.repeat(32)}` as const;
    const honest = drawBadge({ status: 'done', verdict: sampleVerdict('honest'), verdictDigest }, 'verdict', 'a<b>$&');
    const svg = badgeSvg(honest, 'flat', true);
    assert.match(
      svg,
      new RegExp(`<title>a&#60;b&#62;\\$&#38;: auditable · equivalent, judged 2025-11-24, verdict ${verdictDigest}</title>`),
    );
    const marks = (['honest', 'partly', 'backdoored'] as const).map((kind) => {
      const drawn = badgeSvg(drawBadge({ status: 'done', verdict: sampleVerdict(kind) }), 'flat', true);
      return /base64,([A-Za-z0-9+/=]+)/.exec(drawn)?.[1];
    });
    assert.equal(new Set(marks).size, 3);
    assert.ok(!badgeSvg(drawBadge(undefined), 'flat', true).includes('base64'));
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
