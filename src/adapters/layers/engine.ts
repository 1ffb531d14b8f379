import type { Transform } from 'node:stream';
import type { BrotliCompress, InflateRaw } from 'node:zlib';
import type { ByteSource } from './source.ts';

/** A decompressor of node:zlib; `bytesWritten` is what it has consumed. */
export type Engine = Transform & Pick<InflateRaw | BrotliCompress, 'bytesWritten'>;

/**
 * What the engine makes of the source, until the compressed member ends; the bytes behind it are put back. The engine works
 * in the thread pool while the caller uses what it has made before.
 */
export async function* run(engine: Engine, source: Pick<ByteSource, 'next' | 'putBack'>): AsyncGenerator<Buffer> {
  let fed = 0;
  let last: Buffer = Buffer.alloc(0);
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  const feeding = feed().catch((error: unknown) => void engine.destroy(error as Error));

  async function feed(): Promise<void> {
    // What is written and not consumed says that the member has ended; the engine itself says so later, if at all.
    while (engine.bytesWritten === fed && !engine.destroyed) {
      const piece = await source.next();
      if (piece === undefined) return void engine.end();
      fed += piece.length;
      last = piece;
      await Promise.race([new Promise<void>((resolve) => engine.write(piece, () => resolve())), closed]);
    }
  }

  try {
    for await (const made of engine) yield made as Buffer;
  } finally {
    engine.destroy();
  }
  await feeding;
  source.putBack(last.subarray(last.length - (fed - engine.bytesWritten)));
}
