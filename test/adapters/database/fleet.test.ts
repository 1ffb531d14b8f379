import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Digest, digestOf } from '../../../src/model/digest.ts';
import type { FleetItem, FleetPage } from '../../../src/model/fleet.ts';
import type { FileSet, ImageContents } from '../../../src/model/image-contents.ts';
import { canonicalJson } from '../../../src/model/json.ts';
import type { VerdictRecord } from '../../../src/model/verification.ts';
import type { Records } from '../../../src/ports.ts';
import { Problem } from '../../../src/problem.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { someJob, someRecord } from '../../support/verification.ts';

function setOf(files: Record<string, string>): FileSet {
  const list = Object.entries(files).map(([path, text]) => ({ path, digest: digestOf(text) }));
  return { digest: digestOf(canonicalJson(list)), files: list };
}

const packageOf = (name: string, version: string, source = name, sourceVersion = version) => ({ name, version, architecture: 'amd64', source, sourceVersion, layer: 1 }); // prettier-ignore

type Image = { packages?: VerdictRecord['packages']; sets?: FileSet[]; files?: ImageContents['files'] };

async function judged(records: Records, id: string, reference: string, { packages = [], sets = [], files = [] }: Image): Promise<void> {
  const job = { ...someJob(id), image: { ...someJob(id).image, reference } };
  await records.accept(job, id);
  const contents: ImageContents = {
    release: 'bookworm',
    layers: [{ digest: digestOf('base') }, { digest: digestOf(`layer of ${id}`), line: 4, createdBy: 'RUN apt-get \u0000install' }],
    packages: new Map(sets.map((set, index) => [index, set])),
    files,
  };
  assert.equal(await records.conclude({ ...someRecord(job), digest: digestOf(id), packages, contents }), true);
}

async function all(ask: (page: { limit: number; cursor?: string }) => Promise<FleetPage>, limit: number): Promise<FleetItem[]> {
  const items: FleetItem[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await ask({ limit, ...(cursor === undefined ? {} : { cursor }) });
    assert.ok(page.items.length <= limit);
    items.push(...page.items);
    cursor = page.next;
    if (cursor === undefined) return items;
  }
}

const shown = ({ verification, package: held, path, hidden, layer, line, latest }: FleetItem): string =>
  [verification, held === undefined ? '-' : `${held.name} ${held.version}`, path ?? '', hidden === true ? 'hidden' : '', layer, line ?? '-', latest ? 'latest' : 'replaced'].join(' '); // prettier-ignore

onBothDatabases('everything ever judged', (of) => {
  const libssl = setOf({ '/usr/lib/libssl.so.3': 'libssl 3.0.9', '/usr/share/doc/libssl3/copyright': 'licence' });
  const slim = setOf({ '/usr/lib/libssl.so.3': 'libssl 3.0.9' });

  it('is asked for packages older than a version, in the order of dpkg', async () => {
    const records = of();
    const two = (version: string, binary = version) => [packageOf('libssl3', binary, 'openssl', version), packageOf('openssl', binary, 'openssl', version)]; // prettier-ignore
    await judged(records, 'a', 'example.test/one:1', { packages: two('3.0.9-1') });
    await judged(records, 'b', 'example.test/two:1', { packages: two('3.0.10-1~deb12u1', '3.0.10-1~deb12u1+b1') });
    await judged(records, 'c', 'example.test/one:1', { packages: two('3.0.17-1~deb12u2') });
    await judged(records, 'd', 'example.test/odd:1', { packages: [packageOf('openssl', '-')] });
    const older = async (name: string, olderThan?: string, limit = 100) =>
      (await all((page) => records.imagesWithPackage({ name, ...(olderThan === undefined ? {} : { olderThan }) }, page), limit)).map(shown);
    assert.deepEqual(await older('openssl', '3.0.10-1'), [
      'd openssl -   1 4 latest',
      'b libssl3 3.0.10-1~deb12u1+b1   1 4 latest',
      'b openssl 3.0.10-1~deb12u1+b1   1 4 latest',
      'a libssl3 3.0.9-1   1 4 replaced',
      'a openssl 3.0.9-1   1 4 replaced',
    ]);
    // By the source's name the source's version counts: a rebuild of the binary alone (+b1) is no newer source.
    assert.deepEqual(await older('openssl', '3.0.10-1~deb12u1+b1'), [
      'd openssl -   1 4 latest',
      'b libssl3 3.0.10-1~deb12u1+b1   1 4 latest',
      'a libssl3 3.0.9-1   1 4 replaced',
      'a openssl 3.0.9-1   1 4 replaced',
    ]);
    assert.deepEqual(await older('libssl3', '3.0.9-1'), []);
    assert.equal((await older('openssl')).length, 7);
    for (const limit of [1, 2, 3, 5]) assert.deepEqual(await older('openssl', undefined, limit), await older('openssl'), `${limit} a page`);
    assert.equal((await older("x' or 1=1 --")).length, 0);
    const [item] = (await records.imagesWithPackage({ name: 'libssl3', olderThan: '3.0.10-1' }, { limit: 1 })).items;
    assert.deepEqual(item, {
      image: { ...someJob('b').image, reference: 'example.test/two:1' },
      verification: 'b',
      verdict: digestOf('b'),
      result: 'identical',
      latest: true,
      package: packageWithout(two('3.0.10-1~deb12u1', '3.0.10-1~deb12u1+b1')[0]),
      layer: 1,
      layerDigest: digestOf('layer of b'),
      line: 4,
      createdBy: 'RUN apt-get \ufffdinstall',
    });
  });

  it('keeps its place while more is judged', async () => {
    const records = of();
    const ask = (page: { limit: number; cursor?: string }) => records.imagesWithPackage({ name: 'libssl3' }, page);
    const first = await ask({ limit: 1 });
    await judged(records, 'e', 'example.test/late:1', { packages: [packageOf('libssl3', '9', 'openssl')] });
    assert.deepEqual((await ask({ limit: 9, cursor: first.next ?? '' })).items.map(({ verification }) => verification), ['b', 'a']); // prettier-ignore
    for (const cursor of ['x', Buffer.from('1').toString('base64url'), Buffer.from('1.-2').toString('base64url')])
      await assert.rejects(ask({ limit: 1, cursor }), (thrown) => thrown instanceof Problem && thrown.code === 'invalid-request');
  });

  it('is asked for files: of packages, of layers, and of what a layer hides', async () => {
    const records = of();
    const application = setOf({ '/srv/app': 'application' });
    const key = setOf({ '/root/key': 'secret' });
    const libssl3 = packageOf('libssl3', '3.0.9-1', 'openssl');
    await judged(records, 'f', 'example.test/full:1', {
      packages: [libssl3],
      sets: [libssl],
      files: [{ layer: 1, hidden: false, set: application }],
    });
    await judged(records, 'g', 'example.test/slim:1', { packages: [libssl3], sets: [slim], files: [{ layer: 0, hidden: true, set: key }, { layer: 1, hidden: true, set: key }, { layer: 1, hidden: false, set: application }] }); // prettier-ignore
    await judged(records, 'h', 'example.test/copy:1', { packages: [libssl3], sets: [slim], files: [{ layer: 1, hidden: false, set: setOf({ '/opt/libssl.so.3': 'libssl 3.0.9' }) }] }); // prettier-ignore
    const held = async (text: string, limit = 100) => (await all((page) => records.imagesWithFile(digestOf(text), page), limit)).map(shown);
    const library = await held('libssl 3.0.9');
    assert.deepEqual(library.toSorted().toReversed(), [
      'h libssl3 3.0.9-1 /usr/lib/libssl.so.3  1 4 latest',
      'h - /opt/libssl.so.3  1 4 latest',
      'g libssl3 3.0.9-1 /usr/lib/libssl.so.3  1 4 latest',
      'f libssl3 3.0.9-1 /usr/lib/libssl.so.3  1 4 latest',
    ]);
    assert.deepEqual(await held('licence'), ['f libssl3 3.0.9-1 /usr/share/doc/libssl3/copyright  1 4 latest']);
    assert.deepEqual(await held('secret'), ['g - /root/key hidden 0 - latest', 'g - /root/key hidden 1 4 latest']);
    assert.equal((await held('application')).length, 2);
    assert.deepEqual(await held('unknown'), []);
    for (const text of ['libssl 3.0.9', 'secret', 'application'])
      for (const limit of [1, 2, 3]) assert.deepEqual(await held(text, limit), await held(text), `${limit} a page`);
  });

  it('keeps a set of files once, whoever comes first', async () => {
    const records = of();
    const shared = Array.from({ length: 30 }, (_, number) => setOf({ [`/shared/${number}`]: `shared ${number}` }));
    const images = ['i', 'j', 'k'].map((id, number) => {
      const files = shared.map((set) => ({ layer: 0, hidden: false, set }));
      return judged(records, id, `example.test/${id}:1`, { files: number === 1 ? files.toReversed() : files });
    });
    await Promise.all(images);
    const { items } = await records.imagesWithFile(digestOf('shared 7') satisfies Digest, { limit: 9 });
    assert.deepEqual(new Set(items.map(({ verification }) => verification)), new Set(['i', 'j', 'k']));
  });
});

function packageWithout(one: VerdictRecord['packages'][number] | undefined): FleetItem['package'] {
  assert.ok(one !== undefined);
  const { layer: _, ...rest } = one;
  return rest;
}
