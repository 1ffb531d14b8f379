import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { makeFileBlobs } from '../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../../src/adapters/layers/scan.ts';
import { putDocument } from '../../src/flow/documents.ts';
import { inventoryOf } from '../../src/flow/inventory.ts';
import { loadInputs } from '../../src/flow/inputs.ts';
import type { DebianEvidence } from '../../src/model/debian.ts';
import { digestOf } from '../../src/model/digest.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import { gatherEvidence } from '../../src/pipeline.ts';
import { judge } from '../../src/steps/judge.ts';
import { type ArchiveKey, clearSign, type Deb, LocalArchive, makeDeb, makeKey, releaseText } from '../support/debian-archive.ts';
import { SnapshotArchive } from '../support/snapshot-archive.ts';
import { member, tar } from '../support/tar.ts';
import { someJob } from '../support/verification.ts';

const THEN = new Date('2025-03-01T12:00:00Z');
const SNAPSHOT = '20250301T150000Z';
let folder: string;
let mirror: LocalArchive;
let snapshot: SnapshotArchive;
let vendor: LocalArchive;
const keys = {} as Record<'debian' | 'vendor', ArchiveKey>;
const debs = {} as Record<'still' | 'moved' | 'newer' | 'agent', Deb>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-evidence-'));
  const date = new Date('2024-01-01T00:00:00Z');
  [keys.debian, keys.vendor] = await Promise.all([makeKey('debian', { date }), makeKey('vendor', { date })]);
  await mkdir(join(folder, 'keyrings'));
  await writeFile(join(folder, 'keyrings/debian-archive-bookworm-automatic.gpg'), keys.debian.keyring);
  [mirror, snapshot, vendor] = await Promise.all([LocalArchive.start(), SnapshotArchive.start(), LocalArchive.start()]);
  const program = (name: string, version: string): Promise<Deb> =>
    makeDeb({ name, version, architecture: 'amd64', files: { [`usr/bin/${name}`]: { text: `#!/bin/sh\n# ${name} ${version}\n`, mode: 0o755 } } }); // prettier-ignore
  [debs.still, debs.moved, debs.newer, debs.agent] = await Promise.all([
    program('still', '1'),
    program('moved', '1'),
    program('moved', '2'),
    program('agent', '7'),
  ]);
  await mirror.publish({ debs: [debs.still, debs.newer], keys: [keys.debian] });
  await snapshot.publish(SNAPSHOT, { debs: [debs.still, debs.moved], keys: [keys.debian], date: THEN, signedAt: THEN });
  await vendor.publish({ base: '/apt', suite: 'stable', debs: [debs.agent], keys: [keys.vendor] });
});

after(async () => {
  await Promise.all([mirror.stop(), snapshot.stop(), vendor.stop()]);
  await rm(folder, { recursive: true });
});

const directory = (name: string): Buffer => member({ name: `${name}/`, type: '5', mode: 0o755 });
const file = (name: string, content: string | Buffer, mode = 0o644): Buffer => member({ name, mode }, content);
const script = (name: string, version: string, more = ''): Buffer => file(`usr/bin/${name}`, `#!/bin/sh\n# ${name} ${version}\n${more}`, 0o755); // prettier-ignore

/** A base with apt's lists and the vendor's key, and a layer that cleans up and adds programs. */
async function layers(agent = ''): Promise<Buffer[]> {
  const list = await clearSign(releaseText({ date: THEN }, []), [keys.debian], THEN);
  const status = ['still 1', 'moved 1', 'agent 7']
    .map((one) => one.split(' '))
    .map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`)
    .join('\n');
  const folders = ['etc', 'etc/apt', 'etc/apt/sources.list.d', 'usr', 'usr/bin', 'usr/lib', 'usr/share', 'usr/share/keyrings', 'var', 'var/lib', 'var/lib/apt', 'var/lib/apt/lists', 'var/lib/dpkg']; // prettier-ignore
  return [
    tar(
      ...folders.map(directory),
      file('usr/lib/os-release', 'ID=debian\nVERSION_CODENAME=bookworm\n'),
      file('var/lib/apt/lists/mirror.example_debian_dists_bookworm_InRelease', list),
      file('usr/share/keyrings/vendor.gpg', Buffer.from(keys.vendor.keyring)),
      file('etc/apt/sources.list.d/vendor.list', `deb [signed-by=/usr/share/keyrings/vendor.gpg] ${vendor.origin}/apt stable main\n`),
      file('var/lib/dpkg/status', status),
      script('still', '1'),
    ),
    tar(
      file('var/lib/apt/lists/.wh.mirror.example_debian_dists_bookworm_InRelease', ''),
      file('usr/share/keyrings/.wh.vendor.gpg', ''),
      file('etc/apt/sources.list.d/.wh.vendor.list', ''),
      script('moved', '1'),
      script('agent', '7', agent),
    ),
  ];
}

async function evidenceOf(name: string, tars: Buffer[]) {
  const blobs = makeFileBlobs(join(folder, `blobs-${name}`));
  const scanLayer = makeScanLayer();
  const descriptors = tars.map((bytes) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(bytes), size: bytes.length })); // prettier-ignore
  const image = {
    manifestDigest: digestOf(name),
    manifest: { mediaType: '', config: descriptors[0]!, layers: descriptors },
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: descriptors.map(({ digest }) => digest) } },
  };
  const published = await inventoryOf({ scanLayer, blobs }, image, (layer) =>
    Promise.resolve(Readable.from([tars[descriptors.findIndex(({ digest }) => digest === layer.digest)]!])),
  );
  const debian = makeDebian({
    fetch,
    foreignFetch: fetch,
    blobs,
    scanLayer,
    sources: { archive: [mirror.address], security: [] },
    cacheDir: join(folder, `cache-${name}`),
    keyrings: join(folder, 'keyrings'),
    snapshot: snapshot.url,
    now: () => new Date(Date.now() + 2000), // signatures count whole seconds
  });
  const progress = { step: () => Promise.resolve(), log: () => undefined };
  const job = someJob(name);
  const digest = await gatherEvidence({ debian, blobs, progress }, job, published);
  const evidence = JSON.parse((await blobs.read(digest)).toString()) as DebianEvidence;
  const rebuild: Rebuild = {
    resolvedDependencies: [],
    outcome: { status: 'not-comparable', reason: 'no-source', detail: 'none', lastLog: [] },
    finishedAt: '2026-01-01T00:00:00Z',
  };
  const { account, verdict } = judge(
    await loadInputs(blobs, job, { published, rebuild: await putDocument(blobs, rebuild), evidence: digest }),
  );
  return { evidence, verdict, accountOf: (path: string) => account.find((line) => line.path === path)?.attribution };
}

test('what the layers tell, deleted files included, leads to the archive of then and to the vendor', async () => {
  const { evidence, verdict, accountOf } = await evidenceOf('honest', await layers());
  assert.deepEqual(
    evidence.packages.map(({ name, status, chain }) => [name, status, chain?.archive]),
    [
      ['agent', 'third-party', `${vendor.origin}/apt stable`],
      ['moved', 'verified', `debian bookworm ${SNAPSHOT}`],
      ['still', 'verified', 'debian bookworm'],
    ],
  );
  assert.deepEqual(['/usr/bin/still', '/usr/bin/moved', '/usr/bin/agent'].map(accountOf), ['debian-official', 'debian-official', 'third-party']); // prettier-ignore
  assert.ok(verdict.findings.some(({ code }) => code === 'third-party-package'));
  assert.ok(!verdict.findings.some(({ severity }) => severity === 'critical'));
});

test('a package of then that was changed is a finding, and so is a vendor’s', async () => {
  const [base, top] = await layers('evil\n');
  const { accountOf, verdict } = await evidenceOf('tampered', [base!, tar(top!.subarray(0, -1024), script('moved', '1', 'evil\n'))]);
  assert.deepEqual(['/usr/bin/moved', '/usr/bin/agent'].map(accountOf), ['unexplained', 'unexplained']);
  assert.ok(verdict.findings.some(({ code, severity, paths }) => code === 'packaged-file-replaced' && severity === 'critical' && paths.includes('/usr/bin/moved'))); // prettier-ignore
  assert.ok(verdict.findings.some(({ code, paths }) => code === 'unexplained-code' && paths.includes('/usr/bin/agent')));
});

test("apt's lists that were left: what is signed, packed or not, and nothing that was put beside it", async () => {
  const [base] = await layers();
  const lists = 'var/lib/apt/lists/mirror.example_debian_dists_bookworm_';
  const theirs = `var/lib/apt/lists/${new URL(vendor.origin).host}_apt_dists_stable_`;
  const index = Buffer.from('Package: a\n'.repeat(9000));
  const packed = spawnSync('lz4', ['-c', '-B4', '-BD', '--no-frame-crc'], { input: index }).stdout;
  const named = [{ path: 'main/binary-amd64/Packages', digest: digestOf(index), size: index.length }];
  const honest = {
    [`${lists}InRelease`]: await clearSign(releaseText({ date: THEN }, named), [keys.debian], THEN),
    [`${lists}main_binary-amd64_Packages.lz4`]: packed,
    [`${theirs}InRelease`]: await clearSign(releaseText({ suite: 'stable', date: THEN }, named), [keys.vendor], THEN),
    [`${theirs}main_binary-amd64_Packages`]: index,
  };
  const forged = Buffer.from('Package: evil\n');
  const evil = await makeKey('evil');
  const rows: [name: string, change: Record<string, Buffer>, unexplained: RegExp][] = [
    ['honest', {}, /^$/],
    [
      'own key',
      { [`${lists}InRelease`]: await clearSign(releaseText({}, [{ ...named[0]!, digest: digestOf(forged) }]), [evil]), [`${lists}main_binary-amd64_Packages`]: forged }, // prettier-ignore
      /bookworm_InRelease .*bookworm_main_binary-amd64_Packages .*bookworm_main_binary-amd64_Packages.lz4 $/,
    ],
    ['another index', { [`${theirs}main_binary-amd64_Packages`]: forged }, /^\S*stable_main_binary-amd64_Packages $/],
    ['a broken frame', { [`${lists}main_binary-amd64_Packages.lz4`]: packed.subarray(0, -1) }, /^\S*bookworm_main_binary-amd64_Packages.lz4 $/],
    ['any signature', { [`${lists}Release.gpg`]: forged }, /^\S*bookworm_Release.gpg $/],
    ['more behind', { [`${theirs}InRelease`]: Buffer.concat([honest[`${theirs}InRelease`]!, forged]) }, /^\S*stable_InRelease \S*stable_main_binary-amd64_Packages $/],
  ]; // prettier-ignore
  for (const [name, change, expected] of rows) {
    const files = { ...honest, ...change };
    const top = tar(...Object.entries(files).map(([path, bytes]) => file(path, bytes)));
    const { accountOf, verdict } = await evidenceOf(`lists ${name}`, [base!, top]);
    const unexplained = Object.keys(files)
      .sort()
      .filter((path) => accountOf(`/${path}`) !== 'volatile');
    assert.match(unexplained.map((path) => `${path} `).join(''), expected, name);
    for (const path of unexplained) assert.equal(accountOf(`/${path}`), 'unexplained', `${name} ${path}`);
    const told = (code: string): string[] => verdict.findings.filter((one) => one.code === code).flatMap(({ paths }) => paths).filter((path) => path.includes('/lists/')); // prettier-ignore
    assert.deepEqual(
      told('unexplained-file').sort(),
      unexplained.map((path) => `/${path}`),
      name,
    );
    assert.deepEqual(told('content-not-compared'), [], name);
  }
});
