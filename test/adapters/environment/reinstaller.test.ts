import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { extract } from 'tar-stream';
import { makeReinstaller } from '../../../src/adapters/environment/reinstaller.ts';
import type { Reinstaller } from '../../../src/ports.ts';
import { ids, LIMITS, sha256, temporaryFolder } from './support.ts';

const run = promisify(execFile);
type Package = Parameters<Reinstaller>[0]['packages'][number];

/** What makes the links into /usr; usr-is-merged stands in its place where something else did. */
const USRMERGE = 'usrmerge';

/** The essential packages of this machine's own Debian, and one with alternatives and accounts, from its own apt sources. */
async function downloadPackages(folder: string): Promise<Package[]> {
  const debs = join(folder, 'archives');
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  await mkdir(join(debs, 'partial'), { recursive: true });
  const options = [
    `Dir::State::Lists=${folder}/lists`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${debs}`,
    'Dir::State::status=/dev/null',
    'APT::Sandbox::User=',
    'Debug::NoLocking=1',
  ];
  const apt = options.flatMap((option) => ['-o', option]);
  // No other sources than Debian's: a third party's may be out of reach, and has nothing essential.
  const sources = ['-o', 'Dir::Etc::SourceList=/etc/apt/sources.list.d/debian.sources', '-o', 'Dir::Etc::SourceParts=/dev/null'];
  const own = (await readFile('/etc/apt/sources.list.d/debian.sources', 'utf8').catch(() => '')) === '' ? [] : sources;
  await run('apt-get', ['-qq', ...apt, ...own, 'update']);
  await run('apt-get', [
    '-qq',
    '-y',
    '--no-install-recommends',
    '--download-only',
    ...apt,
    ...own,
    'install',
    '?essential',
    'adduser',
    'less',
  ]);
  await run('apt-get', ['-qq', ...apt, ...own, 'download', 'usr-is-merged'], { cwd: debs });
  const names = (await readdir(debs)).filter((name) => name.endsWith('.deb'));
  return Promise.all(
    names.map(async (file): Promise<Package> => {
      const { stdout } = await run('dpkg-deb', ['--field', join(debs, file), 'Package', 'Version', 'Architecture']);
      const [name = '', version = '', architecture = ''] = stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^\S+: /, ''));
      return {
        name,
        version,
        architecture,
        deb: sha256(await readFile(join(debs, file))),
        open: async () => createReadStream(join(debs, file)),
      };
    }),
  );
}

describe('the reinstaller', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let jobs: string;
  let packages: Package[] = [];
  let isMerged: Package;
  let reinstall: Reinstaller;
  before(async () => {
    folder = await temporaryFolder();
    jobs = join(folder.path, 'jobs');
    const all = await downloadPackages(folder.path);
    isMerged = all.find(({ name }) => name === 'usr-is-merged')!;
    packages = all.filter((one) => one !== isMerged);
    reinstall = makeReinstaller({
      folder: jobs,
      ids,
      limits: { ...LIMITS, memoryBytes: 1024 ** 3, diskBytes: 2 * 1024 ** 3, processes: 500 },
    });
  });
  after(() => folder[Symbol.asyncDispose]());

  const installed = async (set: Package[]) => {
    const log: string[] = [];
    const { outcome, done } = await reinstall({ id: 'test', packages: set, onLog: (line) => log.push(line) });
    assert.equal(outcome.status, 'installed', log.join('\n'));
    const found = new Map<string, { type: string; uid: number; link: string; body: string }>();
    for await (const entry of outcome.tar.pipe(extract())) {
      const { name, type, uid, linkname } = entry.header;
      const wanted = /^\.\/(etc\/(passwd|shadow|apt\/sources\.list)|var\/lib\/dpkg\/status)$/.test(name);
      let body = '';
      for await (const chunk of entry) if (wanted) body += String(chunk);
      found.set(name.replace(/\/$/, ''), { type: type ?? '', uid: uid ?? 0, link: linkname ?? '', body });
    }
    await done();
    assert.deepEqual(await readdir(jobs), []);
    return found;
  };

  it('makes what maintainer scripts and triggers make', async () => {
    const found = await installed(packages);
    assert.match(found.get('./etc/passwd')?.body ?? '', /^root:x:0:0:/m);
    assert.equal(found.get('./etc/alternatives/pager')?.link, '/usr/bin/less');
    assert.ok(found.has('./etc/ld.so.cache'));
    assert.equal(found.get('./bin')?.link, 'usr/bin');
    assert.equal(found.has('./etc/apt/sources.list'), false);
    const status = found.get('./var/lib/dpkg/status')?.body ?? '';
    assert.equal(status.match(/^Status: install ok installed$/gm)?.length, packages.length);
  });

  it('merges /usr as debootstrap does where the packages expect it to be done', async () => {
    const found = await installed([...packages.filter(({ name }) => name !== USRMERGE), isMerged]);
    for (const name of ['bin', 'sbin', 'lib']) assert.equal(found.get(`./${name}`)?.link, `usr/${name}`);
    assert.match(found.get('./var/lib/dpkg/status')?.body ?? '', /^Package: usr-is-merged$/m);
  });

  it('says so where packages cannot be installed together', async () => {
    const { outcome, done } = await reinstall({
      id: 'test',
      packages: packages.filter(({ name }) => name !== 'libc6'),
      onLog: () => undefined,
    });
    await done();
    assert.equal(outcome.status, 'failed');
    assert.ok(outcome.lastLog.length > 0);
    const odd = await reinstall({
      id: 'test',
      packages: [{ ...packages[0]!, name: 'x -o Dpkg::Options::=--force-all' }],
      onLog: () => undefined,
    });
    assert.equal(odd.outcome.status, 'failed');
    assert.deepEqual(await readdir(jobs), []);
  });
});
