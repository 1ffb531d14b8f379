import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestFromHex } from '../../model/digest.ts';
import { blobsProblem } from './failure.ts';
import { checkExpected, gathered } from './verify.ts';

export type Spooled = { file: string; digest: Digest; size: number; remove(): Promise<void> };

/** Errors of the disk become the store's; those of the stream's own source stay what they are. */
async function ours<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw blobsProblem(error, 'writing a blob');
  }
}

/** Writes a stream to a new file of `folder`; only then is its digest known. Nothing is left where it fails. */
export async function spool(
  folder: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { expected?: Digest; max?: number },
): Promise<Spooled> {
  await ours(mkdir(folder, { recursive: true, mode: 0o700 }));
  const file = join(folder, randomUUID());
  const handle: FileHandle = await ours(open(file, 'wx', 0o600));
  const remove = () => rm(file, { force: true });
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of gathered(bytes, hash, options.max ?? Infinity)) {
      await ours(handle.appendFile(piece));
      size += piece.length;
    }
    const digest = digestFromHex(hash.digest('hex'));
    checkExpected(digest, options.expected);
    // Verdicts are signed over what is stored: it has to be there after a power cut.
    await ours(handle.sync());
    await handle.close();
    return { file, digest, size, remove };
  } catch (error) {
    await handle.close();
    await remove();
    throw error;
  }
}
