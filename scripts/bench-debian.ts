/**
 * The evidence for an image of some 300 Debian packages, cold: every .deb fetched from a mirror on loopback, verified, unpacked
 * and hashed member by member, beside `xz -dc` over the same data.tar files with as many processes as there are processors,
 * turn by turn. Then warm: the same image again, and another one on the same base. Ends with an error where a target is missed.
 *
 *     scripts/bench debian
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { makeFileBlobs } from '../src/adapters/blobs/file.ts';
import { makeDebian } from '../src/adapters/debian/debian.ts';
import { makeScanLayer } from '../src/adapters/layers/scan.ts';
import { readAr } from '../src/model/ar.ts';
import { parseStanza } from '../src/model/deb822.ts';
import type { InstalledPackage } from '../src/model/debian.ts';
import { LocalArchive, makeKey, type Deb } from '../test/support/debian-archive.ts';
import { downloadDebs } from '../test/support/real-debs.ts';

/** What services are made of; with what they depend on, some 300 packages. */
const PACKAGES =
  '?essential apt nginx postgresql apache2 libapache2-mod-php default-jre-headless python3-numpy git build-essential nodejs mariadb-server imagemagick'.split(
    ' ',
  );
/** Packages that the second image has and the first has not. */
const MORE = 10;
const ROUNDS = 3;
/** Times the speed of xz alone. */
const SPEED_TARGET = 0.7;
/** Of a cold run: what the same image again may take. */
const WARM_TARGET = 0.05;
/** Of a cold run: what an image with MORE of the packages may take that the first one did not have, some of them large. */
const SECOND_TARGET = 0.2;
const MB = 1e6;
const CACHE = join(import.meta.dirname, '../node_modules/.cache/conforme-bench-debian');

type Order = { address: string; folder: string; keyrings: string; packages: InstalledPackage[] };

/** What the child process does: nothing but the work. Prints its seconds. */
async function gather({ address, folder, keyrings, packages }: Order): Promise<void> {
  const debian = makeDebian({
    fetch,
    blobs: makeFileBlobs(join(folder, 'blobs')),
    scanLayer: makeScanLayer(),
    sources: { archive: [address], security: [] },
    cacheDir: join(folder, 'cache'),
    keyrings,
  });
  const begun = performance.now();
  const evidence = await debian.gather({ packages, osRelease: { ID: 'debian', VERSION_CODENAME: 'bookworm' }, architecture: 'amd64' });
  const seconds = (performance.now() - begun) / 1000;
  const unverified = evidence.packages.filter(({ status }) => status !== 'verified');
  if (unverified.length > 0) throw new Error(`not verified: ${unverified.map(({ name }) => name).join(', ')}`);
  process.stdout.write(String(seconds));
}

async function readDebFile(file: string): Promise<{ deb: Deb; one: InstalledPackage }> {
  const stanza = execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' }).trimEnd();
  const fields = parseStanza(stanza);
  const of = (name: string): string => fields.get(name) ?? '';
  const one = { name: of('package'), version: of('version'), architecture: of('architecture'), state: 'installed' };
  const deb = { name: one.name, architecture: one.architecture, stanza, bytes: await readFile(file), paths: [] };
  return { deb, one: { ...one, source: one.name, sourceVersion: one.version } };
}

/** The data.tar.xz of each .deb, as a file of its own: what the yardstick reads. */
async function dataTars(files: readonly string[], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const tars: string[] = [];
  for (const file of files) {
    for await (const { name, bytes } of readAr(createReadStream(file))) {
      if (name !== 'data.tar.xz') continue;
      const tar = join(folder, `${basename(file)}.xz`);
      await pipeline(bytes, createWriteStream(tar));
      tars.push(tar);
    }
  }
  return tars;
}

function xzAlone(list: string): number {
  const begun = performance.now();
  const { status } = spawnSync('sh', ['-c', `xargs -P ${availableParallelism()} -n 1 xz -dc < '${list}' > /dev/null`]);
  if (status !== 0) throw new Error('xz failed');
  return (performance.now() - begun) / 1000;
}

/** In a process of its own, as the service's evidence worker is; the mirror answers from this one. */
async function inChild(order: Order): Promise<number> {
  const child = spawn(process.execPath, [import.meta.filename, 'gather'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(order));
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (status !== 0) throw new Error('the child process failed');
  return Number(said);
}

async function main(): Promise<boolean> {
  const scratch = await mkdtemp(join(tmpdir(), 'conforme-bench-debian-'));
  const archive = await LocalArchive.start();
  try {
    const files = await downloadDebs(CACHE, PACKAGES);
    const read = await Promise.all(files.map(readDebFile));
    const keys = [await makeKey('bench')];
    const keyrings = join(scratch, 'keyrings');
    await mkdir(keyrings);
    await writeFile(join(keyrings, 'debian-archive-bookworm-automatic.gpg'), keys[0]!.keyring);
    await archive.publish({ debs: read.map(({ deb }) => deb), keys, date: new Date(Date.now() - 60_000) });

    const tars = await dataTars(files, join(scratch, 'tars'));
    const list = join(scratch, 'list');
    await writeFile(list, tars.map((tar) => `${tar}\n`).join(''));
    const packed = tars.map((tar) => stat(tar));
    const size = (await Promise.all(packed)).reduce((total, one) => total + one.size, 0);
    console.log(`${files.length} packages, ${Math.round(size / MB)} MB of data.tar.xz`);

    const all = read.map(({ one }) => one);
    const first = all.slice(0, -MORE);
    const order = (folder: string, packages: InstalledPackage[]): Order => ({ address: archive.address, folder, keyrings, packages });
    const rounds: { xz: number; cold: number; warm: number; second: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(scratch, `round-${round}`);
      const xz = xzAlone(list);
      const cold = await inChild(order(folder, all));
      const warm = await inChild(order(folder, all));
      const base = join(scratch, `base-${round}`);
      await inChild(order(base, first));
      const second = await inChild(order(base, all));
      rounds.push({ xz, cold, warm, second });
      const show = (seconds: number): string => seconds.toFixed(2).padStart(6);
      console.log(
        `xz alone ${show(xz)} s   cold ${show(cold)} s   the same image again ${show(warm)} s   ${MORE} packages more ${show(second)} s`,
      );
      await Promise.all([folder, base].map((one) => rm(one, { recursive: true, force: true })));
    }
    return judge(rounds);
  } finally {
    await archive.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

function judge(rounds: readonly { xz: number; cold: number; warm: number; second: number }[]): boolean {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const speed = median(rounds.map(({ xz, cold }) => xz / cold));
  const warm = median(rounds.map((one) => one.warm / one.cold));
  const second = median(rounds.map((one) => one.second / one.cold));
  const tell = (what: string, value: number, met: boolean, target: string): boolean => {
    console.log(`${what}: ${value.toFixed(2)} (target ${target}) ${met ? 'ok' : 'MISSED'}`);
    return met;
  };
  const results = [
    tell('cold, times the speed of xz alone', speed, speed >= SPEED_TARGET, `at least ${SPEED_TARGET}`),
    tell('the same image again, of the cold run', warm, warm <= WARM_TARGET, `at most ${WARM_TARGET}`),
    tell('another image on the same base, of the cold run', second, second <= SECOND_TARGET, `at most ${SECOND_TARGET}`),
  ];
  return results.every(Boolean);
}

if (process.argv[2] === 'gather') await gather(JSON.parse(await text(process.stdin)) as Order);
else if (!(await main())) process.exitCode = 1;
