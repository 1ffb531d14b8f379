import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeFileBlobs } from '../../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../../src/adapters/debian/debian.ts';
import { loadKeyring } from '../../../src/adapters/debian/keyring.ts';
import { makeMirror } from '../../../src/adapters/debian/mirror.ts';
import { type ArchivePackage, findPackages } from '../../../src/adapters/debian/packages.ts';
import { suitesOf } from '../../../src/adapters/debian/releases.ts';
import { type DebianSources, debianSources } from '../../../src/adapters/debian/sources.ts';
import { openSuite } from '../../../src/adapters/debian/suite.ts';
import { makeScanLayer } from '../../../src/adapters/layers/scan.ts';
import type { DebContents, DebianEvidence } from '../../../src/model/debian.ts';
import { digestOf } from '../../../src/model/digest.ts';
import { bytesFromText } from '../../../src/model/path.ts';

/** Debian's own mirror, as this machine's apt knows it; gpgv and dpkg-deb are the judges. */
const NAMES = new Set(['base-files', 'dash', 'netbase', 'login', 'gzip', 'ca-certificates']); // login has setuid programs, gzip hard links
let folder: string;
let sources: DebianSources;
let current: ArchivePackage[];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conforme-mirror-'));
  sources = await debianSources();
  const keyring = await loadKeyring();
  const ports = { mirror: makeMirror(fetch), keyring, cacheDir: join(folder, 'cache'), now: () => new Date() };
  const [request] = suitesOf('bookworm', [], keyring.has);
  const suite = await openSuite(ports, request!, sources.archive);
  current = await findPackages(ports, suite!, { component: 'main', architecture: 'amd64' }, NAMES);
});
after(() => rm(folder, { recursive: true }));

const blobs = () => makeFileBlobs(join(folder, 'blobs'));

function gather(codename: string): Promise<DebianEvidence> {
  const debian = makeDebian({ fetch, blobs: blobs(), scanLayer: makeScanLayer(), sources, cacheDir: join(folder, 'cache') });
  const packages = current.map(({ name, version, architecture }) => ({
    name,
    version,
    architecture,
    source: name,
    sourceVersion: version,
    state: 'installed',
  }));
  return debian.gather({ packages, osRelease: { ID: 'debian', VERSION_CODENAME: codename }, architecture: 'amd64' });
}

test('the archive of Debian 12 says what dpkg-deb says', async () => {
  assert.deepEqual(new Set(current.map(({ name }) => name)), NAMES);
  const evidence = await gather('bookworm');
  assert.deepEqual(evidence.archives.map(({ codename }) => codename), ['bookworm', 'bookworm-security', 'bookworm-updates']); // prettier-ignore
  for (const { name, status, chain } of evidence.packages) {
    assert.equal(status, 'verified', name);
    const contents = JSON.parse((await blobs().read(chain!.contents)).toString()) as DebContents;
    const file = join(folder, 'judged.deb');
    await writeFile(file, await blobs().read(chain!.deb));
    // mode, owner, then name and link as `dpkg-deb --contents` prints them
    const listed = spawnSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar --list --verbose --numeric-owner --quoting-style=literal', file], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8', PATH: process.env['PATH'] } }); // prettier-ignore
    const theirs = listed.stdout.trimEnd().split('\n').map((line) => /^(\S)(\S{9}) (\d+)\/(\d+)\s+(\d+) \S+ \S+ \.(.*?)\/?(?: -> (.*)| link to \.(.*))?$/.exec(line)!); // prettier-ignore
    assert.equal(contents.entries.length, theirs.length, name);
    const byPath = new Map(contents.entries.map((entry) => [bytesFromText(entry.path).toString(), entry]));
    for (const [, type, mode, uid, gid, size, path, target] of theirs) {
      const entry = byPath.get(path === '' ? '/' : path!);
      assert.ok(entry, `${name}: ${path}`);
      assert.equal(entry.target, target, path);
      assert.deepEqual([entry.uid, entry.gid], [Number(uid), Number(gid)], path);
      if (type !== 'l') assert.equal(entry.mode, modeOf(mode!), path);
      if (type === '-') assert.equal(entry.size, Number(size), path);
    }
    const tree = join(folder, 'tree');
    assert.equal(spawnSync('dpkg-deb', ['--extract', file, tree]).status, 0);
    for (const entry of contents.entries)
      if (entry.kind === 'file') assert.equal(entry.digest, digestOf(await readFile(Buffer.concat([Buffer.from(tree), bytesFromText(entry.path)]))), entry.path); // prettier-ignore
    await rm(tree, { recursive: true });
    const postinst = spawnSync('dpkg-deb', ['--info', file, 'postinst'], { encoding: 'buffer' });
    if (contents.controlFiles['postinst'] !== undefined) assert.equal(contents.controlFiles['postinst'].digest, digestOf(postinst.stdout));
  }
});

test('gpgv accepts what was accepted', async () => {
  for (const [name, keyrings] of [
    ['debian_bookworm', ['bookworm-automatic', 'bookworm-stable']],
    ['debian-security_bookworm-security', ['bookworm-security-automatic']],
  ] as const) {
    // prettier-ignore
    const { text } = JSON.parse(await readFile(join(folder, `cache/suites/${name}.json`), 'utf8')) as { text: string };
    const file = join(folder, 'InRelease');
    await writeFile(file, text, 'latin1');
    const options = keyrings.flatMap((keyring) => ['--keyring', `/usr/share/keyrings/debian-archive-${keyring}.gpg`]);
    const { stderr } = spawnSync('gpgv', [...options, file], { encoding: 'utf8', env: { LC_ALL: 'C', PATH: process.env['PATH'] } });
    assert.match(stderr, /Good signature/);
  }
});

test('everything at hand is used in less than a second', async () => {
  const started = performance.now();
  const evidence = await gather('bookworm');
  assert.ok(performance.now() - started < 1000);
  assert.ok(evidence.packages.every(({ status }) => status === 'verified'));
});

test('packages of Debian 12 are no packages of Debian 13', async () => {
  const evidence = await gather('trixie');
  assert.deepEqual(evidence.archives.map(({ codename }) => codename), ['trixie', 'trixie-security', 'trixie-updates']); // prettier-ignore
  assert.equal(evidence.packages.find(({ name }) => name === 'base-files')?.status, 'unverified-version');
  const signers = evidence.archives.flatMap((one) => one.signers).map((fingerprint) => fingerprint.slice(-16));
  assert.ok(signers.includes('762F67A0B2C39DE4') && signers.includes('78DBA3BC47EF2265'), signers.join());
});

function modeOf(text: string): number {
  let mode = 0;
  for (let i = 0; i < 9; i++) if (!'-ST'.includes(text[i]!)) mode |= 0o400 >> i;
  if (/[sS]/.test(text[2]!)) mode |= 0o4000;
  if (/[sS]/.test(text[5]!)) mode |= 0o2000;
  if (/[tT]/.test(text[8]!)) mode |= 0o1000;
  return mode;
}
