import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import request from 'supertest';
import { emptyCounts } from '../../api/contents-tree.ts';
import { folderPage } from '../../api/pages/contents.ts';
import { downloadsPage, packagesPage, rulesPage } from '../../api/pages/lists.ts';
import { verificationPage } from '../../api/pages/verification.ts';
import { sayIn } from '../../api/pages/words/index.ts';
import { rebuildOf, statementOf } from '../../api/stored.ts';
import { type Digest, digestOf } from '../../src/model/digest.ts';
import type { Explanation } from '../../src/model/explanation.ts';
import type { Difference } from '../../src/model/verdict.ts';
import type { Statement } from '../../src/model/statement.ts';
import type { Verification } from '../../src/model/verification.ts';
import { html, textOf } from '../../api/pages/html.ts';
import { en } from '../../api/pages/words/en.ts';
import { startSamplePages } from '../support/sample-pages.ts';
import type { TestService } from '../support/service.ts';
import { textsOf } from '../support/words.ts';

const CONTENT = { unexplained: 3, findings: 3 };
let service: TestService;
let bad: Verification;
let pages: Record<string, string>;

before(async () => {
  ({ service, pages, bad } = await startSamplePages());
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
    assert.match(text, /does not show 4\.5\u00a0MB of them/);
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
    assert.match(text, /1 of these, with 1,427 files and 2\.4\u00a0MB, were built again from their source with the same bytes/);
    assert.match(text, /<code>https:\/\/rebuilder\.example\.org\/amd64<\/code>/);
    assert.match(text, /Of 1, Debian’s records of its builds name the very \.deb: a claim/);
    assert.match(await page(pages['packages'] ?? ''), /reproduced by 1 of 2/);
    assert.doesNotMatch(await page(pages['partly'] ?? ''), /reproduced/);
  });

  it('keeps the lines of logs and of what differs apart', async () => {
    const text = await page(pages['backdoored'] ?? '');
    assert.match(text, /<pre class="log" tabindex="0">\s*STEP 1\/4: FROM base\nSTEP 2\/4: RUN apt-get update\n/);
    assert.match(text, /<span class="add">[^<]*<\/span>\n<span/);
  });

  it('has commands that check the verdict as they stand', async () => {
    const text = await page(pages['honest'] ?? '');
    const commands = /<pre class="copy" tabindex="0">\s*(curl[^<]*)<\/pre>/
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

  it('stays small, whatever an image holds', async () => {
    const { records } = service.deps;
    const record = await records.verdict(bad.verdictDigest as Digest);
    assert.ok(record !== undefined && bad.verdict !== undefined);
    const long = (index: number): string => `/${'<"&\u202e'.repeat(500)}${index}`;
    const many = Array.from({ length: 3_000 }, (_one, index) => long(index));
    const finding = { ...bad.verdict.findings[0]!, paths: many, message: long(0), evidence: { found: long(1) } };
    const verdict = { ...bad.verdict, findings: many.slice(0, 500).map(() => finding) };
    const statement = statementOf(record);
    const { predicate } = statement;
    const huge: Statement = {
      ...statement,
      predicate: {
        ...predicate,
        unexplained: many,
        packages: many.map((purl) => ({ purl, status: 'verified' })),
        resolvedDependencies: many.map((uri) => ({ uri })),
        rules: many.map((reason) => ({ name: 'one', version: 1, reason })),
        copies: { total: 3_000, listed: many.map((path) => ({ ...predicate.copies!.listed[0]!, path })) },
      },
    };
    const layers = many.slice(0, 127).map((createdBy, index) => ({
      digest: digestOf(createdBy),
      diffId: digestOf(createdBy),
      mediaType: '',
      size: 1,
      uncompressedSize: 1,
      entries: 1,
      createdBy,
      replaces: { files: index, bytes: 1 },
      deletes: { files: index, bytes: 1 },
    }));
    const leaves = many.map((name) => ({ name: name.slice(1), size: 1, attribution: 'unexplained' as const, code: false, layer: 1 }));
    const counts = { ...emptyCounts(), unexplained: 3_000 };
    const tree = { name: '', own: undefined, folders: new Map(), leaves, files: counts, bytes: counts };
    const differences = many
      .slice(0, 100)
      .map((path): Difference => ({ path, aspects: ['content'], cause: 'unknown', class: 'same', detail: path }));
    const rebuild = await rebuildOf(service.deps.blobs, statement);
    const details = {
      record,
      statement: huge,
      rebuild,
      layers,
      lastLog: many.slice(0, 40),
      differences,
      explanations: new Map<Digest, Explanation>(),
      fingerprint: 'F'.repeat(40),
      tree,
    };
    const say = sayIn('fr', 'fr');
    const verification = { ...bad, verdict };
    const { body } = verificationPage(say, { publicUrl: 'https://conforme.example.org', verification, details, deliveries: [] });
    assert.ok(textOf(body).length < 180_000, `${textOf(body).length}`); // with the style it is under 200 kB
    const digest = record.digest;
    for (const list of [packagesPage, downloadsPage, rulesPage]) assert.ok(textOf(list(say, digest, huge).body).length < 180_000);
    const folder = folderPage(say, { statement: huge, digest, path: '', layer: undefined }, tree);
    assert.ok(textOf(folder.body).length < 180_000, `${textOf(folder.body).length}`);
  });
});

describe('the language of a page', () => {
  const ask = (path: string, language?: string) => {
    const asked = request(service.url).get(path).set('accept', 'text/html');
    return language === undefined ? asked : asked.set('accept-language', language);
  };
  const languageOf = (text: string): string | undefined => /^<!doctype html>\s*<html lang="([a-z]+)">/.exec(text)?.[1];

  it('is what the address says, else what the browser prefers, else English', async () => {
    for (const [path, header, expected] of [
      ['/', undefined, 'en'],
      ['/', 'fr-CA,fr;q=0.9,en;q=0.5', 'fr'],
      ['/', 'de,fr;q=0.5,en;q=0.4', 'fr'],
      ['/', 'de', 'en'],
      ['/', 'fr;q=0', 'en'],
      ['/', '*', 'en'],
      ['/', 'x'.repeat(5_000), 'en'],
      ['/?lang=fr', 'en', 'fr'],
      ['/?lang=en', 'fr', 'en'],
      ['/?lang=__proto__', 'fr', 'fr'],
      ['/?lang=fr&lang=en', 'en', 'en'],
    ] as const) {
      const { status, text, headers } = await ask(path, header);
      assert.equal(status, 200);
      assert.equal(languageOf(text), expected, `${path} ${header}`);
      assert.equal(headers['content-language'], expected);
      assert.match(headers['vary'] ?? '', /accept-language/);
    }
  });

  it('is French on every page, a problem included, but for what documents say in English', async () => {
    const paths = [...Object.values(pages), '/verifications/nothing'];
    // Sentences of the English catalogue; a label such as "Source" can be either.
    const sentences = [...textsOf(en, '')]
      .map(([, text]) => text)
      .filter((text) => text.length > 25 && !text.includes('§') && !text.includes('<'));
    assert.ok(sentences.length > 60);
    for (const path of paths) {
      const { text } = await ask(path, 'fr');
      assert.equal(languageOf(text), 'fr', path);
      const french = text.replace(/<style>[^]*?<\/style>|<script[^]*?<\/script>/g, '').replace(/<span lang="en">[^]*?<\/span>/g, '');
      for (const sentence of sentences) assert.ok(!french.includes(textOf(html`${sentence}`)), `${path}: ${sentence}`);
    }
  });

  it('is kept by the links and forms of a page where the address said it, and can be changed in the footer', async () => {
    const { text } = await ask(`${pages['backdoored']}?lang=fr`);
    const links = [...text.matchAll(/\shref="(\/(?!v1\/|docs"|predicates\/|favicon)[^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    );
    assert.ok(links.length > 20);
    for (const href of links.filter((one) => !/[?&]lang=en$/.test(one))) assert.match(href, /[?&]lang=fr(?:#|$)/);
    assert.match(text, new RegExp(`<a class="tongues" href="${pages['backdoored']}\\?lang=en" lang="en" hreflang="en"`));
    assert.match((await ask('/images?package=nginx&lang=fr')).text, /href="\/images\?package=nginx&amp;lang=en" lang="en"/);
    assert.match((await ask('/?lang=fr')).text, /<input type="hidden" name="lang" value="fr" \/>/);
    assert.match((await ask('/search?q=&lang=fr')).headers['location'] ?? '', /^\/\?lang=fr$/);
    assert.doesNotMatch((await ask('/', 'fr')).text, /lang=fr/);
  });

  it('is that of a badge only where its address says so', async () => {
    const messageOf = async (query: string): Promise<string> =>
      (await ask(`/badge/127.0.0.1:5000/demo/backdoored:1.json${query}`, 'fr')).body.message;
    assert.equal(await messageOf(''), 'not auditable · suspicious');
    assert.equal(await messageOf('?lang=fr'), 'non auditable · suspect');
    assert.equal(await messageOf('?lang=fr&metric=coverage'), '99,9\u00a0% d’origine établie');
    assert.equal((await ask('/badge/nobody/asked.json?lang=fr')).body.message, 'non jugée');
    assert.equal((await ask('/badge/nobody/asked.json?lang=de')).status, 400);
  });
});
