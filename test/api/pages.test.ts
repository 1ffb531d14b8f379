import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import request from 'supertest';
import type { Verification } from '../../src/model/verification.ts';
import { Problem } from '../../src/problem.ts';
import { sampleJob } from '../support/sample.ts';
import { HOSTILE_NAME } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';

/** Nothing but the pages is to be loaded, and nothing phoned home. */
const CHROMIUM = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-sync'];
const CONTENT = { unexplained: 3, findings: 3 };
let service: TestService;
let bad: Verification;
const pages: Record<string, string> = {};

before(async () => {
  service = await startService();
  bad = await service.judged('backdoored', '127.0.0.1:5000/demo/backdoored:1');
  const { records } = service.deps;
  const running = (await records.accept(sampleJob('running', 'registry.example.org/running:1'), 'k1')).verification;
  await records.setStatus(running.id, 'running', 'rebuild');
  const failed = (await records.accept(sampleJob('failed', 'registry.example.org/failed:1'), 'k2')).verification;
  await records.fail(failed.id, new Problem('registry-unavailable', 'it answered <b>503</b>').toDocument());
  Object.assign(pages, {
    honest: `/verifications/${(await service.judged('honest')).id}`,
    partly: `/verifications/${(await service.judged('partly')).id}`,
    backdoored: `/verifications/${bad.id}`,
    unsourced: `/verifications/${(await service.judged('unsourced')).id}`,
    running: '/verifications/running',
    failed: '/verifications/failed',
    overview: '/',
    contents: `/verdicts/${bad.verdictDigest}/contents`,
    file: `/verdicts/${bad.verdictDigest}/contents?path=${encodeURIComponent(HOSTILE_NAME)}`,
    search: '/search?q=demo',
    unfound: `/search?q=${encodeURIComponent('<script>alert(1)</script>')}`,
    fleet: '/images?package=nginx&olderThan=9',
    history: '/history/127.0.0.1:5000/demo/backdoored',
    problems: '/docs/problems',
  });
});
after(() => service.stop());

const page = async (path: string): Promise<string> => {
  const { status, text, headers } = await request(service.url).get(path).set('accept', 'text/html');
  assert.equal(status, 200, path);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  return text;
};

describe('a page', () => {
  it('has no element or attribute that an image wrote', async () => {
    for (const [name, path] of Object.entries(pages)) {
      const text = await page(path);
      const own = text.match(/<script type="module">/g)?.length ?? 0;
      assert.equal(own, name === 'running' ? 1 : 0, name);
      assert.equal((text.match(/<script/g) ?? []).length, own, name);
      // Text holds no "<": what is between two of these is an element.
      const elements = text.replace(/<style>[^]*?<\/style>|<script type="module">[^]*?<\/script>/g, '').match(/<[^>]*>/g) ?? [];
      for (const element of elements) assert.doesNotMatch(element, /^<(img src="?x|b>)|\s(on[a-z]+|style)=|javascript:/, name);
      // What would hide or reorder what stands around it is shown as its code.
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/, name);
    }
    assert.ok((await page(pages['backdoored'] ?? '')).includes('/usr/lib/&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;'));
  });

  it('may load nothing from elsewhere, and run nothing but its own script', async () => {
    const { headers } = await request(service.url).get(pages['running'] ?? '');
    const policy = new Map((headers['content-security-policy'] ?? '').split('; ').map((each) => each.split(/ (.*)/) as [string, string]));
    assert.equal(policy.get('default-src'), "'none'");
    for (const name of ['script-src', 'style-src']) assert.match(policy.get(name) ?? '', /^'sha256-[A-Za-z0-9+/]{43}='$/);
    for (const name of ['base-uri', 'frame-ancestors']) assert.equal(policy.get(name), "'none'");
    assert.equal(policy.get('form-action'), "'self'");
    assert.equal(headers['x-content-type-options'], 'nosniff');
    for (const path of Object.values(pages)) {
      const loaded = [...(await page(path)).matchAll(/<(?:img|link|script|source|iframe|form)[^>]*\s(?:src|href|action)="([^"]*)"/g)];
      for (const [, address] of loaded) assert.match(address ?? '', /^\/[^/]/, path);
    }
  });

  it('gives the four answers, the findings, and what nothing accounts for', async () => {
    const text = await page(pages['backdoored'] ?? '');
    for (const part of ['Suspicious', '99.9%', 'packaged-file-replaced', 'line 4', 'rules 1', 'policy default@1', bad.verdictDigest ?? '-'])
      assert.ok(text.toLowerCase().includes(part.toLowerCase()), part);
    assert.equal(text.match(/<article class="card finding/g)?.length, CONTENT.findings);
    assert.match(text, new RegExp(`Files that nothing accounts for <span class="count">${CONTENT.unexplained}<`));
    assert.ok(text.indexOf('class="tag bad">critical') < text.indexOf('class="tag fair">medium'));
    assert.match(text, /does not show 4\.5 MB of them/);
    assert.match(text, /Copies outside of packages.*openssl 1\.1\.1w.*3\.0\.17-1/s);
    const honest = await page(pages['honest'] ?? '');
    assert.match(honest, /The contents of this image can be audited\./);
    assert.match(honest, /<code>\/usr\/sbin\/nginx<\/code> nginx 1\.22\.1-9\+deb12u4, the bytes that Debian signed/);
    assert.match(await page(pages['unsourced'] ?? ''), /Nobody says what it was built from\./);
    assert.match(await page(pages['failed'] ?? ''), /There is no verdict.*registry-unavailable/s);
    assert.match(await page(pages['overview'] ?? ''), /demo\/backdoored:1.*Not auditable/s);
  });

  it('tells of a difference which step made it, and folded what differs inside', async () => {
    const whole = await page(pages['backdoored'] ?? '');
    // A line of a diff or of a hex view is one on the page.
    assert.match(whole, /<span class="del">-keys = none<\/span>\n<span class="add">\+keys/);
    assert.match(whole, /<span class="">  ?[0-9a-f]{8} [^\n]*<\/span>\n<span class="del">-[0-9a-f]{8} /);
    const text = whole.replace(/[ \n]+/g, ' ');
    assert.match(text, /Dockerfile line 4<?[^<]*: <code>RUN make install &amp;&amp; echo &quot;&lt;b&gt;done/);
    assert.equal(text.match(/<details class="explanation">/g)?.length, 3);
    assert.match(text, /2 lines added, 1 removed/);
    assert.match(text, /<span class="add">\+keys = &lt;script&gt;alert\(3\)&lt;\/script&gt; \\xe2\\x80\\xaegnp/);
    assert.match(text, /1 of \d+ sections.*<code>\.rodata<\/code>.*The bytes differ from byte/);
    assert.match(text, /By diffoscope 240/);
    assert.match(text, /2 differing files were not looked into: larger than 24 MiB/);
    assert.match(text, /netcat-openbsd:amd64<\/td> <td><span class="soft">not there<\/span><\/td> <td><code>1\.219-1/);
  });

  it('tells what rests on packages that others built again, where any were asked', async () => {
    const text = (await page(pages['honest'] ?? '')).replace(/[ \n]+/g, ' ');
    assert.match(text, /1 of these, with 1\u202f427 files and 2\.4 MB, were built again from their source with the same bytes/);
    assert.match(text, /<code>https:\/\/rebuilder\.example\.org\/amd64<\/code>/);
    assert.match(text, /reproduced by 1 of 2/);
    assert.match(text, /Of 1, Debian’s records of its builds name the very \.deb: a claim/);
    assert.doesNotMatch(await page(pages['partly'] ?? ''), /reproduced/);
  });

  it('has commands that check the verdict as they stand', async () => {
    const text = await page(pages['honest'] ?? '');
    const commands = /<pre tabindex="0">\s*(curl[^<]*)<\/pre>/
      .exec(text)?.[1]
      ?.replaceAll('&gt;', '>')
      .replaceAll('https://conforme.example.org', service.url);
    assert.ok(commands !== undefined && commands.includes('gpg --verify'));
    const folder = await mkdtemp(join(tmpdir(), 'conforme-check-'));
    try {
      const run = promisify(execFile)('sh', ['-e', '-c', commands], { cwd: folder, env: { ...process.env, GNUPGHOME: folder } });
      assert.match((await run).stderr, /Good signature/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('says where podman finds a signature, and that there is none on a bad verdict', async () => {
    const good = await page(pages['honest'] ?? '');
    assert.match(good, /<code>PASSED<\/code>/);
    assert.match(good, /<code>lookaside: https:\/\/conforme\.example\.org\/lookaside\/registry\.example\.org<\/code>/);
    assert.match(good, /check-claims=false \\\n {2}--type/);
    const backdoored = await page(pages['backdoored'] ?? '');
    assert.match(backdoored, /<code>FAILED<\/code>/);
    assert.doesNotMatch(backdoored, /lookaside/);
  });

  it('is there without JavaScript while the work goes on', async () => {
    const text = await page(pages['running'] ?? '');
    assert.match(text, /<noscript><meta http-equiv="refresh"/);
    assert.match(text, /id="step-rebuild"\s+class="begun current" aria-current="step"/);
  });

  it('tells a browser of a problem in a page, and a program in a document', async () => {
    const inBrowser = await request(service.url).get('/verifications/nothing').set('accept', 'text/html,*/*;q=0.8');
    assert.equal(inBrowser.status, 404);
    assert.match(inBrowser.text, /<h1>There is no such thing here<\/h1>/);
    const inProgram = await request(service.url).get('/verifications/nothing');
    assert.equal(inProgram.body.code, 'not-found');
  });

  it('leads from a badge to the newest verification', async () => {
    const { status, headers } = await request(service.url).get('/verifications/latest/127.0.0.1:5000/demo/backdoored:1');
    assert.deepEqual([status, headers['location']], [302, `/verifications/${bad.id}`]);
    assert.equal((await request(service.url).get('/verifications/latest/nobody/asked')).status, 404);
  });

  it('stays small', async () => {
    for (const [name, path] of Object.entries(pages)) assert.ok((await page(path)).length < 200_000, name);
  });
});

describe('in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM });
  });
  after(() => browser.close());

  it('no page breaks its policy, asks anybody else, runs what an image wrote, or is wider than a phone', async () => {
    const faults: string[] = [];
    for (const [width, colorScheme] of [
      [390, 'light'],
      [1200, 'dark'],
    ] as const) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      for (const path of [...Object.values(pages), '/docs']) {
        const tab = await context.newPage();
        tab.on('console', (message) => faults.push(`${path}: ${message.text()}`));
        tab.on('pageerror', (error) => faults.push(`${path}: ${error.message}`));
        tab.on('dialog', (dialog) => void dialog.dismiss().then(() => faults.push(`${path}: ${dialog.message()}`)));
        tab.on('request', (asked) => {
          if (!asked.url().startsWith(service.url) && !asked.url().startsWith('data:')) faults.push(`${path} asks ${asked.url()}`);
        });
        await tab.goto(service.url + path, { waitUntil: 'load' });
        if (path !== '/docs' && (await tab.evaluate('document.documentElement.scrollWidth > innerWidth')))
          faults.push(`${path} is too wide`);
        await tab.close();
      }
      await context.close();
    }
    assert.deepEqual(faults, []);
  });

  it('shows steps and log as they come, and the verdict when it is there', async () => {
    const { deps, progress } = service;
    const { verification } = await deps.records.accept(sampleJob('live', 'registry.example.org/live:1'), 'k3');
    const tab = await browser.newPage();
    await tab.goto(`${service.url}/verifications/${verification.id}`);
    await progress.step('live', 'pull');
    await progress.step('live', 'rebuild');
    progress.log('live', 'STEP 1: <img src=x onerror=alert(1)>');
    await tab.waitForSelector('#step-rebuild[aria-current=step]');
    await tab.waitForSelector('#step-pull.begun:not(.current)');
    await tab.locator('#log', { hasText: '<img src=x' }).waitFor();
    assert.equal(await tab.locator('#log img').count(), 0);
    await service.conclude('live', 'honest');
    await progress.end('live', 'done');
    await tab.waitForSelector('.hero.good');
    await tab.close();
  });
});
