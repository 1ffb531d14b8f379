import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { digestOf } from '../../src/model/digest.ts';
import type { Verification } from '../../src/model/verification.ts';
import { assertMatches } from '../support/matches.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
let honest: Verification;
let bad: Verification;
before(async () => {
  service = await startService();
  await service.judged('honest', 'registry.example.org/shop:1');
  honest = await service.judged('honest', 'registry.example.org/shop:2');
  bad = await service.judged('backdoored', 'registry.example.org/shop:2');
  await service.judged('partly', 'registry.example.org/shop-front:1');
});
after(() => service.stop());

const page = (path: string) => request(service.url).get(path).set('accept', 'text/html');
const references = (html: string): string[] =>
  [...html.matchAll(/<a href="\/verifications\/[^"]*"><code>([^<]*)</g)].map(([, name]) => name ?? '');

describe('searching', () => {
  it('finds images by part of the reference and by digest, newest first', async () => {
    const { text } = await page('/search?q=shop');
    const found = ['shop-front:1', 'shop:2', 'shop:2', 'shop:1'].map((name) => `registry.example.org/${name}`);
    assert.deepEqual(references(text).slice(0, 4), found);
    const byDigest = await page(`/search?q=${honest.image.digest}`);
    assert.deepEqual(new Set(references(byDigest.text)), new Set(['registry.example.org/shop:2']));
    assert.match((await page('/search?q=%25')).text, /Nothing that was judged matches/);
  });

  it('leads from the digest of a verdict to its page, and finds the images with a package or a file', async () => {
    const { status, headers } = await page(`/search?q=${bad.verdictDigest}`);
    assert.deepEqual([status, headers['location']], [302, `/verdicts/${bad.verdictDigest}`]);
    assert.match((await page('/search?q=nginx')).text, /Images that hold it/);
    assert.match((await page(`/search?q=${digestOf('nobody has this')}`)).text, /Nothing that was judged matches/);
  });

  it('asks the fleet by a form, which leaves empty fields in', async () => {
    const { text } = await page('/images?package=nginx&olderThan=&cve=');
    assert.match(text, /Images that hold it/);
    assert.match((await page('/images?package=nginx&olderThan=0')).text, /No judged image does/);
    for (const query of ['package=NGINX', 'package=nginx&olderThan=--', 'cve=CVE-1', 'package=nginx&cve=CVE-2024-5535'])
      assert.match((await page(`/images?${query}`)).text, /not asked/, query);
    assert.match((await page('/images')).text, /<form class="search" action="\/images">/);
  });

  it('lists verifications with cursors', async () => {
    const first = await request(service.url).get('/v1/verifications?image=example.org/shop:&limit=2');
    assertMatches('VerificationsPage', first.body);
    assert.equal(first.body.items.length, 2);
    const second = await request(service.url).get(`/v1/verifications?image=example.org/shop:&limit=2&cursor=${first.body.next}`);
    assert.deepEqual(
      [...first.body.items, ...second.body.items].map(({ image }: Verification) => image.reference.split(':')[1]),
      ['2', '2', '1'],
    );
    assert.equal(second.body.next, undefined);
  });
});

describe('the history of an image', () => {
  it('shows each verdict on its tag, and says when the answer changed', async () => {
    const { text, status } = await page('/history/registry.example.org/shop');
    assert.equal(status, 200);
    assert.equal(text.match(/<path class="t-good"/g)?.length, 2);
    assert.equal(text.match(/<path class="t-bad"/g)?.length, 1);
    assert.match(text.replace(/\s+/g, ' '), /<code>2<\/code> was auditable \(equivalent\) until .* not auditable \(suspicious\)/);
    assert.ok(!text.includes('shop-front'), 'another repository with the same beginning');
    assert.equal((await page('/history/registry.example.org/nothing')).status, 404);
  });
});
