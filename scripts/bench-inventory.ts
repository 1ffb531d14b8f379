/**
 * Two images are pulled, hashed and compared, beside `gzip -dc | sha256sum` over the same blobs, turn by turn. The images are
 * made of files of this machine: about 450 MB in four layers, the second image with other times and some other files. Ends
 * with an error where a target is missed.
 *
 *     scripts/bench inventory [MEGABYTES]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFileBlobs } from '../src/adapters/blobs/file.ts';
import { makeScanLayer } from '../src/adapters/layers/scan.ts';
import { makeRegistry } from '../src/adapters/registry/registry.ts';
import { getContents, getDocument } from '../src/flow/documents.ts';
import { inventoryOf } from '../src/flow/inventory.ts';
import { type Digest, digestOf } from '../src/model/digest.ts';
import type { Inventory } from '../src/model/inventory.ts';
import { imageSide } from '../src/steps/case.ts';
import { compare } from '../src/steps/compare.ts';
import { makeScratchBlob, type ScratchBlob } from '../test/support/scratch-blob.ts';
import { pushManifest } from '../test/support/push.ts';
import { startRegistry } from '../test/support/registry.ts';

const ROUNDS = 3;
/** As most images have: a base, packages, dependencies, the application. */
const LAYERS = 4;
/** Times the speed of the pipe. */
const SPEED_TARGET = 1;
/** MB of resident memory, whatever the image's size. */
const MEMORY_TARGET = 300;
const MB = 1e6;
/** V8 lets young garbage pile up to its heart's content where memory is plenty; a worker reads layers as fast with less. */
const NODE_OPTIONS = ['--max-semi-space-size=8'];

type Measured = { seconds: number; peak: number; entries: number; differences: number };

/** What the child process does: nothing but the work, so that its memory is that of the work. */
async function measure(host: string, folder: string): Promise<Measured> {
  const blobs = makeFileBlobs(folder);
  const registry = makeRegistry({ fetch, insecure: [host] });
  const ports = { scanLayer: makeScanLayer(), blobs };
  const begun = performance.now();
  const sides = [];
  for (const tag of ['published', 'rebuilt']) {
    const reference = `${host}/bench:${tag}`;
    const image = await registry.resolve(reference);
    const inventory = await getDocument<Inventory>(blobs, await inventoryOf(ports, image, (layer) => registry.openBlob(reference, layer)));
    sides.push(imageSide(inventory, await getContents(blobs, inventory.contents)));
  }
  const [published, rebuilt] = sides;
  if (published === undefined || rebuilt === undefined) throw new Error('two images are needed');
  const differences = compare(published, rebuilt).length;
  const seconds = (performance.now() - begun) / 1000;
  // Not getrusage(2): its figure begins with what the parent held when it forked. VmHWM is in KiB.
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  const peak = (Number(kibibytes) * 1024) / MB;
  return { seconds, peak, entries: published.inventory.entries.length, differences };
}

/** Files for the layers, up to so many bytes in all and about equally many in each: programs, libraries, what they share. */
async function chooseFiles(bytes: number): Promise<string[][]> {
  const places = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/share', '/usr/include', '/usr/libexec'];
  const found = execFileSync('find', [...places, '-xdev', '-type', 'f', '-size', '-20M', '-printf', '%s %p\\n'], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const layers: string[][] = Array.from({ length: LAYERS }, () => []);
  let total = 0;
  for (const line of found.toString().split('\n')) {
    const space = line.indexOf(' ');
    const size = Number(line.slice(0, space));
    if (line === '' || total + size > bytes) continue;
    total += size;
    layers[Math.min(Math.floor((total / bytes) * LAYERS), LAYERS - 1)]?.push(line.slice(space + 1));
  }
  return layers;
}

async function makeImages(folder: string, megabytes: number): Promise<{ tag: string; layers: ScratchBlob[]; bytes: number }[]> {
  const layersOf = await chooseFiles(megabytes * MB);
  const images = [];
  for (const [tag, time] of [
    ['published', 1_700_000_000],
    ['rebuilt', 1_700_000_001],
  ] as const) {
    const layers = [];
    for (const [index, files] of layersOf.entries()) {
      const list = join(folder, `${tag}-${index}.list`);
      // Every 500th file is missing from the second image: something to compare.
      await writeFile(list, files.filter((_file, at) => tag === 'published' || at % 500 !== 0).join('\n'));
      process.stderr.write(`  making layer ${index} of the ${tag} image\n`);
      layers.push(
        await makeScratchBlob(folder, `${tag}-${index}`, [
          '-C',
          '/',
          '--sort=name',
          `--mtime=@${time}`,
          '--no-recursion',
          '--ignore-failed-read',
          '-T',
          list,
        ]),
      );
    }
    images.push({ tag, layers, bytes: layers.reduce((sum, { uncompressed }) => sum + uncompressed, 0) });
  }
  return images;
}

async function pushImages(host: string, images: Awaited<ReturnType<typeof makeImages>>): Promise<void> {
  for (const { tag, layers } of images) {
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } }),
    );
    await upload(host, digestOf(config), config);
    for (const { file, digest } of layers) await upload(host, digest, createReadStream(file));
    await pushManifest(
      host,
      'bench',
      {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
        layers: layers.map(({ digest, size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size })),
      },
      tag,
    );
  }
}

async function upload(host: string, digest: Digest, body: Buffer | ReturnType<typeof createReadStream>): Promise<void> {
  const start = await fetch(`http://${host}/v2/bench/blobs/uploads/`, { method: 'POST' });
  const url = new URL(start.headers.get('location') ?? '', `http://${host}`);
  url.searchParams.set('digest', digest);
  const init = { method: 'PUT', body, duplex: 'half', headers: { 'content-type': 'application/octet-stream' } };
  const { status } = await fetch(url.href, init as unknown as RequestInit);
  if (status !== 201) throw new Error(`the registry answers ${status}`);
}

function pipe(files: string[]): number {
  const begun = performance.now();
  for (const file of files) {
    const { status } = spawnSync('sh', ['-c', 'gzip -dc "$0" | sha256sum', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) throw new Error('gzip -dc | sha256sum failed');
  }
  return (performance.now() - begun) / 1000;
}

function ours(host: string, folder: string): Measured {
  const text = execFileSync(process.execPath, [...NODE_OPTIONS, import.meta.filename, '--measure', host, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(text.toString()) as Measured;
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function bench(megabytes: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-bench-'));
  const registry = await startRegistry();
  try {
    const images = await makeImages(folder, megabytes);
    await pushImages(registry.host, images);
    const files = images.flatMap(({ layers }) => layers.map(({ file }) => file));
    const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
    const stored = images.flatMap(({ layers }) => layers).reduce((sum, { size }) => sum + size, 0);
    // Both sides find the blobs in the page cache.
    for (const file of files) for await (const part of createReadStream(file)) void part;
    const rounds: { pipe: number; ours: Measured }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      process.stderr.write(`  round ${round + 1} of ${ROUNDS}\n`);
      const store = join(folder, `store-${round}`);
      await mkdir(store);
      rounds.push({ pipe: pipe(files), ours: ours(registry.host, store) });
      await rm(store, { recursive: true });
    }
    return report(rounds, bytes, stored);
  } finally {
    await registry.stop();
    await rm(folder, { recursive: true });
  }
}

function report(rounds: { pipe: number; ours: Measured }[], bytes: number, stored: number): boolean {
  const speed = (seconds: number) => bytes / MB / seconds;
  const row = (...cells: string[]) => console.log(cells.map((cell, index) => (index === 0 ? cell.padEnd(46) : cell.padStart(12))).join(''));
  const ratios = rounds.map((round) => round.pipe / round.ours.seconds);
  const peak = Math.max(...rounds.map((round) => round.ours.peak));
  const [first] = rounds;
  console.log(
    `two images, ${(bytes / MB).toFixed(0)} MB uncompressed, ${(stored / MB).toFixed(0)} MB stored, ` +
      `${first?.ours.entries} paths each, ${first?.ours.differences} differences; medians of ${rounds.length} rounds`,
  );
  row('', 'seconds', 'MB/s');
  for (const [name, seconds] of [
    ['gzip -dc | sha256sum', median(rounds.map((round) => round.pipe))],
    ['pull, verify, hash every file, compare', median(rounds.map((round) => round.ours.seconds))],
  ] as const)
    row(name, seconds.toFixed(2), speed(seconds).toFixed(0));
  const fast = median(ratios) > SPEED_TARGET;
  const small = peak < MEMORY_TARGET;
  row('times as fast as the pipe, in the same round', median(ratios).toFixed(2), fast ? 'ok' : `< ${SPEED_TARGET}`);
  row('peak memory, MB', peak.toFixed(0), small ? 'ok' : `> ${MEMORY_TARGET}`);
  return fast && small;
}

const [first, host = '', folder = ''] = process.argv.slice(2);
if (first === '--measure') console.log(JSON.stringify(await measure(host, folder)));
else if (!(await bench(Number(first ?? 450)))) process.exitCode = 1;
