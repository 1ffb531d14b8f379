import { createGunzip } from 'node:zlib';
import { makeTarReader, TAR_LIMITS, TarLimitError } from '../src/model/tar.ts';
import { Problem } from '../src/problem.ts';

/** Bytes: more than any build context that is code, and what a worker has to be able to unpack. */
const UNPACKED_MAX = 4 * 1024 ** 3;
const GZIP_MAGIC = 0x1f8b;

type Check = { write(chunk: Uint8Array): Promise<void>; end(): Promise<void>; stop(): void };

/**
 * Passes the bytes of an uploaded build context on and reads along. Throws `invalid-context`, at the latest before the stream
 * ends, where they are no tar nor the gzip of one, or a tar that two readers could read differently. Keeps nothing in memory.
 */
export async function* checkedTar(source: AsyncIterable<Uint8Array>, unpackedMax = UNPACKED_MAX): AsyncGenerator<Uint8Array> {
  let check: Check | undefined;
  let held: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of source) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      // Two bytes tell gzip from tar, and a tar is never shorter than a block.
      if (check === undefined && held.length < 2) continue;
      check ??= Buffer.from(held.subarray(0, 2)).readUInt16BE() === GZIP_MAGIC ? gzipCheck(tarCheck(unpackedMax)) : tarCheck(unpackedMax);
      await check.write(held);
      yield held;
      held = new Uint8Array();
    }
    if (check === undefined) throw new Problem('invalid-context', 'the body is no tar');
    await check.end();
  } finally {
    check?.stop();
  }
}

function tarCheck(unpackedMax: number): Check {
  let members = 0;
  let unpacked = 0;
  const reader = makeTarReader(
    {
      member: () => void (members += 1),
      data: () => undefined,
      close: () => undefined,
      anomaly({ code, path, detail }) {
        throw new Problem('invalid-context', `${code}${path === undefined ? '' : ` at ${path}`}: ${detail}`);
      },
    },
    TAR_LIMITS,
  );
  const bounded = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      throw thrown instanceof TarLimitError ? new Problem('invalid-context', thrown.message, { cause: thrown }) : thrown;
    }
  };
  return {
    async write(chunk) {
      unpacked += chunk.length;
      if (unpacked > unpackedMax) throw new Problem('invalid-context', `it unpacks to more than ${unpackedMax} bytes`);
      bounded(() => reader.write(chunk));
    },
    async end() {
      bounded(() => reader.end());
      if (members === 0) throw new Problem('invalid-context', 'the tar is empty');
    },
    stop: () => undefined,
  };
}

function gzipCheck(inner: Check): Check {
  const gunzip = createGunzip();
  let failure: Problem | undefined;
  const fail = (thrown: unknown): void => {
    failure ??= thrown instanceof Problem ? thrown : new Problem('invalid-context', 'the gzip stream is broken', { cause: thrown });
    gunzip.destroy();
  };
  // Its chunks are taken as they come, so that a few bytes that unpack to many are never held.
  gunzip.on('data', (chunk: Buffer) => {
    if (failure === undefined) inner.write(chunk).catch(fail);
  });
  gunzip.on('error', fail);
  const ended = new Promise<void>((resolve) => gunzip.once('close', resolve));
  return {
    async write(chunk) {
      await new Promise<void>((resolve) => gunzip.write(chunk, () => resolve()));
      if (failure !== undefined) throw failure;
    },
    async end() {
      gunzip.end();
      await ended;
      if (failure !== undefined) throw failure;
      await inner.end();
    },
    stop: () => void gunzip.destroy(),
  };
}
