/** What differs inside of files, from two images of a registry to stored documents. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LOOKED_AT_LIMITS, makeScanArchive } from '../../src/adapters/archives/scan.ts';
import { makeBuiltLayers } from '../../src/adapters/built-layers/built-layers.ts';
import { makeFileBlobs } from '../../src/adapters/blobs/file.ts';
import { makeScratch } from '../../src/adapters/environment/scratch.ts';
import { readSubordinateIds } from '../../src/adapters/environment/subids.ts';
import { makeScanLayer } from '../../src/adapters/layers/scan.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import { getDocument } from '../../src/flow/documents.ts';
import { type ExplainPorts, makeExplaining } from '../../src/flow/explain.ts';
import { inventoryOf } from '../../src/flow/inventory.ts';
import type { Explanation, Explanations } from '../../src/model/explanation.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { Explain, OpenScratch } from '../../src/ports-explain.ts';
import { pushImage } from '../support/push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { member, tar } from '../support/tar.ts';

let registry: TestRegistry;
let folder: string;
before(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), 'conforme-explain-'));
});
after(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

const DATABASE = (version: string): string => `Package: tool\nStatus: install ok installed\nVersion: ${version}\nArchitecture: amd64\n`;
const image = (own: string, version: string): Buffer =>
  tar(
    member({ name: 'etc/app.conf', mode: 0o644 }, `colour = ${own}\n`),
    member({ name: 'srv/notes', mode: 0o644 }, gzipSync(`notes of ${own}`).toString('latin1')),
    member({ name: 'opt/-rf $(x)', mode: 0o755 }, `\0${own}`),
    member({ name: 'srv/same', mode: 0o644 }, 'same'),
    member({ name: 'srv/alone' + own, mode: 0o644 }, own),
    member({ name: 'var/lib/dpkg/status', mode: 0o644 }, DATABASE(version)),
  );

let number = 0;
/** The explanations of two images, with what was said on the way. `there`: while the image that was built is. */
async function explained(
  tool: Explain | undefined,
  {
    there = true,
    keeps = false,
    own = 'blue',
    name = `explain${(number += 1)}`,
    ...more
  }: { there?: boolean; keeps?: boolean; own?: string; name?: string; openScratch?: OpenScratch } = {},
) {
  const client = makeRegistry({ fetch, insecure: [registry.host], backoff: 5 });
  await pushImage(registry.host, `${name}/theirs`, [image(own, '1')], { tag: '1' });
  await pushImage(registry.host, `${name}/ours`, [image('red', '2')], { tag: '1' });
  const [theirs, ours] = [`${registry.host}/${name}/theirs:1`, `${registry.host}/${name}/ours:1`];
  const published = await client.resolve(theirs);
  const built = await client.resolve(ours);
  const blobs = makeFileBlobs(join(folder, 'blobs', name));
  const jobs = join(folder, 'jobs', name);
  const lines: string[] = [];
  const ports: ExplainPorts = {
    registry: client,
    scanLayer: makeScanLayer(),
    blobs,
    progress: { step: async () => undefined, log: () => undefined },
    explaining: {
      openScratch: makeScratch({ folder: jobs, ids: await readSubordinateIds() }),
      builtLayers: makeBuiltLayers(join(folder, 'layers', keeps ? name : 'none'), { all: keeps ? 1e6 : 0, layer: keeps ? 1e6 : 0 }),
      scanArchive: makeScanArchive(LOOKED_AT_LIMITS),
      ...(tool && { tool }),
      ...more,
    },
  };
  const openBlob = (layer: Parameters<typeof client.openBlob>[1]) => client.openBlob(ours, layer);
  const outcome = { status: 'built' as const, manifestDigest: built.manifestDigest, inventory: await inventoryOf(ports, built, openBlob) };
  const rebuild: Rebuild = { resolvedDependencies: [], outcome, finishedAt: '' };
  const explaining = makeExplaining(ports, { published, reference: theirs, bases: [], onLog: (line) => lines.push(line) });
  if (there) await explaining.collect({ ...built, openBlob }, outcome);
  const explanations = await explaining.explain(rebuild);
  await explaining.done();
  const left = await readdir(jobs).catch(() => []);
  const of = async (path: string): Promise<Explanation | undefined> => {
    const document = explanations?.files.find((one) => one.path === path)?.document;
    return document === undefined ? undefined : getDocument<Explanation>(blobs, document);
  };
  return { explanations, of, log: lines.join('\n'), left };
}
const paths = (explanations: Explanations | undefined) => explanations?.files.map(({ path }) => path).sort();

it('is told by our own means where no tool is installed', async () => {
  const { explanations, of, left } = await explained(undefined);
  assert.deepEqual(paths(explanations), ['/etc/app.conf', '/opt/-rf $(x)', '/srv/notes']);
  assert.equal(explanations?.tool, undefined);
  assert.equal((await of('/etc/app.conf'))?.text, '@@ -1,1 +1,1 @@\n-colour = red\n+colour = blue');
  assert.deepEqual((await of('/srv/notes'))?.members?.listed.map(({ name }) => name), ['what it decompresses to']); // prettier-ignore
  assert.deepEqual((await of('/opt/-rf $(x)'))?.bytes, { offset: 1, from: 0, rebuilt: '00726564', published: '00626c7565' });
  assert.deepEqual(explanations?.packages, { listed: [{ name: 'tool', architecture: 'amd64', rebuilt: '2', published: '1' }], more: 0 });
  assert.deepEqual(left, [], 'nothing stays in the scratch folder');
});

it('asks a tool only for what is not told yet, and never hands it a name of the image', async () => {
  const asked: string[] = [];
  const tool: Explain = {
    tool: 'tool 1',
    explain: async (pairs) => {
      asked.push(...pairs.flatMap(({ rebuilt, published }) => [rebuilt, published]));
      return {
        told: pairs.map((_pair, index) => (index === 0 ? [{ rebuilt: 'a', published: 'b' }] : undefined)),
        fault: 'a limit was met',
      };
    },
  };
  const { explanations, of, log } = await explained(tool);
  assert.equal(asked.length, 4);
  for (const file of asked) assert.match(file, /^[\w/.-]+\/\d+$/);
  assert.equal((await of('/etc/app.conf'))?.diffoscope, undefined);
  const [first, second] = [await of('/opt/-rf $(x)'), await of('/srv/notes')];
  assert.deepEqual(first?.diffoscope, [{ rebuilt: 'a', published: 'b' }]);
  assert.match(second?.notes.join() ?? '', /tool 1 says nothing of it: a limit was met/);
  assert.match(log, /did not get through/);
  assert.equal(explanations?.tool, 'tool 1');
});

it('fails no rebuild, whatever goes wrong, and says so', async () => {
  const broken: Explain = { tool: 'broken 1', explain: () => Promise.reject(new Error('no such thing')) };
  const { explanations, log } = await explained(broken);
  assert.equal(paths(explanations)?.length, 3, 'what needs no tool is told');
  assert.match(log, /did not get through all of them: no such thing/);
  const full = new Error('the disk is full');
  const nothing = await explained(undefined, { openScratch: () => Promise.reject(full) });
  assert.equal(nothing.explanations, undefined);
  assert.match(nothing.log, /could not be told: the disk is full/);
});

it('looks into a build of before, whose layers are kept', async () => {
  await explained(undefined, { name: 'before', keeps: true });
  const { explanations } = await explained(undefined, { there: false, name: 'before', keeps: true, own: 'green' });
  assert.deepEqual(paths(explanations)?.length, 3);
  assert.deepEqual(explanations?.left, []);
});

it('tells of settings, whose contents are kept, and says what it cannot where the built image is gone', async () => {
  const { explanations, of } = await explained(undefined, { there: false, name: 'gone' });
  assert.deepEqual(paths(explanations), ['/etc/app.conf']);
  assert.ok((await of('/etc/app.conf'))?.text !== undefined);
  assert.deepEqual(explanations?.left, [{ reason: 'the rebuild was made earlier, and its files are not there any more', files: 2 }]);
  // Another verification of the same images, for which the image was there, is not kept from more.
  assert.equal(paths((await explained(undefined, { name: 'gone' })).explanations)?.length, 3);
  assert.equal(paths((await explained(undefined, { there: false, name: 'gone' })).explanations)?.length, 3, 'and is remembered');
});
