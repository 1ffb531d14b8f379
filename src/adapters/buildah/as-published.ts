/**
 * Takes the marks of this environment out of what buildah made here. Run by build.sh inside of the clean environment, on files that steps of a
 * Dockerfile could influence: it imports nothing, so that it is all there is to mount.
 *
 * as-published.ts without-notes IMAGE STORE    exits with 10 where IMAGE, uncompressed in the `dir:` form, was written anew
 * as-published.ts base-blobs IMAGE BASE        puts the base's own blobs in place of its layers as buildah compressed them anew
 */
import { createHash } from 'node:crypto';
import { constants, copyFile, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

type Descriptor = { mediaType: string; digest: string; size: number };
type Manifest = { config: Descriptor; layers: Descriptor[]; annotations?: Record<string, string> };

const REWRITTEN = 10;
const BLOCK = 512;
/** Extended headers hold names and attributes; no kernel takes attributes of more than 64 KiB. */
const PAX_BYTES_MAX = 1024 * 1024;
/** What a rootless overlay notes about a file that it copied up. https://docs.kernel.org/filesystems/overlayfs.html */
const NOTES = /^SCHILY\.xattr\.user\.overlay\.(?:origin|impure)$/;

const hex = (digest: string): string => digest.replace(/^sha256:/, '').replace(/[^0-9a-f]/g, '');
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** As Go's encoding/json writes it. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
const readManifest = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest;

/**
 * An overlay that is mounted without privileges writes its notes as attributes `user.*`, which buildah takes for the image's. A publisher's, as root, has
 * none. The ids of images that a step of the build left follow from its layers, and stand in the history of the next.
 */
async function withoutNotes(image: string, store: string): Promise<number> {
  const manifest = await readManifest(image);
  const renamed = new Map<string, string>();
  const sizes = new Map<string, number>();
  for (const id of new Set(manifest.layers.map(({ digest }) => hex(digest)))) {
    const rewritten = await rewriteTar(join(image, id), join(image, 'rewritten'));
    if (rewritten.digest === id) continue;
    renamed.set(id, rewritten.digest);
    sizes.set(rewritten.digest, rewritten.size);
    await rename(join(image, 'rewritten'), join(image, rewritten.digest));
    await rm(join(image, id));
  }
  await rm(join(image, 'rewritten'), { force: true });
  if (renamed.size === 0) return 0;

  const last = hex(manifest.config.digest);
  const own = { id: last, config: await readFile(join(image, last), 'utf8'), manifest };
  const steps: Step[] = [...(await stepsIn(store)).filter(({ id }) => id !== last), own];
  for (const step of steps) {
    const before = step.config;
    for (const [from, to] of renamed)
      step.config = step.config.replaceAll(from, to).replaceAll(`"FROM ${from.slice(0, 12)}"`, `"FROM ${to.slice(0, 12)}"`);
    if (step.config !== before) renamed.set(step.id, sha256(step.config));
    sizes.set(sha256(step.config), Buffer.byteLength(step.config));
    const written = sha256(goJson(step.manifest));
    step.manifest = renameIn(step.manifest, renamed, sizes);
    const now = sha256(goJson(step.manifest));
    if (now !== written) renamed.set(written, now);
  }
  await rm(join(image, last));
  await writeFile(join(image, sha256(own.config)), own.config);
  await writeFile(join(image, 'manifest.json'), goJson(own.manifest));
  return REWRITTEN;
}

/** What a step of the build left, as its configuration and its manifest say: the next one names the digests of both. */
type Step = { id: string; config: string; manifest: Manifest };

/** In the order in which they can follow from each other. */
async function stepsIn(store: string): Promise<Step[]> {
  const steps: Step[] = [];
  for (const { id } of JSON.parse(await readFile(join(store, 'images.json'), 'utf8')) as { id: string }[]) {
    const folder = join(store, hex(id));
    const config = await readFile(join(folder, `=${Buffer.from(`sha256:${hex(id)}`).toString('base64')}`), 'utf8').catch(() => undefined);
    const manifest = await readFile(join(folder, 'manifest'), 'utf8').catch(() => undefined);
    if (config !== undefined && manifest !== undefined) steps.push({ id, config, manifest: JSON.parse(manifest) as Manifest });
  }
  const long = ({ config }: Step): number => (JSON.parse(config) as { history?: unknown[] }).history?.length ?? 0;
  return steps.sort((a, b) => long(a) - long(b));
}

const BASE_DIGEST = 'org.opencontainers.image.base.digest';

function renameIn(manifest: Manifest, renamed: ReadonlyMap<string, string>, sizes: ReadonlyMap<string, number>): Manifest {
  const now = (digest: string): string => `sha256:${renamed.get(hex(digest)) ?? hex(digest)}`;
  const resize = <T extends Descriptor>(one: T): T =>
    renamed.has(hex(one.digest)) ? { ...one, digest: now(one.digest), size: sizes.get(hex(now(one.digest))) ?? one.size } : one;
  const { annotations } = manifest;
  const base = annotations?.[BASE_DIGEST];
  return {
    ...manifest,
    config: resize(manifest.config),
    layers: manifest.layers.map(resize),
    ...(base === undefined ? {} : { annotations: { ...annotations, [BASE_DIGEST]: now(base) } }),
  };
}

/** Copies a tar without the notes; everything else stays byte for byte. */
async function rewriteTar(from: string, to: string): Promise<{ digest: string; size: number }> {
  const input = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  const output = await open(to, 'w');
  const digest = createHash('sha256');
  let size = 0;
  const write = async (bytes: Buffer): Promise<void> => {
    digest.update(bytes);
    size += bytes.length;
    await output.writeFile(bytes);
  };
  const source = input.createReadStream({ highWaterMark: 1024 * 1024 }).iterator() as AsyncIterableIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  /** Less than asked for at the end alone. */
  const take = async (count: number): Promise<Buffer> => {
    while (rest.length < count) {
      const next = await source.next();
      if (next.done === true) break;
      rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(taken.length);
    return taken;
  };
  const copy = async (count: number): Promise<void> => {
    for (let left = count; left > 0;) {
      const part = await take(Math.min(left, 1024 * 1024));
      if (part.length === 0) return;
      left -= part.length;
      await write(part);
    }
  };
  let paxSize: number | undefined;
  for (;;) {
    const header = await take(BLOCK);
    if (header.length === 0) break;
    const length = numberOf(header.subarray(124, 136));
    if (header[156] === 0x78 && length <= PAX_BYTES_MAX) {
      const body = (await take(padded(length))).subarray(0, length);
      const records = recordsOf(body);
      const kept = Buffer.concat(records.filter(({ key }) => !NOTES.test(key)).map(({ bytes }) => bytes));
      const stated = records.find(({ key }) => key === 'size')?.value;
      paxSize = stated === undefined ? undefined : Number(stated);
      if (kept.length > 0)
        await write(Buffer.concat([resized(header, kept.length), kept, Buffer.alloc(padded(kept.length) - kept.length)]));
      continue;
    }
    await write(header);
    await copy(padded(paxSize ?? length));
    paxSize = undefined;
  }
  await input.close();
  await output.close();
  return { digest: digest.digest('hex'), size };
}

const padded = (length: number): number => Math.ceil(length / BLOCK) * BLOCK;

/** Octal, or what GNU's base 256 has for large numbers. */
function numberOf(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(BigInt(`0x${field.toString('hex')}`) & ((1n << 63n) - 1n));
  return Number.parseInt(field.toString('latin1').replace(/[\0 ]+$/, '') || '0', 8);
}

/** `length key=value\n`: POSIX.1-2017, pax, "pax Extended Header". */
function recordsOf(body: Buffer): { key: string; value: string; bytes: Buffer }[] {
  const records = [];
  for (let at = 0; at < body.length;) {
    const length = Number.parseInt(body.toString('latin1', at, body.indexOf(0x20, at)), 10);
    if (!(length > 0)) break;
    const bytes = body.subarray(at, at + length);
    const [, key = '', value = ''] = /^\d+ ([^=]*)=([^]*)\n$/.exec(bytes.toString('latin1')) ?? [];
    records.push({ key, value, bytes });
    at += length;
  }
  return records;
}

function resized(header: Buffer, size: number): Buffer {
  const block = Buffer.from(header);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  block.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A push to a registry that has the base's blobs leaves them as they are; one to a folder compresses them again. */
async function baseBlobs(image: string, base: string): Promise<number> {
  const manifest = await readManifest(image);
  const diffIds = await diffIdsOf(image, manifest);
  const beneath = await readManifest(base);
  const baseDiffIds = await diffIdsOf(base, beneath);
  for (const [index, blob] of beneath.layers.entries()) {
    const layer = manifest.layers[index];
    if (layer === undefined || layer.digest === blob.digest || diffIds[index] !== baseDiffIds[index]) continue;
    if (!layer.mediaType.endsWith('gzip') || !blob.mediaType.endsWith('gzip')) continue;
    await copyFile(join(base, hex(blob.digest)), join(image, hex(blob.digest)));
    layer.digest = blob.digest;
    layer.size = blob.size;
  }
  await writeFile(join(image, 'manifest.json'), goJson(manifest));
  return 0;
}

async function diffIdsOf(image: string, { config }: Manifest): Promise<string[]> {
  const text = await readFile(join(image, hex(config.digest)), 'utf8');
  return (JSON.parse(text) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}

const [, , what = '', image = '', other = ''] = process.argv;
process.exitCode = await (what === 'base-blobs' ? baseBlobs(image, other) : withoutNotes(image, other));
