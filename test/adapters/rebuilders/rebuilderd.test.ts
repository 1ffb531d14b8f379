/**
 * Against the real rebuilderd of Debian, with the results of a real worker: sources are built once for an archive and once more
 * by the worker. No answer in this file is made up.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import { readAttestation, pinnedKey } from '../../../src/adapters/rebuilders/attestation.ts';
import { makeAskRebuilders } from '../../../src/adapters/rebuilders/rebuilders.ts';
import { getDocument, putDocument, putLines } from '../../../src/flow/documents.ts';
import { loadInputs } from '../../../src/flow/inputs.ts';
import type { DebianEvidence, PackageEvidence } from '../../../src/model/debian.ts';
import { digestOf } from '../../../src/model/digest.ts';
import type { Rebuild } from '../../../src/model/rebuild.ts';
import type { RebuilderEvidence } from '../../../src/model/rebuilders.ts';
import { gatherEvidence } from '../../../src/pipeline.ts';
import type { Progress } from '../../../src/ports.ts';
import { judge } from '../../../src/steps/judge.ts';
import { type Deb, LocalArchive, makeKey } from '../../support/debian-archive.ts';
import { forward, startServer } from '../../support/http.ts';
import { type FileSpec, imageOf } from '../../support/packaged-image.ts';
import { type Rebuilderd, type SourceReport, startRebuilderd } from '../../support/rebuilderd.ts';
import { sampleJob } from '../../support/sample.ts';
import { buildSource, debName, type SourceBinary, sourceOf, sourceWith, writeBackend } from '../../support/source-packages.ts';

const SOURCES: Record<string, SourceBinary[]> = {
  // One build, three packages: the first two come out the same again, the third holds the time of its build.
  'gcc-12': [
    { name: 'libstdc++6', version: '1:12.2.0-14+b1', architecture: 'amd64', text: 'library' },
    { name: 'gcc-12-base', version: '12.2.0-14', architecture: 'all', text: 'shared' },
    { name: 'stamped', version: '12.2.0-14', architecture: 'amd64', text: '"$(date +%s%N)"' },
  ],
  // Its build fails the second time.
  fragile: [{ name: 'fragile', version: '1', architecture: 'amd64', text: 'built' }],
  // The rebuilder is told of it and never comes to it.
  waiting: [{ name: 'waiting', version: '1', architecture: 'amd64', text: 'later' }],
  // Nobody tells the rebuilder of it.
  private: [{ name: 'private', version: '1', architecture: 'amd64', text: 'mine' }],
};
const BINARIES = Object.values(SOURCES).flat();

let folder: string;
let archive: LocalArchive;
let rebuilderd: Rebuilderd;
const debs = new Map<string, Deb>();
const stops: (() => Promise<unknown>)[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-reproduced-'));
  stops.push(() => rm(folder, { recursive: true }));
  const backend = await writeBackend(folder);
  const served = new Map<string, Buffer>();
  const files = await startServer((request, response) => {
    const bytes = served.get(request.url ?? '');
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  stops.push(files.stop);
  for (const [name, binaries] of Object.entries(SOURCES)) {
    const source = await sourceOf(folder, binaries);
    const built = await buildSource(folder, backend, source, binaries);
    served.set(`/${name}.tar`, source);
    for (const one of binaries) {
      const bytes = built.get(debName(one)) ?? Buffer.alloc(0);
      served.set(`/${debName(one)}`, bytes);
      debs.set(one.name, {
        name: one.name,
        stanza: `Package: ${one.name}\nVersion: ${one.version}\nArchitecture: ${one.architecture}`,
        bytes,
      });
    }
  }
  const key = await makeKey('automatic');
  await mkdir(join(folder, 'keyrings'));
  for (const name of ['automatic', 'stable']) await writeFile(join(folder, `keyrings/debian-archive-bookworm-${name}.gpg`), key.keyring);
  archive = await LocalArchive.start();
  stops.push(() => archive.stop());
  await archive.publish({ debs: [...debs.values()], keys: [key] });

  rebuilderd = await startRebuilderd();
  stops.push(rebuilderd.stop);
  const report = (name: string): SourceReport => ({
    name,
    version: '1',
    url: `http://${files.host}/${name}.tar`,
    artifacts: (SOURCES[name] ?? []).map((one) => ({ ...one, url: `http://${files.host}/${debName(one)}` })),
  });
  served.set('/fragile.tar', await sourceWith(folder, 'exit 1\n'));
  await rebuilderd.submit('amd64', [report('gcc-12'), report('fragile')]);
  await rebuilderd.work(backend);
  await rebuilderd.submit('amd64', [report('waiting')]);
});

after(async () => {
  for (const stop of stops.reverse()) await stop();
});

const progress: Progress = { step: async () => {}, log: () => {} };

/** What the evidence job gives for an image that holds these packages, and nothing besides what dpkg needs. */
async function gather(rebuilders: { url: string; keys: string[] }[], run: string, names = [...debs.keys()]) {
  const blobs = makeFileBlobs(join(folder, `blobs-${run}`));
  const status = [...debs.values()]
    .filter(({ name }) => names.includes(name))
    .map(({ stanza }) => stanza.replace('\n', '\nStatus: install ok installed\n'))
    .join('\n\n');
  const texts: Record<string, FileSpec> = {
    '/etc/os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
    '/var/lib/dpkg/status': `${status}\n`,
  };
  for (const { name, text } of BINARIES.filter((one) => names.includes(one.name)))
    texts[`/usr/share/${name}/data`] = { text, mode: 0o644, mtime: 1_700_000_000 };
  const image = imageOf(texts);
  const kept = [...image.contents].map(([digest, bytes]) => ({ digest, base64: Buffer.from(bytes).toString('base64') }));
  image.inventory.contents = [await putLines(blobs, kept)];
  const published = await putDocument(blobs, image.inventory);
  const debian = makeDebian({
    fetch,
    blobs,
    scanLayer: makeScanLayer(),
    sources: { archive: [archive.address], security: [] },
    cacheDir: join(folder, 'cache'),
    keyrings: join(folder, 'keyrings'),
  });
  const askRebuilders = makeAskRebuilders({ fetch, blobs, rebuilders, atLeast: 1 });
  const job = sampleJob('one', 'registry.example.org/one:1');
  const evidence = await gatherEvidence({ debian, askRebuilders, blobs, progress }, job, published);
  const { packages, rebuilders: answers } = await getDocument<DebianEvidence>(blobs, evidence);
  assert.ok(packages.length === names.length && packages.every(({ status: each }) => each === 'verified'));
  assert.ok(answers);
  return {
    blobs,
    packages,
    answers,
    judged: async () => judge(await loadInputs(blobs, job, { published, rebuild: await putDocument(blobs, UNBUILT), evidence })),
  };
}

const UNBUILT: Rebuild = {
  resolvedDependencies: [],
  finishedAt: '2026-01-01T00:00:00.000Z',
  outcome: { status: 'not-comparable', reason: 'no-source', detail: '', lastLog: [] },
};

function outcomes(packages: PackageEvidence[], { debs: answered }: RebuilderEvidence): Record<string, string[]> {
  const byDeb = new Map(answered.map(({ deb, answers }) => [deb, answers.map(({ outcome }) => outcome)]));
  return Object.fromEntries(packages.map(({ name, chain }) => [name, chain === undefined ? [] : (byDeb.get(chain.deb) ?? [])]));
}

describe('the real rebuilderd', () => {
  it('tells what it reproduced, what not, what waits, and what it does not know', async () => {
    const { blobs, packages, answers } = await gather([{ url: rebuilderd.url, keys: [rebuilderd.key] }], 'v1');
    assert.deepEqual(outcomes(packages, answers), {
      'libstdc++6': ['reproduced'],
      'gcc-12-base': ['reproduced'],
      stamped: ['not-reproduced'],
      fragile: ['not-reproduced'],
      waiting: ['unbuilt'],
      private: ['unlisted'],
    });
    // Anybody can check the attestation that is kept.
    const kept = answers.debs.flatMap((one) => one.answers.flatMap(({ attestation }) => (attestation === undefined ? [] : [{ deb: one.deb, attestation }]))); // prettier-ignore
    assert.equal(kept.length, 2);
    for (const { deb, attestation } of kept)
      assert.deepEqual(readAttestation(await blobs.read(attestation), [pinnedKey(rebuilderd.key)])?.debs, [deb]);
  });

  it('gives the verdict the files that rest on what it reproduced, and an excuse for what it did not', async () => {
    const { judged } = await gather([{ url: rebuilderd.url, keys: [rebuilderd.key] }], 'v1');
    const { verdict } = await judged();
    assert.deepEqual(verdict.coverage.reproduced, { packages: 2, of: 6, files: 2, bytes: 'library'.length + 'shared'.length });
    const finding = verdict.findings.find(({ code }) => code === 'package-not-reproduced');
    assert.deepEqual([finding?.severity, Object.keys(finding?.evidence ?? {})], ['info', ['fragile:amd64', 'stamped:amd64']]);
  });

  it('counts for nothing without its pinned key, whatever its answers say', async () => {
    const other = Buffer.alloc(32, 7).toString('base64');
    const { packages, answers } = await gather([{ url: rebuilderd.url, keys: [other] }], 'other-key', ['libstdc++6', 'stamped']);
    assert.deepEqual(outcomes(packages, answers), { 'libstdc++6': ['attestation-unverified'], stamped: ['not-reproduced'] });
  });

  it('is asked over version 0 where version 1 is not there; that has the attestation of a build’s first package alone', async () => {
    const proxy = await startServer((incoming, response) =>
      incoming.url?.startsWith('/api/v1/') === true
        ? response.writeHead(404).end()
        : forward(new URL(rebuilderd.url).host, incoming, response),
    );
    try {
      const { packages, answers } = await gather([{ url: `http://${proxy.host}`, keys: [rebuilderd.key] }], 'v0');
      assert.deepEqual(outcomes(packages, answers), {
        'libstdc++6': ['reproduced'],
        'gcc-12-base': ['attestation-of-another'],
        stamped: ['not-reproduced'],
        fragile: ['not-reproduced'],
        waiting: ['unbuilt'],
        private: ['unlisted'],
      });
      assert.ok(
        proxy.seen.filter(({ url }) => url?.startsWith('/api/v1/') === true).length <= 4,
        'version 1 is asked for once in each lane',
      );
    } finally {
      await proxy.stop();
    }
  });

  it('is asked once for what it attested, and again after a day for the rest', async () => {
    const proxy = await startServer((incoming, response) => forward(new URL(rebuilderd.url).host, incoming, response));
    const blobs = makeFileBlobs(join(folder, 'blobs-again'));
    let clock = Date.now();
    const ask = makeAskRebuilders({
      fetch,
      blobs,
      rebuilders: [{ url: `http://${proxy.host}`, keys: [rebuilderd.key] }],
      atLeast: 1,
      now: () => new Date(clock),
    });
    const round = async (): Promise<number> => {
      const before = proxy.seen.length;
      const asking = ask();
      for (const one of BINARIES) {
        const bytes = debs.get(one.name)?.bytes ?? Buffer.alloc(0);
        const chain = {
          archive: '',
          component: 'main',
          packages: digestOf(''),
          deb: digestOf(bytes),
          size: 0,
          path: '',
          contents: digestOf(''),
        };
        const verified = { ...one, source: one.name, sourceVersion: one.version, chain };
        asking.about(verified);
        asking.about(verified);
      }
      assert.equal((await asking.answers()).debs.length, 6);
      return proxy.seen.length - before;
    };
    try {
      assert.equal(await round(), 8, 'one for each package, and two attestations');
      assert.equal(await round(), 0);
      clock += 25 * 60 * 60 * 1000;
      assert.equal(await round(), 4, 'what is not reproduced may be so by now');
    } finally {
      await proxy.stop();
    }
  });
});
