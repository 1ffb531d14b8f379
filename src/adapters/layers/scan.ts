import { createHash, hash } from 'node:crypto';
import { type Digest, digestFromHex } from '../../model/digest.ts';
import { type AnomalyList, makeAnomalyList } from '../../model/anomalies.ts';
import type { FileFacts, LayerScan, TarEntry } from '../../model/inventory.ts';
import { layerCompression } from '../../model/media-types.ts';
import { makeTarReader, type TarHandler, TarLimitError, type TarLimits, type TarMember } from '../../model/tar.ts';
import { whiteoutOf } from '../../model/tar-name.ts';
import type { ScanLayer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { CompressionFault, gunzip } from './gzip.ts';
import { makeUnpack, type Unpacker } from './lz4.ts';
import { HEAD_BYTES, interpreterOf, MAGIC_BYTES, magicOf } from './magic.ts';
import { isManifest, recogniseElf, recogniseManifest, type Recogniser } from './recognise.ts';
import { makeUndate, type Undater } from './undated.ts';
import { makeScavenger } from './scavenge.ts';
import { type ByteSource, makeByteSource } from './source.ts';
import { type Tail, tailFor } from './tail.ts';
import { unzstd } from './zstd.ts';

export type ScanLimits = {
  /** Bytes of one uncompressed layer. */
  uncompressed: number;
  /** Uncompressed over compressed bytes, once `ratioFrom` bytes came out: beyond it, a layer is made to exhaust its reader. */
  ratio: number;
  ratioFrom: number;
  /** Bytes of all contents that are kept of one layer. */
  contents: number;
  tar?: TarLimits;
};
/** The largest images that people publish (models, SDKs) have layers of some 10 GB that compress to a third or less. */
export const SCAN_LIMITS: ScanLimits = { uncompressed: 2 ** 35, ratio: 200, ratioFrom: 2 ** 30, contents: 2 ** 27 };

export function makeScanLayer(limits: ScanLimits = SCAN_LIMITS): ScanLayer {
  return async (bytes, layer, wants) => {
    const undigested = layer.undigested === true;
    const stored = createHash('sha256');
    let size = 0;
    const source = makeByteSource(bytes, (piece) => {
      if (!undigested) stored.update(piece);
      size += piece.length;
    });
    const anomalies = makeAnomalyList();
    const files = collectFiles(wants, anomalies, limits.contents, layer.recognise === true);
    const reader = makeTarReader(files, limits.tar);
    const unpacked = createHash('sha256');
    const scavenge = makeScavenger();
    let uncompressedSize = 0;
    try {
      const { compression, pieces } = await decompressed(source, layer.mediaType, anomalies);
      for await (const piece of pieces) {
        if (compression !== 'none') unpacked.update(piece);
        uncompressedSize += piece.length;
        if (!undigested) scavenge(piece.length); // who spares the digest lends the same buffers over and over
        if (uncompressedSize > limits.uncompressed) throw new TarLimitError(`more than ${limits.uncompressed} bytes uncompressed`);
        if (uncompressedSize > limits.ratioFrom && uncompressedSize > size * limits.ratio)
          throw new TarLimitError(`more than ${limits.ratio} times its compressed size`);
        reader.write(piece);
      }
      reader.end();
      await readTrailing(source, anomalies);
      const digest = digestFromHex(stored.digest('hex'));
      checkStored(layer, digest, size);
      const diffId = compression === 'none' ? digest : digestFromHex(unpacked.digest('hex'));
      return {
        scan: { digest, diffId, size, uncompressedSize, entries: files.entries, anomalies: anomalies.list() } satisfies LayerScan,
        contents: files.contents,
      };
    } catch (error) {
      source.close();
      throw problemOf(error, layer.digest);
    }
  };
}

/** containerd goes by the first bytes, whatever the media type says. */
async function decompressed(source: ByteSource, mediaType: string, anomalies: AnomalyList) {
  const head = await source.take(4);
  source.putBack(head);
  const magic = head.length < 4 ? 0 : head.readUInt32LE(0);
  const compression =
    head.length >= 2 && head.readUInt16LE(0) === 0x8b1f ? 'gzip' : magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5 ? 'zstd' : 'none';
  const stated = layerCompression(mediaType);
  if (stated !== undefined && stated !== compression)
    anomalies.add({ code: 'conflicting-header', detail: `the media type says compression ${stated}, the bytes ${compression}` });
  const pieces = compression === 'gzip' ? gunzip(source) : compression === 'zstd' ? unzstd(source) : plain(source);
  return { compression, pieces };
}

async function* plain(source: ByteSource): AsyncGenerator<Buffer> {
  for (let piece = await source.next(); piece !== undefined; piece = await source.next()) yield piece;
}

async function readTrailing(source: ByteSource, anomalies: AnomalyList): Promise<void> {
  let trailing = 0;
  for await (const piece of plain(source)) trailing += piece.length;
  if (trailing > 0) anomalies.add({ code: 'trailing-compressed-data', detail: `${trailing} bytes behind the compressed stream` });
}

function checkStored(layer: Parameters<ScanLayer>[1], digest: Digest, size: number): void {
  if (layer.size !== undefined && layer.size !== size)
    throw new Problem('image-malformed', `a layer has ${size} bytes, not the ${layer.size} of its descriptor`);
  if (layer.digest !== undefined && layer.digest !== digest)
    throw new Problem('image-malformed', `a layer has the digest ${digest}, not ${layer.digest} as its descriptor`);
}

function problemOf(error: unknown, digest: Digest | undefined): unknown {
  const layer = digest === undefined ? 'the layer' : `layer ${digest}`;
  if (error instanceof TarLimitError) return new Problem('limit-exceeded', `${layer}: ${error.message}`, { cause: error });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof CompressionFault || (typeof code === 'string' && /^(Z_|ZSTD_error_)/.test(code)))
    return new Problem('image-malformed', `${layer} does not decompress: ${(error as Error).message}`, { cause: error });
  return error;
}

const EMPTY = digestFromHex(hash('sha256', ''));

/** Makes entries of members; hashes and sniffs regular files as their contents pass. */
function collectFiles(
  wants: (path: string, size: number) => boolean,
  anomalies: AnomalyList,
  contentsMax: number,
  recognise: boolean,
): TarHandler & { entries: TarEntry[]; contents: Map<Digest, Uint8Array> } {
  const entries: TarEntry[] = [];
  const contents = new Map<Digest, Uint8Array>();
  let kept = 0;
  let file: FileFacts & { path: string } = undefined as never;
  /** The file is no file of the image: a whiteout's contents are nobody's. */
  let ignored = false;
  let wanted = false;
  let parts: Buffer[] = [];
  let hashing: ReturnType<typeof createHash> | undefined;
  let digest: Digest = EMPTY;
  let head: Buffer = Buffer.alloc(0);
  let recogniser: Recogniser | undefined;
  const undate = makeUndate();
  let undater: Undater | undefined;
  const unpack = makeUnpack();
  let unpacker: Unpacker | undefined;
  let tail: Tail | undefined;

  function asWhiteout({ path, kind, size }: TarMember): TarEntry | 'dropped' | undefined {
    const marker = whiteoutOf(path);
    if (marker === undefined) return undefined;
    const odd = (detail: string) => anomalies.add({ code: 'reserved-whiteout', path, detail });
    if (marker === 'invalid') odd('a whiteout of no name, which containerd refuses');
    else if (marker === 'reserved') odd('a name that aufs keeps to itself');
    else if (kind === 'file' && size > 0) odd(`a whiteout with ${size} bytes of contents`);
    return marker === 'invalid' || marker === 'reserved' ? 'dropped' : marker;
  }

  /** `before`: the bytes of the file that came before these, while they are fewer than say what it is. */
  function recogniseIn(bytes: Uint8Array, before: Buffer): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (recogniser === undefined && before.length < MAGIC_BYTES && magicOf(head) === 'elf') {
      recogniser = recogniseElf();
      recogniser.data(before);
    }
    recogniser?.data(piece);
  }

  return {
    entries,
    contents,
    anomaly: anomalies.add,
    member(member) {
      const marker = asWhiteout(member);
      ignored = marker !== undefined;
      if (marker === 'dropped') return;
      if (marker !== undefined) return void entries.push(marker);
      const { kind, ...facts } = member;
      if (kind === 'hardlink') {
        const { path, target = '/', size: _none, ...inode } = facts;
        return void entries.push({ path, kind, target, inode });
      }
      file = { ...facts, kind };
      if (kind !== 'file') return void entries.push(file);
      wanted = wants(file.path, file.size);
      if (wanted && (kept += file.size) > contentsMax) throw new TarLimitError(`more than ${contentsMax} bytes of contents to look into`);
      parts = [];
      hashing = undefined;
      digest = EMPTY;
      head = Buffer.alloc(0);
      recogniser = recognise && isManifest(file.path, file.size) ? recogniseManifest() : undefined;
      undater = recognise ? undate(file.path, file.size) : undefined;
      unpacker = recognise ? unpack(file.path) : undefined;
      tail = recognise ? tailFor(file.path) : undefined;
    },
    data(bytes) {
      if (ignored) return;
      const before = head;
      if (head.length < HEAD_BYTES && head.length < file.size) head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)]);
      if (recognise) recogniseIn(bytes, before);
      undater?.data(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      unpacker?.data(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      tail?.data(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      if (wanted) parts.push(Buffer.from(bytes));
      if (bytes.length === file.size) digest = digestFromHex(hash('sha256', bytes));
      else (hashing ??= createHash('sha256')).update(bytes);
    },
    close() {
      if (ignored) return;
      if (hashing !== undefined) digest = digestFromHex(hashing.digest('hex'));
      file.digest = digest;
      const magic = magicOf(head);
      if (magic !== undefined) file.magic = magic;
      const interpreter = magic === 'script' ? interpreterOf(head) : undefined;
      if (interpreter !== undefined) file.interpreter = interpreter;
      const claims = recogniser?.end() ?? [];
      if (claims.length > 0) file.claims = claims;
      const undated = undater?.end();
      if (undated !== undefined) file.undated = undated;
      const unpacked = unpacker?.end();
      if (unpacked !== undefined) file.unpacked = unpacked;
      if (tail !== undefined) file.tail = tail.end();
      if (wanted) contents.set(digest, Buffer.concat(parts));
      entries.push(file);
    },
  };
}
