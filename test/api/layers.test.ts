/** Layers as the page of a verdict tells of them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import { countsByLayer, folderAt, onlyLayer, sumOf, treeOf } from '../../api/contents-tree.ts';
import { textOf } from '../../api/pages/html.ts';
import { instructionOf, layersSection } from '../../api/pages/layers.ts';
import { sayIn } from '../../api/pages/words/index.ts';
import { layersOf } from '../../api/stored.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { HiddenEntry } from '../../src/model/inventory.ts';
import { canonicalJson } from '../../src/model/json.ts';
import type { Verification } from '../../src/model/verification.ts';
import { sampleInventory } from '../support/sample-documents.ts';
import { startService, type TestService } from '../support/service.ts';

const hidden = (path: string, how: HiddenEntry['how'], hiddenBy: number, kind: HiddenEntry['kind'] = 'file'): HiddenEntry => ({
  path,
  kind,
  size: 100,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 0,
  layer: 0,
  hiddenBy,
  how,
});

describe('an instruction', () => {
  it('reads as in a Dockerfile, whichever builder wrote the history', () => {
    for (const [createdBy, expected] of [
      ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
      ['/bin/sh -c #(nop) ADD file:1234 in / ', 'ADD file:1234 in /'],
      ['/bin/sh -c apt-get update', 'RUN apt-get update'],
      ['|1 VERSION=1.2 /bin/sh -c make', 'RUN make'],
      ['RUN /bin/sh -c apt-get update # buildkit', 'RUN apt-get update'],
      ['RUN |2 A=b C=d /bin/sh -c make # buildkit', 'RUN make'],
      ['COPY index.html /srv # buildkit', 'COPY index.html /srv'],
      ['RUN <<EOF\nset -e\n\tmake\nEOF', 'RUN <<EOF set -e make EOF'],
      [' ', undefined],
      [undefined, undefined],
    ] as const)
      assert.equal(instructionOf(createdBy), expected);
    assert.equal(instructionOf('x'.repeat(1_000_000))?.length, 241);
    assert.equal(instructionOf(`|1 ${'a '.repeat(1_000_000)}`)?.endsWith('…'), true);
  });
});

describe('the strip of layers', () => {
  let service: TestService;
  let bad: Verification;
  before(async () => {
    service = await startService();
    bad = await service.judged('backdoored');
  });
  after(() => service.stop());

  it('counts what a layer replaces and deletes below: files, and each in the layer that did it', async () => {
    const inventory = {
      ...sampleInventory(digestOf('layered')),
      hidden: [
        hidden('/a', 'replaced', 1),
        hidden('/b', 'whiteout', 1),
        hidden('/c', 'opaque', 2),
        hidden('/d', 'opaque', 2),
        hidden('/e', 'whiteout', 2, 'directory'),
        hidden('/f', 'whiteout', 9),
      ],
    };
    const { blobs } = service.deps;
    const { digest } = await blobs.put([Buffer.from(canonicalJson(inventory))]);
    for (const layers of [await layersOf(blobs, digest), await layersOf(blobs, digest)])
      assert.deepEqual(
        layers.map(({ replaces, deletes }) => [replaces, deletes]),
        [
          [
            { files: 0, bytes: 0 },
            { files: 0, bytes: 0 },
          ],
          [
            { files: 1, bytes: 100 },
            { files: 1, bytes: 100 },
          ],
          [
            { files: 0, bytes: 0 },
            { files: 2, bytes: 200 },
          ],
        ],
      );
  });

  it('shows a byte that nothing accounts for beside a layer of gigabytes', async () => {
    const layers = await layersOf(service.deps.blobs, (await statement()).byproducts.published);
    const none = {
      'debian-official': 0,
      'debian-generated': 0,
      'third-party': 0,
      source: 0,
      download: 0,
      base: 0,
      rebuilt: 0,
      volatile: 0,
      unexplained: 0,
    };
    const shown = new Map([
      [0, { files: { ...none, 'debian-official': 9 }, bytes: { ...none, 'debian-official': 9e9 } }],
      [1, { files: { ...none, unexplained: 1 }, bytes: { ...none, unexplained: 0 } }],
    ]);
    const strip = {
      layers,
      use: [],
      shown,
      lineOf: (layer: number) => (layer === 1 ? 4 : undefined),
      dockerfile: undefined,
      addressOf: String,
    };
    const text = textOf(layersSection(sayIn('en'), strip));
    assert.match(text, /f-debian-official" x="0.00" width="100.00"/);
    assert.match(text, /f-unexplained" x="0.00" width="0.50"/);
    assert.match(text, /line 4 of the Dockerfile/);
  });

  it('leads to the files of a layer, and to nothing else', async () => {
    const { text } = await request(service.url).get(`/verdicts/${bad.verdictDigest}`).set('accept', 'text/html');
    assert.match(text, new RegExp(`href="/verdicts/${bad.verdictDigest}/contents\\?layer=1">Files of layer 2<`));
    assert.match(text, /COPY &quot;&lt;script&gt;alert\(2\)&lt;\/script&gt;\\u\{202e\}&quot;/);
    const root = await treeOf(service.deps.blobs, (await statement()).byproducts.account);
    const counts = countsByLayer(root);
    for (const [layer, { files }] of counts) assert.equal(sumOf(onlyLayer(root, layer).files), sumOf(files));
    assert.equal(folderAt(onlyLayer(root, 1), '/usr/share'), undefined);
    const contents = (query: string) =>
      request(service.url).get(`/verdicts/${bad.verdictDigest}/contents?${query}`).set('accept', 'text/html');
    const ofLayer = (await contents('path=/usr&layer=1')).text;
    assert.match(ofLayer, /<code>sbin\/</);
    assert.doesNotMatch(ofLayer, /<code>share\/</);
    assert.match((await contents('layer=9')).text, /0 files, 0\u00a0B/);
    for (const layer of ['-1', 'x', '99999']) assert.equal((await contents(`layer=${layer}`)).status, 400, layer);
  });

  const statement = async () => {
    const record = await service.deps.records.verdict(bad.verdictDigest!);
    assert.ok(record !== undefined);
    return (
      JSON.parse(Buffer.from(record.statement).toString('utf8')) as {
        predicate: { byproducts: { published: `sha256:${string}`; account: `sha256:${string}` } };
      }
    ).predicate;
  };
});
