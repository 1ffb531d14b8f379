import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { migrate } from '../../../src/adapters/database/migrations.ts';
import { makeRecords } from '../../../src/adapters/database/records.ts';
import { postgresSql, type Sql } from '../../../src/adapters/database/sql.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { SecurityIssue, SourceIssues } from '../../../src/model/security.ts';
import type { VerdictRecord } from '../../../src/model/verification.ts';
import type { Condition, WatchMatch } from '../../../src/model/watch.ts';
import type { Delivery, Records } from '../../../src/ports.ts';
import { composeForWatches } from '../../../workers/end.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { someJob, someRecord } from '../../support/verification.ts';

const compose = composeForWatches({ publicUrl: 'https://conforme.test', now: () => new Date(0) });
const issue = (cve: string, fixed: string | undefined, release = 'bookworm', urgency = 'medium'): SecurityIssue =>
  fixed === undefined ? { cve, release, urgency, status: 'open' } : { cve, release, urgency, status: 'resolved', fixed };

type Judged = { reference?: string; digest?: string; version?: string; release?: string; result?: string; auditable?: string };

/** An image with openssl, judged. Answers with what was to be told, as `watch cause`. */
async function judge(
  records: Records,
  id: string,
  {
    reference = `example.test/${id}:1`,
    digest = id,
    version = '3.0.9-1',
    release = 'bookworm',
    result = 'equivalent',
    auditable = 'yes',
  }: Judged = {},
): Promise<string[]> {
  // prettier-ignore
  const job = { ...someJob(id), image: { ...someJob(id).image, reference, manifestDigest: digestOf(digest) } };
  await records.accept(job, id);
  const packages = ['libssl3', 'openssl'].map((name) => ({ name, version, architecture: 'amd64', source: 'openssl', sourceVersion: version, layer: 0 })); // prettier-ignore
  const plain = someRecord(job);
  const verdict = { ...plain.verdict, result, auditable } as VerdictRecord['verdict'];
  const contents = { release, layers: [], packages: new Map(), files: [] };
  await records.conclude({ ...plain, digest: digestOf(`verdict ${id}`), verdict, packages, contents }, undefined, compose);
  return told(await records.deliveriesOf(id));
}

function told(deliveries: readonly Delivery[]): string[] {
  const bodies = deliveries.map(({ body }) => JSON.parse(body) as { type: string; data: { watch: { id: string }; cause: string } });
  return bodies.map(({ type, data }) => `${data.watch.id} ${type} ${data.cause}`).sort();
}

async function load(records: Records, name: string, sources: SourceIssues[]): Promise<void> {
  async function* issues(): AsyncGenerator<SourceIssues> {
    yield* sources;
  }
  const tracker = { url: 'https://tracker.test/json', digest: digestOf(name), fetchedAt: '2026-01-01T00:00:00.000Z' };
  await records.loadSecurityData({ ...tracker, document: digestOf(`document ${name}`) }, issues());
}

const watch = async (records: Records, id: string, condition: Condition): Promise<void> => {
  await records.addWatch({ id, condition, url: `https://hook.test/${id}` });
  await new Promise((wake) => setTimeout(wake, 5)); // what changes in the same millisecond did not change afterwards
};
const openssl = (...issues: SecurityIssue[]): SourceIssues[] => [{ source: 'openssl', issues }];

onBothDatabases('watches', (of) => {
  it('are kept, the same one once, and end', async () => {
    const records = of();
    const condition = { package: 'bash', olderThan: '1' };
    const [one, two] = await Promise.all(['w1', 'w2'].map((id) => records.addWatch({ id, condition, url: 'https://a.test/' })));
    assert.deepEqual([one?.created, two?.created].sort(), [false, true]);
    assert.equal(one?.watch.id, two?.watch.id);
    const { watch: other } = await records.addWatch({ id: 'w3', condition, url: 'https://b.test/' });
    assert.deepEqual(await records.watch('w3'), other);
    assert.deepEqual(other.condition, condition);
    assert.match(other.createdAt, /^20\d\d-.*Z$/);
    const first = await records.watches({ limit: 1 });
    const second = await records.watches({ limit: 1, cursor: first.next ?? '' });
    assert.deepEqual([first.items.length, second.items.map(({ id }) => id), second.next], [1, ['w3'], undefined]);
    for (const { id } of [...first.items, ...second.items]) assert.equal(await records.removeWatch(id), true);
    assert.equal(await records.removeWatch('w3'), false);
    assert.deepEqual(await records.watches({ limit: 9 }), { items: [] });
  });

  it('of a package hear of each image once, by binary and by source, whatever is judged again', async () => {
    const records = of();
    await judge(records, 'before');
    await watch(records, 'source', { package: 'openssl', olderThan: '3.0.10-1' });
    await watch(records, 'binary', { package: 'libssl3', olderThan: '3.0.9-1' });
    assert.deepEqual(await judge(records, 'a'), ['source image.affected openssl older than 3.0.10-1']);
    assert.deepEqual(await judge(records, 'a-again', { digest: 'a' }), [], 'the same image, told before');
    assert.deepEqual(await judge(records, 'b', { version: '3.0.8-1' }), [
      'binary image.affected libssl3 older than 3.0.9-1',
      'source image.affected openssl older than 3.0.10-1',
    ]);
    assert.deepEqual(await judge(records, 'c', { version: '3.0.10-1' }), []);
    const [delivery] = await records.deliveriesOf('a');
    assert.match(delivery?.id ?? '', /^msg_w[0-9a-f]{40}$/);
    assert.deepEqual([delivery?.url, delivery?.event, delivery?.status], ['https://hook.test/source', 'image.affected', 'pending']);
    const { data } = JSON.parse(delivery?.body ?? '') as { data: Record<string, unknown> };
    assert.deepEqual(data['hits'], [{ package: 'libssl3', version: '3.0.9-1' }, { package: 'openssl', version: '3.0.9-1' }]); // prettier-ignore
    assert.deepEqual(data['links'], {
      watch: 'https://conforme.test/v1/watches/source',
      verification: 'https://conforme.test/v1/verifications/a',
      page: 'https://conforme.test/verifications/a',
      verdict: `https://conforme.test/v1/verdicts/${digestOf('verdict a')}`,
    });
    await records.removeWatch('source');
    await records.removeWatch('binary');
    assert.deepEqual(await judge(records, 'd'), []);
    assert.equal((await records.deliveriesOf('a')).length, 1, 'what was told is still delivered');
  });

  it('of a reference hear when a newer verdict is worse, in result or in what can be audited', async () => {
    const records = of();
    const reference = 'example.test/moving:1';
    await watch(records, 'moving', { image: reference });
    const next = (id: string, result: string, auditable = 'yes') => judge(records, id, { reference, result, auditable });
    const changed = (id: string) => [`moving verdict.changed verification ${id}`];
    assert.deepEqual(await next('m1', 'identical'), [], 'the first has none before it');
    assert.deepEqual(await next('m2', 'equivalent'), [], 'still reproducible');
    assert.deepEqual(await next('m3', 'not-comparable'), changed('m3'));
    assert.deepEqual(await next('m4', 'equivalent'), []);
    assert.deepEqual(await next('m5', 'equivalent', 'partly'), changed('m5'));
    assert.deepEqual(await next('m6', 'suspicious', 'no'), changed('m6'));
    assert.deepEqual(await next('m7', 'suspicious', 'no'), []);
    assert.deepEqual(await judge(records, 'elsewhere', { result: 'suspicious' }), []);
    const { data } = JSON.parse((await records.deliveriesOf('m6'))[0]?.body ?? '') as { data: Record<string, unknown> };
    assert.deepEqual(data['before'], { verdict: digestOf('verdict m5'), result: 'equivalent', auditable: 'partly' });
    assert.deepEqual(data['after'], { verdict: digestOf('verdict m6'), result: 'suspicious', auditable: 'no' });
    await records.removeWatch('moving');
  });

  it('of a reference hear of what they asked for', async () => {
    const records = of();
    const reference = 'example.test/chosen:1';
    await watch(records, 'all', { image: reference, events: ['verdict.created', 'verdict.changed'] });
    await watch(records, 'made', { image: reference, events: ['verdict.created'] });
    const next = (id: string, result: string) => judge(records, id, { reference, result, digest: 'one and the same' });
    assert.deepEqual(await next('c1', 'identical'), ['all verdict.created verdict c1', 'made verdict.created verdict c1']);
    assert.deepEqual(await next('c2', 'suspicious'), [
      'all verdict.changed verification c2',
      'all verdict.created verdict c2',
      'made verdict.created verdict c2',
    ]);
    const made = (await records.deliveriesOf('c2')).map(({ body }) => JSON.parse(body) as { type: string; data: object });
    assert.deepEqual(made.find(({ type }) => type === 'verdict.created')?.data, {
      watch: { id: 'all', image: reference, events: ['verdict.created', 'verdict.changed'] },
      image: {
        reference,
        digest: someJob('c2').image.digest,
        manifestDigest: digestOf('one and the same'),
        platform: someJob('c2').image.platform,
      },
      verification: 'c2',
      cause: 'verdict c2',
      result: 'suspicious',
      auditable: 'yes',
      links: {
        watch: 'https://conforme.test/v1/watches/all',
        verification: 'https://conforme.test/v1/verifications/c2',
        page: 'https://conforme.test/verifications/c2',
        verdict: `https://conforme.test/v1/verdicts/${digestOf('verdict c2')}`,
      },
    });
    for (const id of ['all', 'made']) await records.removeWatch(id);
  });

  it('of a CVE hear of verdicts and of new data, once for each image, and images by CVE are answered from the data', async () => {
    const records = of();
    assert.equal(await records.imagesWithCve('CVE-2024-1', { limit: 9 }), undefined, 'no data is not "no image"');
    const pass = async (): Promise<string[]> => {
      const before = new Set((await records.pendingDeliveries()).map(({ id }) => id));
      await Promise.all([records.tellOfSecurityData(compose), records.tellOfSecurityData(compose)]);
      return told((await records.pendingDeliveries()).filter(({ id }) => !before.has(id)));
    };
    await load(records, 'one', openssl(issue('CVE-2024-1', '3.0.9-2'), issue('CVE-2024-9', undefined)));
    await judge(records, 's1', { reference: 'example.test/s:1' });
    await judge(records, 's2', { reference: 'example.test/s:2', version: '3.0.10-1' });
    await judge(records, 's3', { reference: 'example.test/s:3', release: 'trixie' });
    await watch(records, 'cve-1', { cve: 'CVE-2024-1' });
    await watch(records, 'cve-2', { cve: 'CVE-2024-2' });
    await watch(records, 'ref', { image: 'example.test/s:1' });
    assert.deepEqual(await pass(), [], 'what was known before the watch is answered by a question');

    const images = async (cve: string) => {
      const page = await records.imagesWithCve(cve, { limit: 100 });
      assert.equal(page?.tracker?.url, 'https://tracker.test/json');
      return page.items.filter(({ image }) => image.reference.startsWith('example.test/s:')).map(({ verification, package: held, issue: found }) => [verification, held?.name, found?.fixed]); // prettier-ignore
    };
    assert.deepEqual(await images('CVE-2024-1'), [['s1', 'libssl3', '3.0.9-2'], ['s1', 'openssl', '3.0.9-2']]); // prettier-ignore
    assert.deepEqual((await images('CVE-2024-9')).map(([id, , fixed]) => [id, fixed]), [['s2', undefined], ['s2', undefined], ['s1', undefined], ['s1', undefined]]); // prettier-ignore
    assert.deepEqual(await images('CVE-2024-3'), []);

    // A verdict of after the watch is told of at once; data that did not change tells nothing.
    assert.deepEqual(await judge(records, 's4', { reference: 'example.test/s:4' }), ['cve-1 image.affected CVE-2024-1']);
    await load(records, 'one again', openssl(issue('CVE-2024-1', '3.0.9-2'), issue('CVE-2024-9', undefined)));
    assert.deepEqual(await pass(), []);

    // New data: a fix that was not known before. Only the newest image of a reference is told of.
    await judge(records, 's5', { reference: 'example.test/s:4', digest: 's5', version: '3.0.10-1' });
    await load(records, 'two', openssl(issue('CVE-2024-1', '3.0.9-2'), issue('CVE-2024-2', '3.0.11-1'), issue('CVE-2024-7', '3.0.11-1', 'bookworm', 'unimportant'))); // prettier-ignore
    const news = await pass();
    assert.equal(news.filter((line) => line === 'ref image.affected fix openssl 3.0.11-1').length, 1);
    const { items } = (await records.imagesWithCve('CVE-2024-2', { limit: 100 })) ?? { items: [] };
    const affected = new Set(items.filter(({ latest }) => latest).map(({ image }) => image.manifestDigest));
    assert.equal(news.filter((line) => line === 'cve-2 image.affected CVE-2024-2').length, affected.size);
    assert.equal(news.length, affected.size + 1);
    assert.deepEqual(await pass(), [], 'each once, also when the turn is made again');
    await load(records, 'two again', openssl(issue('CVE-2024-2', '3.0.11-1')));
    assert.deepEqual(await pass(), []);
    assert.deepEqual(await images('CVE-2024-1'), [], 'what the tracker took back affects nobody');

    // A source package that is told of no more.
    await load(records, 'none', [{ source: 'bash', issues: [issue('CVE-2024-2', '1')] }]);
    assert.deepEqual(await images('CVE-2024-2'), []);
    assert.equal((await records.securityData())?.document, digestOf('document none'));
    const match = JSON.parse((await records.pendingDeliveries()).find(({ url }) => url.endsWith('/ref'))?.body ?? '{}') as { data: WatchMatch & { hits: unknown[] } }; // prettier-ignore
    assert.deepEqual(match.data.hits[0], {
      package: 'libssl3',
      version: '3.0.9-1',
      cve: 'CVE-2024-2',
      fixed: '3.0.11-1',
      urgency: 'medium',
    });
  });

  it('hear of every image, in as many turns as that takes', async () => {
    const records = of();
    const issues = (fixed: string) => load(records, `many ${fixed}`, [{ source: 'openssl', issues: [issue('CVE-2025-1', fixed)] }]);
    await issues('1');
    await watch(records, 'many', { cve: 'CVE-2025-1' });
    const verifications = Array.from({ length: 450 }, (_, number) => `many-${number}`);
    for (const id of verifications) await judge(records, id, { version: '3.0.12-1' });
    await issues('3.0.12-2');
    await records.tellOfSecurityData(compose);
    for (const id of verifications) assert.deepEqual(told(await records.deliveriesOf(id)), ['many image.affected CVE-2025-1'], id);
  });
});

describe('watches of two processes', () => {
  let postgres: TestPostgres;
  let sql: Sql;
  let records: Records;
  before(async () => {
    postgres = await startPostgres();
    sql = postgresSql(postgres.url, () => undefined);
    await migrate(sql);
    records = makeRecords(sql);
  });
  after(async () => {
    await sql.close();
    await postgres[Symbol.asyncDispose]();
  });

  it('may be removed by one while the other stores a verdict', async () => {
    await watch(records, 'leaving', { package: 'openssl', olderThan: '9' });
    const transaction: Sql['transaction'] = (work) =>
      sql.transaction((query) =>
        work(async (statement, values) => {
          if (statement.includes('insert into watch_events')) await records.removeWatch('leaving');
          return query(statement, values);
        }),
      );
    assert.deepEqual(await judge(makeRecords({ ...sql, transaction }), 'stored'), []);
    assert.equal((await records.get('stored'))?.status, 'done');
  });

  it('of a reference hear of one change once, whichever verdict is stored first', async () => {
    const reference = 'example.test/raced:1';
    await watch(records, 'raced', { image: reference });
    for (let round = 0; round < 10; round++) {
      await judge(records, `r${round}-before`, { reference });
      const ids = [`r${round}-a`, `r${round}-b`];
      for (const id of ids) await records.accept({ ...someJob(id), image: { ...someJob(id).image, reference } }, id);
      const news = await Promise.all(ids.map((id) => judge(records, id, { reference, digest: reference, result: 'different', auditable: 'no' }))); // prettier-ignore
      assert.equal(news.flat().length, 1, JSON.stringify(news));
    }
  });

  it('of a reference do not hear of a verdict that another one has replaced', async () => {
    const reference = 'example.test/late:1';
    await watch(records, 'late', { image: reference });
    await judge(records, 'l1', { reference });
    for (const id of ['l2', 'l3']) await records.accept({ ...someJob(id), image: { ...someJob(id).image, reference } }, id);
    assert.deepEqual(await judge(records, 'l3', { reference }), []);
    assert.deepEqual(await judge(records, 'l2', { reference, result: 'suspicious', auditable: 'no' }), []);
  });

  it('are not held against what was told of to the end, and are against what changed since', async () => {
    const settle = async (): Promise<void> => {
      for (const [table, column] of [
        ['security_data', 'loaded_at'],
        ['security_issues', 'changed_at'],
        ['watches', 'created_at'],
      ])
        // prettier-ignore
        await sql.query(`update ${table} set ${column} = ${column} - interval '1 hour'`);
    };
    const events = async () => (await sql.query('select cause from watch_events order by cause')).map(({ cause }) => cause);
    await sql.query('delete from watches');
    await load(records, 'none', openssl(issue('CVE-2025-1', '1')));
    for (const cve of ['CVE-2025-1', 'CVE-2025-2']) await watch(records, cve, { cve });
    await judge(records, 'settled', { reference: 'example.test/settled:1' });
    await load(records, 'first', openssl(issue('CVE-2025-1', '9')));
    await records.tellOfSecurityData(compose);
    await settle();
    await records.tellOfSecurityData(compose);
    assert.deepEqual([...new Set(await events())], ['CVE-2025-1']);
    await sql.query('delete from watch_events'); // whatever is asked about again is told again
    await load(records, 'second', openssl(issue('CVE-2025-1', '9'), issue('CVE-2025-2', '9')));
    await records.tellOfSecurityData(compose);
    assert.deepEqual([...new Set(await events())], ['CVE-2025-2']);
  });
});
