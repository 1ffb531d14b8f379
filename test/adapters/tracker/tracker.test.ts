import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { parseTracker } from '../../../src/adapters/tracker/parse.ts';
import { makeSecurityTracker } from '../../../src/adapters/tracker/tracker.ts';
import { readTrackerData } from '../../../src/flow/security.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { SourceIssues } from '../../../src/model/security.ts';
import type { Blobs } from '../../../src/ports.ts';
import { Problem } from '../../../src/problem.ts';
import { startTracker, type TestTracker, TRACKER_DOCUMENT } from '../../support/tracker.ts';

async function parsed(text: string, size = 7): Promise<SourceIssues[]> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  }
  const found: SourceIssues[] = [];
  for await (const one of parseTracker(pieces())) found.push(one);
  return found;
}

describe("the security tracker's JSON", () => {
  it('is read however it is cut, and what affects nobody is left out', async () => {
    const whole = await parsed(JSON.stringify(TRACKER_DOCUMENT), 1_000_000);
    assert.deepEqual(whole, [
      {
        source: 'openssl',
        issues: [
          { cve: 'CVE-2024-0001', release: 'bookworm', status: 'resolved', fixed: '3.0.13-1~deb12u1', urgency: 'high' },
          { cve: 'CVE-2024-0001', release: 'trixie', status: 'resolved', fixed: '3.2.0-1', urgency: 'not yet assigned' },
          { cve: 'CVE-2024-0002', release: 'bookworm', status: 'resolved', fixed: '3.0.15-1~deb12u1', urgency: 'low**' },
          { cve: 'CVE-2024-0004', release: 'bookworm', status: 'open', urgency: 'unimportant' },
          { cve: 'TEMP-0000001-ABCDEF', release: 'bookworm', status: 'resolved', fixed: '3.0.13-1~deb12u1', urgency: 'not yet assigned' },
        ],
      },
      {
        source: 'nginx',
        issues: [{ cve: 'CVE-2024-0001', release: 'bookworm', status: 'resolved', fixed: '1.22.1-9+deb12u3', urgency: 'medium' }],
      },
    ]);
    for (const size of [1, 2, 3, 64]) assert.deepEqual(await parsed(JSON.stringify(TRACKER_DOCUMENT), size), whole);
  });

  it('that is none, or has something else in it, harms nobody', async () => {
    for (const text of ['', '{', '[]x', '{"a": {"CVE-2024-0001": ', '<html>', '{"openssl": {}} {}', '[[1]]', '[{"a":1}]', '{"a1":[1]}'])
      await assert.rejects(parsed(text), SyntaxError, text);
    const odd = { releases: { bookworm: { status: 'resolved', fixed_version: '1; drop table', urgency: '<script>' } } };
    const open = {
      releases: { 'BOOK worm': { status: 'open' }, __proto__: { status: 'open' }, sid: { status: 'open', urgency: '<script>' } },
    };
    const text = `{"__proto__": {"CVE-2024-0001": {"releases": {"sid": {"status": "open"}}}}, "a b": {"CVE-2024-0001": ${JSON.stringify(open)}},
      "good": {"CVE-2024-0001": ${JSON.stringify(odd)}, "cve-1": ${JSON.stringify(open)}, "CVE-2024-0002": ${JSON.stringify(open)}, "CVE-2024-0003": null, "CVE-2024-0004": {"releases": []}, "CVE-2024-0005": 7}}`;
    assert.deepEqual(await parsed(text), [
      { source: 'good', issues: [{ cve: 'CVE-2024-0002', release: 'sid', status: 'open', urgency: 'not yet assigned' }] },
    ]);
    assert.equal(({} as Record<string, unknown>)['status'], undefined);
  });
});

describe('the security tracker', () => {
  let folder: string;
  let tracker: TestTracker;
  let blobs: Blobs;
  let clock: Date;
  let count = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conforme-tracker-'));
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(() => tracker.stop());
  beforeEach(async () => {
    count += 1;
    tracker = await startTracker(TRACKER_DOCUMENT);
    blobs = makeFileBlobs(join(folder, `blobs-${count}`));
    clock = new Date('2026-01-02T09:10:00Z');
  });
  const make = (state = 'state') =>
    makeSecurityTracker({ fetch, blobs, url: tracker.url, stateFile: join(folder, `${state}-${count}.json`), now: () => clock });
  const pass = (minutes: number): void => void (clock = new Date(clock.getTime() + minutes * 60_000));
  const failing = (work: Promise<unknown>) =>
    assert.rejects(work, (thrown) => thrown instanceof Problem && thrown.code === 'security-data-unavailable');

  it('is kept with the hash of what was fetched and the time of it', async () => {
    assert.equal(await make().latest(), undefined);
    await make().refresh();
    const document = await make().latest();
    assert.ok(document !== undefined);
    const { tracker: from, issues } = await readTrackerData(blobs, document, (source) => source === 'nginx');
    assert.deepEqual(from, { url: tracker.url, digest: digestOf(tracker.answer.text), fetchedAt: '2026-01-02T09:10:00.000Z' });
    const sources: string[] = [];
    for await (const one of issues) sources.push(one.source);
    assert.deepEqual(sources, ['nginx']);
  });

  it('is asked once an hour, whoever asks, and sends nothing where nothing changed', async () => {
    await make().refresh();
    const first = await make().latest();
    await make().refresh();
    await make('other process').refresh();
    assert.equal(tracker.asked.length, 1);
    pass(60);
    await make().refresh();
    assert.equal(tracker.asked.length, 2);
    assert.ok(tracker.asked[1]?.['if-none-match'] !== undefined);
    assert.equal(await make().latest(), first, 'the same document, from when it was fetched');
    pass(60);
    tracker.answer.text = JSON.stringify({ nginx: TRACKER_DOCUMENT['nginx'] });
    await make().refresh();
    assert.notEqual(await make().latest(), first);
    await make('without its state').refresh();
    assert.equal(tracker.asked.length, 3);
  });

  it('that is away, or sends nonsense, leaves what was known for a day', async () => {
    await make().refresh();
    const known = await make().latest();
    pass(60);
    for (const [text, status] of [
      ['', 503],
      ['', 404],
      ['<html>', undefined],
      ['{}', undefined],
      ['{"a', undefined],
    ] as const) {
      tracker.answer = Object.assign(tracker.answer, { text, status });
      await failing(make().refresh());
      assert.equal(await make().latest(), known);
    }
    await tracker.stop();
    await failing(make().refresh());
    pass(22 * 60);
    assert.equal(await make().latest(), known);
    pass(3 * 60);
    assert.equal(await make().latest(), undefined);
  });
});
