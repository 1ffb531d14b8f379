import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { digestOf } from '../../src/model/digest.ts';
import { Problem } from '../../src/problem.ts';
import { type BadgeColor, badgeSvg } from '../../src/steps/draw-badge.ts';
import { sampleJob } from '../support/sample.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
before(async () => {
  service = await startService();
});
after(() => service.stop());

const get = (path: string) => request(service.url).get(path);
const summary = (id: string, query = '') => get(`/v1/verifications/${id}/summary${query}`);

describe('the summary of a verification', () => {
  it('has the outcome in a header, by the threshold that is asked for', async () => {
    const { id, verdictDigest } = await service.judged('partly');
    for (const [query, outcome] of [
      ['', 'fail'],
      ['?failOn=no', 'pass'],
      ['?failOn=no,medium', 'fail'],
      ['?failOn=never', 'pass'],
    ] as const) {
      const { status, headers, text } = await summary(id, query);
      assert.deepEqual([status, headers['conforme-outcome'], headers['conforme-verdict']], [200, outcome, verdictDigest], query);
      assert.equal(headers['content-type'], 'text/markdown; charset=utf-8');
      assert.match(text, /^## conforme: auditable partly, explained\n/);
    }
    const { id: untold } = await service.judged('unsourced');
    assert.equal((await summary(untold, '?failOn=different')).headers['conforme-outcome'], 'unknown');
    for (const query of ['?failOn=maybe', '?failOn=', `?failOn=${'no,'.repeat(100)}`, '?failon=no']) {
      const { status, body } = await summary(id, query);
      assert.deepEqual([status, body.code], [400, 'invalid-request'], query);
    }
    assert.equal((await summary('nothing')).status, 404);
  });

  it('is waited for, and says that it is not there yet', async () => {
    const { verification } = await service.deps.records.accept(sampleJob(randomUUID(), 'registry.example.org/waited:1'), randomUUID());
    const early = await summary(verification.id);
    assert.deepEqual([early.status, early.headers['conforme-outcome']], [202, undefined]);
    const waiting = summary(verification.id)
      .set('prefer', 'wait=30')
      .then((answer) => answer);
    await service.conclude(verification.id, 'honest');
    const { status, headers } = await waiting;
    assert.deepEqual([status, headers['conforme-outcome'], headers['preference-applied']], [200, 'pass', 'wait=30']);
  });

  it('says why there is no verdict', async () => {
    const { verification } = await service.deps.records.accept(sampleJob(randomUUID(), 'registry.example.org/failed:1'), randomUUID());
    await service.deps.records.fail(verification.id, new Problem('registry-unavailable', 'it answers 503').toDocument());
    const { status, headers, text } = await summary(verification.id, '?failOn=never');
    assert.deepEqual([status, headers['conforme-outcome'], headers['conforme-verdict']], [200, 'error', undefined]);
    assert.match(text, /registry-unavailable<\/code> it answers 503/);
  });
});

describe('the findings as SARIF', () => {
  it('are linked, never change and are not sent twice', async () => {
    const { id, verdictDigest } = await service.judged('backdoored');
    const path = `/v1/verdicts/${verdictDigest}/sarif.json`;
    const view = await get(`/v1/verifications/${id}`);
    assert.equal(view.body.links.sarif, `https://conforme.example.org${path}`);
    const { status, headers, text } = await get(path).buffer(true);
    assert.deepEqual([status, headers['content-type']], [200, 'application/sarif+json']);
    assert.match(headers['content-disposition'] ?? '', /^inline; filename="[0-9a-f]{12}\.sarif"$/);
    const { runs } = JSON.parse(String(text)) as { runs: { results: { ruleId: string }[] }[] };
    assert.deepEqual(
      runs[0]?.results.map(({ ruleId }) => ruleId),
      view.body.verdict.findings.map(({ code }: { code: string }) => code),
    );
    assert.equal((await get(path).set('if-none-match', headers['etag'] ?? '')).status, 304);
    assert.equal((await get(`/v1/verdicts/${digestOf('none')}/sarif.json`)).status, 404);
  });
});

describe('the badge of several images', () => {
  const badge = (...images: string[]) =>
    get(`/badge.svg?${images.map((image) => `image=${encodeURIComponent(image)}`).join('&')}`).buffer(true);
  const said = ({ body, text }: { body?: unknown; text?: string }): string => text ?? String(body);

  it('says how many can be audited, in the colour of the worst', async () => {
    for (const kind of ['honest', 'partly', 'backdoored'] as const) await service.judged(kind, `registry.example.org/stack/${kind}:1`);
    const [honest, partly, bad, never] = ['honest:1', 'partly:1', 'backdoored:1', 'never:1'].map(
      (name) => `registry.example.org/stack/${name}`,
    );
    const cases: [images: (string | undefined)[], message: string, color: BadgeColor][] = [
      [[honest], 'all auditable', 'brightgreen'],
      [[honest, partly], '1 of 2 auditable', 'yellow'],
      [[honest, partly, bad], '1 of 3 auditable', 'red'],
      [[honest, never], '1 of 2 auditable', 'lightgrey'],
      [[bad, never], '0 of 2 auditable', 'red'],
    ];
    for (const [images, message, color] of cases) {
      const answer = await badge(...images.map(String));
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'image/svg+xml; charset=utf-8']);
      assert.equal(said(answer), badgeSvg({ label: 'conforme', message, color, title: `conforme: ${message}` }, 'flat', false));
      assert.match(answer.headers['cache-control'] ?? '', /max-age=60/);
    }
  });

  it('refuses what is no list of images', async () => {
    for (const images of [[], [''], ['A B'], Array(21).fill('a') as string[]])
      assert.equal((await badge(...images)).status, 400, String(images));
  });
});
