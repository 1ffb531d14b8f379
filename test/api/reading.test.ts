import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import request, { type Response } from 'supertest';
import { digestOf } from '../../src/model/digest.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { AccountLine } from '../../src/model/verdict.ts';
import type { Verification } from '../../src/model/verification.ts';
import { assertMatches } from '../support/matches.ts';
import { payloadByInToto } from '../support/envelopes.ts';
import { sampleJob, sampleRecord } from '../support/sample.ts';
import { HOSTILE_NAME, sampleAccount } from '../support/sample-verdict.ts';
import { spdxFaults } from '../support/spdx.ts';
import { startService, type TestService } from '../support/service.ts';

const EXPLAINED = ['/etc/app.conf', '/usr/sbin/nginx', '/srv/app.jar'];
const TOKEN = 'a-token-of-the-test-1234';
let service: TestService;
let honest: Verification;
let bad: Verification;
let unsourced: Verification;

before(async () => {
  service = await startService({ token: TOKEN });
  honest = await service.judged('honest', '127.0.0.1:5000/demo/honest:1');
  bad = await service.judged('backdoored', 'docker.io/library/shop:latest');
  unsourced = await service.judged('unsourced');
});
after(() => service.stop());

const get = (path: string) => request(service.url).get(path);

describe('a verdict', () => {
  it('is the bytes that gpg checks, with nothing but what is served', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'conforme-gpg-'));
    try {
      const gpg = (...args: string[]) => promisify(execFile)('gpg', ['--batch', '--homedir', folder, ...args]);
      for (const [name, path] of [
        ['key', '/v1/keys'],
        ['verdict', `/v1/verdicts/${bad.verdictDigest}`],
        ['verdict.asc', `/v1/verdicts/${bad.verdictDigest}/signature`],
      ] as const) {
        const { body } = await get(path).buffer(true).parse(raw);
        await writeFile(join(folder, name), body as Buffer);
        if (name === 'verdict') assert.equal(digestOf(body as Buffer), bad.verdictDigest);
      }
      await gpg('--import', join(folder, 'key'));
      const { stderr } = await gpg('--verify', join(folder, 'verdict.asc'), join(folder, 'verdict'));
      assert.match(stderr, /Good signature/);
      await writeFile(join(folder, 'verdict'), 'other bytes');
      await assert.rejects(gpg('--verify', join(folder, 'verdict.asc'), join(folder, 'verdict')));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('has its media types, never changes, and is not sent twice', async () => {
    for (const [path, type, caching] of [
      [`/v1/verdicts/${bad.verdictDigest}`, /^application\/vnd\.in-toto\+json/, /immutable/],
      [`/v1/verdicts/${bad.verdictDigest}/signature`, /^application\/pgp-signature/, /immutable/],
      [`/v1/verdicts/${bad.verdictDigest}/dsse.json`, /^application\/vnd\.dsse\.envelope\.v1\+json/, /immutable/],
      [`/v1/verdicts/${bad.verdictDigest}/vsa.dsse.json`, /^application\/vnd\.dsse\.envelope\.v1\+json/, /immutable/],
      ['/v1/keys', /^application\/pgp-keys/, /max-age=300/],
      ['/v1/keys/cosign.pub', /^application\/x-pem-file/, /max-age=300/],
    ] as const) {
      const { status, headers } = await get(path);
      assert.equal(status, 200);
      assert.match(headers['content-type'] ?? '', type);
      assert.match(headers['cache-control'] ?? '', caching);
      const again = await get(path).set('if-none-match', `W/"other", ${headers['etag']}`);
      assert.deepEqual([again.status, again.text], [304, '']);
      assert.equal((await request(service.url).head(path)).status, 200);
    }
    const none = await get(`/v1/verdicts/${digestOf('none')}`);
    assert.deepEqual([none.status, none.body.code, none.headers['cache-control']], [404, 'not-found', 'no-store']);
  });

  it('is signed in envelopes as well, which in-toto accepts for the very bytes and for the summary of them', async () => {
    const bytes = async (path: string): Promise<Buffer> => (await get(path).buffer(true).parse(raw)).body as Buffer;
    const key = (await bytes('/v1/keys/cosign.pub')).toString();
    const verdict = await bytes(`/v1/verdicts/${bad.verdictDigest}`);
    const { body } = await get(`/v1/verifications/${bad.id}`);
    for (const [name, result, verification] of [
      ['dsse.json', undefined, bad],
      ['vsa.dsse.json', 'FAILED', bad],
      ['vsa.dsse.json', 'PASSED', honest],
    ] as const) {
      const path = `/v1/verdicts/${verification.verdictDigest}/${name}`;
      const payload = await payloadByInToto((await bytes(path)).toString(), key);
      if (result === undefined) assert.deepEqual(payload, verdict);
      else assert.equal(JSON.parse(payload.toString()).predicate.verificationResult, result);
      assert.deepEqual(await bytes(path), await bytes(path), 'it is signed once');
    }
    assert.deepEqual(
      [body.links.envelope, body.links.vsa].map((link: string) => new URL(link).pathname),
      ['dsse.json', 'vsa.dsse.json'].map((name) => `/v1/verdicts/${bad.verdictDigest}/${name}`),
    );
  });

  it('from before there were envelopes has none', async () => {
    const job = sampleJob('before-envelopes', 'registry.example.org/old:1');
    await service.deps.records.accept(job, job.id);
    const { seals: _none, ...record } = await sampleRecord(service.deps.blobs, service.signers, job, 'honest');
    assert.equal(await service.deps.records.conclude({ ...record, packages: [] }), true);
    for (const name of ['dsse.json', 'vsa.dsse.json']) {
      const { status, body } = await get(`/v1/verdicts/${record.digest}/${name}`);
      assert.deepEqual([status, body.code], [404, 'not-found']);
    }
    assert.equal((await get(`/v1/verdicts/${record.digest}/signature`)).status, 200);
  });

  it('stands in the verification as documented, without the webhook', async () => {
    for (const { id } of [honest, bad, unsourced]) {
      const { body } = await get(`/v1/verifications/${id}`);
      assertMatches('Verification', body);
      assertMatches('Verdict', body.verdict);
    }
    const { body } = await get(`/v1/verifications/${unsourced.id}`);
    assert.deepEqual([body.status, body.verdict.result, body.verdict.reason], ['done', 'not-comparable', 'no-source']);
    assert.equal(body.links.verdict, `https://conforme.example.org/v1/verdicts/${unsourced.verdictDigest}`);
  });
});

describe('the bill of materials of a verdict', () => {
  it('is CycloneDX or SPDX under its media type, linked, and the same each time', async () => {
    const { body } = await get(`/v1/verifications/${bad.id}`);
    const texts: string[] = [];
    for (const [format, type, fileName] of [
      ['cyclonedx', 'application/vnd.cyclonedx+json; version=1.6', '.cdx.json'],
      ['spdx', 'application/spdx+json', '.spdx.json'],
    ] as const) {
      const path = `/v1/verdicts/${bad.verdictDigest}/${format}.json`;
      assert.equal(body.links[format], `https://conforme.example.org${path}`);
      const first = await get(path).buffer(true).parse(raw);
      assert.equal(first.status, 200);
      assert.equal(first.headers['content-type'], type);
      assert.ok(first.headers['content-disposition']?.endsWith(`${fileName}"`));
      const again = await get(path).buffer(true).parse(raw);
      assert.deepEqual(again.body, first.body);
      assert.equal((await get(path).set('if-none-match', first.headers['etag'] ?? '')).status, 304);
      texts.push((first.body as Buffer).toString());
    }
    const [cyclonedx = '', spdx = ''] = texts;
    assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(cyclonedx), null);
    assert.deepEqual(await spdxFaults(spdx), []);
    for (const text of texts) assert.ok(text.includes('pkg:deb/debian/nginx@1.22.1-9%2Bdeb12u4?arch=amd64&distro=bookworm'));
    const { components } = JSON.parse(cyclonedx) as { components: { type: string; name: string }[] };
    assert.ok(components.some(({ type, name }) => type === 'file' && name === HOSTILE_NAME));
    assert.equal((await get(`/v1/verdicts/${digestOf('none')}/spdx.json`)).status, 404);
  });
});

describe('the account', () => {
  const all = async (path: string): Promise<{ items: AccountLine[]; pages: number }> => {
    const items: AccountLine[] = [];
    let cursor = '';
    for (let pages = 1; ; pages += 1) {
      const { body, status } = await get(`${path}${cursor}`);
      assert.equal(status, 200, JSON.stringify(body));
      assertMatches('FilesPage', body);
      items.push(...body.items);
      if (body.next === undefined) return { items, pages };
      cursor = `&cursor=${body.next}`;
    }
  };

  it('comes in pages, each line once and in order', async () => {
    assert.ok(bad.verdict);
    const expected = sampleAccount(bad.verdict);
    const { items, pages } = await all(`/v1/verifications/${bad.id}/files?limit=4`);
    assert.deepEqual(
      items.map(({ path }) => path),
      expected.map(({ path }) => path),
    );
    assert.equal(pages, Math.ceil(expected.length / 4));
    assert.ok(items.some(({ path }) => path === HOSTILE_NAME));
  });

  it('is filtered by attribution and by folder', async () => {
    const files = `/v1/verifications/${bad.id}/files`;
    const unexplained = await all(`${files}?attribution=unexplained&limit=2`);
    assert.ok(unexplained.items.length > 2 && unexplained.items.every(({ attribution }) => attribution === 'unexplained'));
    assert.equal((await all(`${files}?attribution=download&limit=2`)).items.length, 0);
    const below = await all(`${files}?path=/usr/share/source/&limit=2`);
    assert.deepEqual(
      below.items.map(({ path }) => path),
      ['/usr/share/source/1', '/usr/share/source/2', '/usr/share/source/3'],
    );
    // A folder is no prefix: /usr/share/sour has nothing to do with /usr/share/source.
    assert.equal((await all(`${files}?path=/usr/share/sour&limit=2`)).items.length, 0);
    assert.equal((await all(`${files}?path=/usr/sbin/nginx&limit=2`)).items.length, 1);
  });

  it('refuses filters and cursors that mean nothing', async () => {
    for (const query of ['attribution=other', 'limit=0', 'limit=1001', 'limit=x', 'cursor=abc', 'cursor=-1', 'unknown=1']) {
      const { status, body } = await get(`/v1/verifications/${bad.id}/files?${query}`);
      assert.deepEqual([status, body.code], [400, 'invalid-request'], query);
    }
  });

  it('has the differences and the log beside it', async () => {
    const { body } = await get(`/v1/verifications/${bad.id}/differences`);
    assertMatches('DifferencesPage', body);
    assert.deepEqual(
      body.items.map(({ cause }: { cause: string }) => cause),
      ['normalised', ...[HOSTILE_NAME, ...EXPLAINED].map(() => 'unknown')],
    );
    const grave = await get(`/v1/verifications/${bad.id}/differences?cause=unknown`);
    assert.deepEqual(
      grave.body.items.map(({ path }: { path: string }) => path),
      [HOSTILE_NAME, ...EXPLAINED],
    );
    const same = await get(`/v1/verifications/${bad.id}/differences?class=same`);
    assert.deepEqual(
      same.body.items.map((one: { path: string; class: string }) => [one.path, one.class]),
      [HOSTILE_NAME, ...EXPLAINED].map((path) => [path, 'same']),
    );
    assert.equal((await get(`/v1/verifications/${bad.id}/differences?class=other`)).status, 400);
    const log = await get(`/v1/verifications/${bad.id}/log`);
    assert.equal(log.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(log.headers['x-content-type-options'], 'nosniff');
    assert.match(log.text, /^STEP 1\/4/);
    assert.equal((await get(`/v1/verifications/${unsourced.id}/log`)).status, 404);
  });

  it('has what differs inside of files, each by its digest and for ever, and no other document under that address', async () => {
    const { body: list } = await get(`/v1/verifications/${bad.id}/differences?cause=unknown`);
    const index = await get(`/v1/verifications/${bad.id}/explanations`);
    assertMatches('Explanations', index.body);
    assert.deepEqual(
      index.body.files.map(({ path }: { path: string }) => path),
      EXPLAINED,
    );
    assert.equal(index.body.packages.listed[0].name, 'libssl3');
    for (const { path, explanation, links } of list.items.slice(1)) {
      const own = `/v1/verifications/${bad.id}/explanations/${explanation}`;
      assert.equal(links.explanation, `https://conforme.example.org${own}`);
      const { body, headers } = await get(own);
      assertMatches('Explanation', body);
      assert.deepEqual([body.path, headers['etag']], [path, `"${explanation}"`]);
      assert.match(headers['cache-control'] ?? '', /immutable/);
      assert.equal((await get(own).set('if-none-match', `"${explanation}"`)).status, 304);
      assert.equal(digestOf(canonicalJson(body)), explanation, 'nothing of the stored document is left out');
    }
    const { account } = (await service.deps.records.verdictOf(bad.id)) ?? {};
    for (const other of [account, digestOf('nothing')])
      assert.equal((await get(`/v1/verifications/${bad.id}/explanations/${other}`)).status, 404);
    assert.equal((await get(`/v1/verifications/${bad.id}/explanations/x`)).status, 400);
    assert.equal((await get(`/v1/verifications/${unsourced.id}/explanations`)).status, 404);
  });
});

describe('images that hold a package', () => {
  it('are found by package, by source, and by versions in the order of dpkg', async () => {
    const count = async (query: string): Promise<number> => {
      const { status, body } = await get(`/v1/images?${query}`);
      assert.equal(status, 200, JSON.stringify(body));
      assertMatches('ImagesPage', body);
      return body.items.length;
    };
    assert.equal(await count('package=openssl'), 3);
    // ~ sorts before the end: 3.0.16-1~deb12u1 is older than 3.0.16-1.
    assert.equal(await count('package=openssl&olderThan=3.0.16-1'), 3);
    assert.equal(await count('package=openssl&olderThan=3.0.16-1~deb12u1'), 0);
    assert.equal(await count('package=openssl&olderThan=1%3A1'), 3);
    assert.equal(await count('package=openssl&olderThan=3.0.9-1'), 0);
    assert.equal(await count('package=absent'), 0);
    assert.equal(await count(`file=${digestOf('absent')}`), 0);
    assert.equal(await count('package=openssl&limit=2'), 2);
    const { body } = await get('/v1/images?package=openssl&limit=2');
    const { body: rest } = await get(`/v1/images?package=openssl&limit=2&cursor=${body.next}`);
    assert.deepEqual([rest.items.length, rest.next], [1, undefined]);
    assert.deepEqual(
      [rest.items[0].verification, rest.items[0].verdict, rest.items[0].page],
      [honest.id, honest.verdictDigest, `https://conforme.example.org/verifications/${honest.id}`],
    );
    const empty = digestOf('');
    for (const query of [
      'package=openssl&olderThan=-',
      'olderThan=1',
      'package=a%20b',
      '',
      `file=${empty}`,
      'file=abc',
      `package=a1&file=${digestOf('a')}`,
      `olderThan=1&file=${digestOf('a')}`,
      'package=openssl&cursor=abc',
      'package=openssl&limit=0',
    ]) {
      const { status, body } = await get(`/v1/images?${query}`);
      assert.deepEqual([status, body.code], [400, 'invalid-request'], query);
    }
  });
});

describe('a badge', () => {
  it('knows references as Docker writes them', async () => {
    const digest = bad.image.digest;
    for (const reference of ['shop', 'shop:latest', 'library/shop', 'docker.io/library/shop', `shop@${digest}`, `any/name@${digest}`]) {
      const { body } = await get(`/badge/${reference}.json`);
      assertMatches('BadgeEndpoint', body);
      assert.equal(body.message, 'not auditable · suspicious', reference);
    }
    for (const reference of ['127.0.0.1:5000/demo/honest:1', '127.0.0.1%3A5000%2Fdemo%2Fhonest%3A1']) {
      const { text, headers, body } = await get(`/badge/${reference}.svg`);
      assert.match(headers['content-type'] ?? '', /^image\/svg\+xml/);
      assert.match(String((body as Buffer) ?? text), /conforme: auditable · equivalent/);
    }
  });

  it('is grey and 200 for an image that nobody asked about', async () => {
    const { status, body, headers } = await get('/badge/nobody/asked:1.json');
    assert.deepEqual([status, body.message, body.color], [200, 'not judged', 'lightgrey']);
    assert.match(headers['cache-control'] ?? '', /max-age=60\b/);
  });

  it('has an ETag, styles, and changes with the verdict', async () => {
    const path = '/badge/nobody/asked:2.svg';
    const first = await get(path);
    assert.equal((await get(path).set('if-none-match', first.headers['etag'] ?? '')).status, 304);
    await service.judged('honest', 'docker.io/nobody/asked:2');
    const second = await get(path).set('if-none-match', first.headers['etag'] ?? '');
    assert.equal(second.status, 200);
    const styled = await get(`${path}?style=for-the-badge`);
    assert.notEqual(styled.headers['etag'], second.headers['etag']);
    assert.equal((await get(`${path}?style=none`)).status, 400);
  });

  it('refuses what is no badge with a problem that nobody keeps', async () => {
    for (const [path, status, code] of [
      ['/badge/shop', 404, 'not-found'],
      ['/badge/.svg', 404, 'not-found'],
      ['/badge/UP.svg', 400, 'invalid-reference'],
      ['/badge/a%00b.svg', 400, 'invalid-reference'],
      [`/badge/${'a'.repeat(900)}.svg`, 400, 'invalid-reference'],
    ] as const) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.body.code, answer.headers['cache-control']], [status, code, 'no-store'], path);
    }
  });
});

describe('deliveries', () => {
  it('show the whole address to those who have the token only', async () => {
    await service.deps.records.addDelivery({
      id: 'msg_1',
      verification: honest.id,
      url: 'https://hooks.example.org/secret/path?key=secret',
      event: 'verdict.created',
      body: '{}',
      status: 'pending',
      attempts: [],
    });
    await service.deps.records.recordAttempt('msg_1', { at: '2025-01-01T00:00:00.000Z', status: 500, answer: 'a secret' }, 'failed');
    const path = `/v1/verifications/${honest.id}/deliveries`;
    const open = await get(path);
    assertMatches('DeliveriesPage', open.body);
    assert.equal(open.body.items[0].url, 'https://hooks.example.org/…');
    assert.equal(open.body.items[0].attempts[0].status, 500);
    const page = await get(`/verifications/${honest.id}`);
    assert.ok(page.text.includes('https://hooks.example.org/…'));
    for (const { text } of [open, page, await get(`/v1/verifications/${honest.id}`)]) assert.ok(!text.includes('secret'));
    const whole = await get(path).set('authorization', `Bearer ${TOKEN}`);
    assert.equal(whole.body.items[0].url, 'https://hooks.example.org/secret/path?key=secret');
    assert.deepEqual([whole.body.items[0].body, whole.body.items[0].attempts[0].answer], ['{}', 'a secret']);
  });

  it('are sent again for those who have the token', async () => {
    const again = (id: string, token: string) =>
      request(service.url).post(`/v1/deliveries/${id}/redeliver`).set('authorization', `Bearer ${token}`);
    assert.equal((await again('msg_1', 'wrong')).status, 401);
    assert.equal((await service.deps.records.delivery('msg_1'))?.status, 'failed');
    const sent = await again('msg_1', TOKEN);
    assert.equal(sent.status, 202);
    assertMatches('Delivery', sent.body);
    assert.equal(sent.body.status, 'pending');
    assert.equal((await again('msg_2', TOKEN)).body.code, 'not-found');
  });
});

describe('operations', () => {
  it('says that it lives, is ready, and what it did', async () => {
    for (const path of ['/healthz', '/readyz']) assert.deepEqual((await get(path)).body, { status: 'ok' });
    const { text } = await get('/metrics');
    assert.match(text, /^conforme_verifications\{status="done"\} [3-9]/m);
    assert.match(text, /^conforme_verdicts\{result="suspicious"\} 1$/m);
    assert.match(text, /^conforme_database_up 1$/m);
    assert.match(text, /^http_request_duration_seconds_count\{method="GET",route="\/v1\/verifications\/:id",status="200"\} \d+$/m);
    // Neither a reference nor an id becomes a label: callers choose those.
    assert.ok(!text.includes(honest.id) && !text.includes('nobody'));
  });
});

function raw(response: Response, done: (error: Error | null, body: Buffer) => void): void {
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  response.on('end', () => done(null, Buffer.concat(parts)));
}
