import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPglite, openPostgres, type OpenRecords } from '../../../src/adapters/database/open.ts';
import type { Digest } from '../../../src/model/digest.ts';
import type { VerdictRecord, VerificationJob } from '../../../src/model/verification.ts';
import type { Delivery, Records } from '../../../src/ports.ts';
import { Problem } from '../../../src/problem.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';

let counter = 0;
const digest = (seed: number): Digest => `sha256:${seed.toString(16).padStart(64, '0')}`;

function job(more: Partial<VerificationJob['request']> = {}, image: Partial<VerificationJob['image']> = {}): VerificationJob {
  counter += 1;
  return {
    id: `v${counter}`,
    request: { image: 'example.test/app:1', ...more },
    image: {
      reference: `example.test/app${counter}:1`,
      digest: digest(counter),
      manifestDigest: digest(counter + 100_000),
      platform: { os: 'linux', architecture: 'amd64' },
      ...image,
    },
  };
}

function verdictOf(verification: VerificationJob, more: Partial<VerdictRecord> = {}): VerdictRecord {
  const counts = { files: {}, bytes: {}, executables: {} } as VerdictRecord['verdict']['coverage'];
  return {
    digest: digest(900_000 + counter++),
    verification: verification.id,
    image: verification.image,
    verdict: {
      result: 'identical',
      auditable: 'yes',
      summary: 'a \u0000 in it',
      coverage: counts,
      findings: [],
      freshness: { judgedAt: '2025-01-01T00:00:00Z', rules: '1', policy: 'default' },
    } as unknown as VerdictRecord['verdict'],
    statement: Buffer.from([0, 1, 2, 255, 0]),
    signature: 'armored',
    account: digest(1),
    differences: digest(2),
    packages: [],
    ...more,
  };
}

const problem = (code: string): ((thrown: unknown) => boolean) => {
  return (thrown) => thrown instanceof Problem && thrown.code === code;
};

function suite(open: () => Promise<OpenRecords>): void {
  let opened: OpenRecords;
  let records: Records;
  before(async () => {
    opened = await open();
    ({ records } = opened);
  });
  after(() => opened.close());

  it('accepts a request once', async () => {
    const first = job({ buildArgs: { A: 'nul \u0000 and half a pair \ud800' } });
    const key = `key-${first.id}`;
    const [one, two] = await Promise.all([records.accept(first, key), records.accept(job(), key)]);
    assert.deepEqual([one.created, two.created].toSorted(), [false, true]);
    assert.equal(one.verification.id, two.verification.id);
    const again = await records.accept(job(), key);
    assert.equal(again.created, false);
    assert.equal(again.verification.status, 'queued');
    assert.match(again.verification.createdAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('keeps a request exactly, whatever its strings hold', async () => {
    const odd = job({ buildArgs: { A: 'nul \u0000 and half a pair \ud800', ['__proto__']: 'x' } });
    await records.accept(odd, odd.id);
    const kept = await records.get(odd.id);
    assert.deepEqual(kept?.request, odd.request);
    assert.ok((await records.unfinished()).some((each) => each.id === odd.id));
    assert.equal(await records.get('no\u0000ne'), undefined);
  });

  it('lets a request that failed be made again', async () => {
    const first = job();
    await records.accept(first, first.id);
    await records.fail(first.id, new Problem('image-not-found', 'gone').toDocument());
    const failed = await records.get(first.id);
    assert.equal(failed?.status, 'failed');
    assert.equal(failed?.problem?.code, 'image-not-found');
    const second = await records.accept(job(), first.id);
    assert.equal(second.created, true);
    await records.setStatus(first.id, 'running', 'pull');
    assert.equal((await records.get(first.id))?.status, 'failed', 'what has ended stays ended');
    assert.equal(await records.conclude(verdictOf(first)), false, 'no verdict on what was told to have failed');
    assert.equal(await records.verdictOf(first.id), undefined);
  });

  it('stores exactly one verdict, and its bytes', async () => {
    const verification = job();
    await records.accept(verification, verification.id);
    await records.setStatus(verification.id, 'running', 'conclude');
    assert.equal((await records.get(verification.id))?.step, 'conclude');
    const record = verdictOf(verification);
    const outcomes = await Promise.all([records.conclude(record), records.conclude(verdictOf(verification)), records.conclude(record)]);
    assert.equal(outcomes.filter(Boolean).length, 1);
    const kept = await records.verdictOf(verification.id);
    assert.ok(kept !== undefined);
    assert.deepEqual(Buffer.from(kept.statement), Buffer.from(record.statement));
    assert.equal(kept.verdict.summary, 'a \u0000 in it');
    assert.deepEqual(await records.verdict(kept.digest), kept);
    const done = await records.get(verification.id);
    assert.equal(done?.status, 'done');
    assert.equal(done?.verdictDigest, kept.digest);
    assert.deepEqual(done?.verdict, kept.verdict);
    await records.fail(verification.id, new Problem('internal', 'too late').toDocument());
    assert.equal((await records.get(verification.id))?.status, 'done');
    assert.ok(!(await records.unfinished()).some((each) => each.id === verification.id));
    await assert.rejects(records.conclude(verdictOf(job())), problem('internal'), 'a verdict on nothing');
  });

  it('adds the delivery with the verdict or not at all', async () => {
    const verification = job();
    await records.accept(verification, verification.id);
    const delivery: Delivery = {
      id: `d-${verification.id}`,
      verification: verification.id,
      url: 'http://example.test/hook',
      event: 'verdict.created',
      body: '{"a":1}',
      status: 'pending',
      attempts: [],
    };
    assert.equal(await records.conclude(verdictOf(verification), [delivery]), true);
    assert.equal(await records.conclude(verdictOf(verification), [{ ...delivery, id: 'other' }]), false);
    assert.deepEqual(await records.deliveriesOf(verification.id), [delivery]);
    assert.ok((await records.pendingDeliveries()).some(({ id }) => id === delivery.id));
    await records.recordAttempt(delivery.id, { at: '2025-01-01T00:00:00.000Z', error: 'x\u0000y'.repeat(1000) }, 'pending');
    await records.recordAttempt(delivery.id, { at: '2025-01-01T00:00:05.000Z', status: 204 }, 'delivered');
    await records.recordAttempt(delivery.id, { at: '2025-01-01T00:00:06.000Z', status: 500 }, 'failed');
    const kept = await records.delivery(delivery.id);
    assert.equal(kept?.status, 'delivered', 'delivered once is delivered');
    assert.deepEqual(
      kept?.attempts.map(({ at, status }) => [at, status]),
      [
        ['2025-01-01T00:00:00.000Z', undefined],
        ['2025-01-01T00:00:05.000Z', 204],
        ['2025-01-01T00:00:06.000Z', 500],
      ],
    );
    assert.ok(!(await records.pendingDeliveries()).some(({ id }) => id === delivery.id));
    await records.addDelivery({ ...delivery, id: `e-${verification.id}` });
    await records.addDelivery({ ...delivery, id: `e-${verification.id}`, url: 'http://other.test/' });
    assert.equal((await records.deliveriesOf(verification.id)).length, 2);
  });

  it('finds images by package, by source package and with the layer', async () => {
    const packages = ['a', 'b'].map((suffix, layer) => ({
      name: `lib${suffix}\u0000`,
      version: '1.0-1',
      architecture: 'amd64',
      source: `src-${counter}`,
      sourceVersion: '1.0-1',
      layer,
    }));
    const source = packages[0]?.source ?? '';
    const verifications = [job(), job()];
    for (const each of verifications) await records.accept(each, each.id);
    // Side by side and in opposite orders: neither may wait for the other for ever.
    const [one, two] = verifications.map((each, index) =>
      records.conclude(verdictOf(each, { packages: index === 0 ? packages : packages.toReversed() })),
    );
    assert.deepEqual(await Promise.all([one, two]), [true, true]);
    const { items: found } = await records.imagesWithPackage({ name: source }, { limit: 100 });
    assert.equal(found.length, 4);
    const [newest] = verifications.toReversed();
    assert.equal(found[0]?.verification, newest?.id);
    assert.deepEqual(found[0]?.image, newest?.image);
    assert.deepEqual(
      found.slice(0, 2).map(({ package: held, layer }) => [held?.name, layer]),
      [
        ['liba\ufffd', 0],
        ['libb\ufffd', 1],
      ],
    );
    assert.equal((await records.verdictOf(verifications[0]?.id ?? ''))?.packages.length, 2);
    assert.deepEqual(await records.imagesWithPackage({ name: "'; drop table packages; --" }, { limit: 1 }), { items: [] });
  });

  it('remembers an Idempotency-Key with its body', async () => {
    const verification = job();
    await records.accept(verification, verification.id);
    assert.equal(await records.idempotent('k', digest(1)), undefined);
    await records.rememberKey('k', digest(1), verification.id);
    await records.rememberKey('k', digest(2), verification.id);
    assert.equal(await records.idempotent('k', digest(1)), verification.id);
    await assert.rejects(records.idempotent('k', digest(2)), problem('idempotency-key-reused'));
  });

  it('pages from the newest without repeating or leaving out', async () => {
    const made: string[] = [];
    for (let index = 0; index < 7; index++) {
      const each = job();
      await records.accept(each, each.id);
      made.unshift(each.id);
    }
    const first = await records.list(3);
    const during = job();
    await records.accept(during, during.id);
    const second = await records.list(4, first.next);
    assert.deepEqual(
      [...first.items, ...second.items].map(({ id }) => id),
      made,
    );
    const all: string[] = [];
    for (let cursor: string | undefined, page = await records.list(2); ; page = await records.list(2, cursor)) {
      all.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    assert.equal(new Set(all).size, all.length);
    const accepted = Object.values((await records.counts()).verifications).reduce((sum, count) => sum + count, 0);
    assert.equal(all.length, accepted);
    await assert.rejects(records.list(2, 'x; drop'), problem('invalid-request'));
  });

  it('finds the newest by reference and by either digest', async () => {
    const older = job();
    const newer = job({}, { reference: older.image.reference });
    for (const each of [older, newer]) await records.accept(each, each.id);
    assert.equal((await records.latest(older.image.reference))?.id, newer.id);
    assert.equal((await records.latest(older.image.digest))?.id, older.id);
    assert.equal((await records.latest(older.image.manifestDigest))?.id, older.id);
    assert.equal(await records.latest('example.test/none:1'), undefined);
  });

  it('counts', async () => {
    const { verifications, verdicts } = await records.counts();
    assert.ok((verifications.done ?? 0) >= 4);
    assert.equal(verifications.failed, 1);
    assert.ok((verdicts.identical ?? 0) >= 4);
    await records.ready();
  });
}

describe('records on PGlite', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-pglite-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  suite(() => openPglite(folder));
});

describe('records on PostgreSQL', () => {
  let postgres: TestPostgres;
  before(async () => {
    counter = 0;
    postgres = await startPostgres();
  });
  after(() => postgres[Symbol.asyncDispose]());
  suite(() => openPostgres(postgres.url, () => undefined));
});
