import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { folderAt, sumOf, treeOf } from '../../api/contents-tree.ts';
import { textOf } from '../../api/pages/html.ts';
import { pictureOf } from '../../api/pages/picture.ts';
import { sayIn } from '../../api/pages/words/index.ts';
import { digestOf } from '../../src/model/digest.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { AccountLine, Attribution } from '../../src/model/verdict.ts';
import type { Verification } from '../../src/model/verification.ts';
import { HOSTILE_NAME } from '../support/sample-verdict.ts';
import { startService, type TestService } from '../support/service.ts';

const say = sayIn('en');

const line = (path: string, size: number, attribution: Attribution = 'debian-official', kind = 'file'): AccountLine => ({
  path,
  kind,
  size,
  digest: digestOf(path),
  layer: 0,
  code: false,
  attribution,
  evidence: {},
});

describe('the contents of a judged image', () => {
  let service: TestService;
  let bad: Verification;
  before(async () => {
    service = await startService();
    bad = await service.judged('backdoored');
  });
  after(() => service.stop());

  const contents = (path: string) =>
    request(service.url).get(`/verdicts/${bad.verdictDigest}/contents`).query({ path }).set('accept', 'text/html');

  it('has a page for ever under the digest of its verdict', async () => {
    const { status, text } = await request(service.url).get(`/verdicts/${bad.verdictDigest}`).set('accept', 'text/html');
    assert.equal(status, 200);
    assert.match(text, /This image holds what nobody can answer for/);
    assert.match(text, /class="picture"/);
    assert.equal((await request(service.url).get(`/verdicts/${digestOf('none')}`)).status, 404);
  });

  it('shows a folder, what nothing accounts for first, and leads to a file', async () => {
    const { status, text } = await contents('/usr');
    assert.equal(status, 200);
    const rows = [...text.matchAll(/<td>\s*<a href="([^"]*)"><code>([^<]*)</g)].map(([, , name]) => name);
    assert.deepEqual(rows.slice(0, 2).sort(), ['lib/', 'sbin/']);
    assert.ok(rows.includes('share/'));
  });

  it('says of a file what accounts for it, and of one that nothing does', async () => {
    const known = (await contents('/usr/share/debian-official/1')).text;
    assert.match(known, /pkg:deb\/debian\/nginx@1\.22\.1-9/);
    assert.ok(known.includes(digestOf('/usr/share/debian-official/1')));
    const hostile = await contents(HOSTILE_NAME);
    assert.equal(hostile.status, 200);
    assert.match(hostile.text, /nothing says where it comes from/);
    assert.ok(!hostile.text.includes('<script>alert'));
  });

  it('has no page for what the image does not hold', async () => {
    for (const path of ['/usr/nothing', '/usr/share/../lib', 'usr/share/x', '/usr/sbin/nginx/below'])
      assert.equal((await contents(path)).status, 404, path);
  });
});

describe('the picture of an image', () => {
  let service: TestService;
  before(async () => (service = await startService()));
  after(() => service.stop());
  const treeFrom = async (lines: AccountLine[]) => {
    const { digest } = await service.deps.blobs.put([Buffer.from(lines.map((one) => `${canonicalJson(one)}\n`).join(''))]);
    return treeOf(service.deps.blobs, digest);
  };
  const rectangles = (svg: string) =>
    [...svg.matchAll(/<rect class="f-([a-z-]+)"[^>]* width="([\d.]+)" height="([\d.]+)"/g)].map(([, name, width, height]) => ({
      name,
      area: Number(width) * Number(height),
    }));

  it('shows one byte that nothing accounts for among a hundred thousand files, in little text', async () => {
    const files = Array.from({ length: 100_000 }, (_one, index) =>
      line(`/usr/share/${index % 300}/${index % 7}/a-name-of-a-common-length-${index}`, 1000 + ((index * 7919) % 90_000)),
    );
    const tree = await treeFrom([...files, line('/usr/share/299/6/x', 1, 'unexplained'), line('/usr/lib/empty', 0, 'unexplained')]);
    assert.equal(sumOf(tree.files), 100_002);
    const svg = textOf(pictureOf(say, tree, '', (path) => `/verdicts/sha256:${'0'.repeat(64)}/contents?path=${encodeURIComponent(path)}`));
    assert.ok(svg.length < 120_000, `${svg.length} characters`);
    const shown = rectangles(svg);
    const red = shown.filter(({ name }) => name === 'unexplained');
    assert.equal(red.length, 2);
    for (const { area } of red) assert.ok(area > 500, `${area}`);
  });

  it('stays small, however many files nothing accounts for, in one folder or in as many', async () => {
    for (const pathOf of [
      (index: number) => `/srv/${index}`,
      (index: number) => `/srv/${index}/x`,
      (index: number) => `/${index % 99}/${index}/y/z`,
    ]) {
      const tree = await treeFrom(Array.from({ length: 10_000 }, (_one, index) => line(pathOf(index), index % 3, 'unexplained')));
      const svg = textOf(
        pictureOf(say, tree, '', (path) => `/verdicts/sha256:${'0'.repeat(64)}/contents?path=${encodeURIComponent(path)}`),
      );
      assert.ok(svg.length < 200_000, `${svg.length} characters`);
      assert.ok(rectangles(svg).every(({ name }) => name === 'unexplained') && rectangles(svg).length > 10);
    }
  });

  it('gives each account its share of the area', async () => {
    const tree = await treeFrom([line('/a', 600), line('/b', 300, 'source'), line('/c/d', 100, 'rebuilt')]);
    const shown = rectangles(textOf(pictureOf(say, tree, '', (path) => path)));
    const all = shown.reduce((sum, { area }) => sum + area, 0);
    const share = (wanted: string) => shown.filter(({ name }) => name === wanted).reduce((sum, { area }) => sum + area, 0) / all;
    for (const [name, part] of [
      ['debian-official', 0.6],
      ['source', 0.3],
      ['rebuilt', 0.1],
    ] as const)
      assert.ok(Math.abs(share(name) - part) < 0.03, `${name}: ${share(name)}`);
  });

  it('counts a folder with its own account, and keeps a name that is also a folder below apart', async () => {
    const tree = await treeFrom([
      line('/', 0, 'base', 'directory'),
      line('/x', 0, 'source', 'directory'),
      line('/x/__proto__', 5, 'source'),
    ]);
    assert.equal(tree.own, 'base');
    assert.equal(folderAt(tree, '/x')?.own, 'source');
    assert.equal(folderAt(tree, '/x')?.leaves[0]?.name, '__proto__');
    assert.equal(folderAt(tree, '/__proto__'), undefined);
  });
});
