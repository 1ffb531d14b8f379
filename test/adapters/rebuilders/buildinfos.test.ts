/** Build records as dpkg writes them (dpkg-genbuildinfo), served by a pool on loopback that may also lie. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeAskBuildinfos } from '../../../src/adapters/rebuilders/buildinfos.ts';
import { buildinfoPaths, debsOfBuildinfo } from '../../../src/model/buildinfo.ts';
import { type Digest, digestOf } from '../../../src/model/digest.ts';
import { startServer, type TestServer } from '../../support/http.ts';
import { buildSource, debName, sourceOf, writeBackend } from '../../support/source-packages.ts';

const SOURCE = { source: 'gcc-12', sourceVersion: '12.2.0-14' };
const LIBRARY = { ...SOURCE, name: 'libstdc++6', version: '12.2.0-14+b1', architecture: 'amd64', text: 'library' };
const SHARED = { ...SOURCE, name: 'gcc-12-base', version: '12.2.0-14+b1', architecture: 'amd64', text: 'shared' };
const PATH = '/pool/g/gcc-12/gcc-12_12.2.0-14%2Bb1_amd64.buildinfo';

let folder: string;
let record: string;
let pool: TestServer;
const served = new Map<string, string>();
const digests = new Map<string, Digest>();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-buildinfos-'));
  const binaries = [LIBRARY, SHARED];
  const built = await buildSource(folder, await writeBackend(folder), await sourceOf(folder, binaries), binaries);
  const tree = join(folder, 'tree');
  await mkdir(join(tree, 'debian'), { recursive: true });
  for (const one of binaries) {
    const bytes = built.get(debName(one)) ?? Buffer.alloc(0);
    digests.set(one.name, digestOf(bytes));
    await writeFile(join(folder, debName(one)), bytes);
  }
  const stanzas = binaries.map(({ name }) => `Package: ${name}\nArchitecture: any\nDescription: test\n`);
  const files: Record<string, string> = {
    control: `Source: gcc-12\nMaintainer: Test <test@example.org>\n\n${stanzas.join('\n')}`,
    changelog: 'gcc-12 (12.2.0-14) unstable; urgency=low\n\n  * Test.\n\n -- Test <test@example.org>  Tue, 01 Jan 2030 00:00:00 +0000\n',
    files: binaries.map((one) => `${debName(one)} libs optional\n`).join(''),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(tree, 'debian', name), text);
  const { status, stderr } = spawnSync('dpkg-genbuildinfo', ['--build=binary', '-O../made.buildinfo'], { cwd: tree, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  record = await readFile(join(folder, 'made.buildinfo'), 'utf8');
  pool = await startServer((request, response) => {
    const text = served.get(request.url ?? '');
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
});

after(async () => {
  await pool.stop();
  await rm(folder, { recursive: true });
});

beforeEach(() => served.clear());

async function ask(run: string, packages = [LIBRARY, SHARED]): Promise<{ named: string[]; requests: number }> {
  const blobs = makeFileBlobs(join(folder, `blobs-${run}`));
  const before = pool.seen.length;
  const asking = makeAskBuildinfos({ fetch, blobs, url: `http://${pool.host}/pool` })();
  for (const one of packages) {
    const deb = digests.get(one.name) ?? digestOf('');
    asking.about({ ...one, chain: { archive: '', component: 'main', packages: deb, deb, size: 1, path: '', contents: deb } });
  }
  const { archive, debs } = await asking.answers();
  assert.equal(archive, `http://${pool.host}/pool`);
  const named: string[] = [];
  for (const { deb, buildinfo } of debs) {
    assert.ok(debsOfBuildinfo((await blobs.read(buildinfo)).toString()).includes(deb));
    named.push([...digests].find(([, digest]) => digest === deb)?.[0] ?? '');
  }
  return { named: named.sort(), requests: pool.seen.length - before };
}

describe('the record of a build', () => {
  it('names the .debs that it gave, in a clear signature as well', () => {
    const signed = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${record}\n-----BEGIN PGP SIGNATURE-----\n\nxxxx\n-----END PGP SIGNATURE-----\n`;
    for (const text of [record, signed]) assert.deepEqual(new Set(debsOfBuildinfo(text)), new Set(digests.values()));
    for (const text of ['', '<html>', 'Checksums-Sha256: x\n y\n', `Checksums-Sha256:\n ${'G'.repeat(64)} 1 a.deb\n`])
      assert.deepEqual(debsOfBuildinfo(text), []);
  });

  it('is where its source, its version and its architecture say', () => {
    const base = { source: 'zlib', sourceVersion: '1:1.2.13.dfsg-1', version: '1:1.2.13.dfsg-1', architecture: 'amd64' };
    assert.deepEqual(buildinfoPaths(base), ['z/zlib/zlib_1.2.13.dfsg-1_amd64.buildinfo']);
    assert.deepEqual(buildinfoPaths({ ...base, source: 'libzstd', architecture: 'all' }), [
      'libz/libzstd/libzstd_1.2.13.dfsg-1_all.buildinfo',
      'libz/libzstd/libzstd_1.2.13.dfsg-1_amd64.buildinfo',
    ]);
    // A binary with a version of its own, built again without changes.
    assert.deepEqual(buildinfoPaths({ ...base, source: 'gcc-defaults', sourceVersion: '1.203', version: '4:12.2.0-3+b2' }), [
      'g/gcc-defaults/gcc-defaults_1.203+b2_amd64.buildinfo',
    ]);
  });

  it('is a claim about a package whose hash it names; the packages of one build share it, and it is asked for once', async () => {
    served.set(PATH, record);
    const first = await ask('kept');
    assert.deepEqual(first.named, ['gcc-12-base', 'libstdc++6']);
    assert.ok(first.requests <= 2);
    assert.deepEqual(await ask('kept'), { named: first.named, requests: 0 });
  });

  it('is none about a package with other bytes, however it is called', async () => {
    served.set(PATH, record.replace(/^( )[0-9a-f]{64}( \d+ libstdc)/m, `$1${'0'.repeat(64)}$2`));
    assert.deepEqual((await ask('other')).named, ['gcc-12-base']);
  });

  it('is none where the pool has none, sends something else, or a giant', async () => {
    assert.deepEqual((await ask('none')).named, []);
    for (const [run, text] of Object.entries({ page: '<html>', giant: `${record}${'x'.repeat(3_000_000)}` })) {
      served.set(PATH, text);
      assert.deepEqual((await ask(run)).named, []);
    }
  });
});
