import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestFromHex } from '../../src/model/digest.ts';

export type ScratchBlob = { file: string; digest: Digest; diffId: Digest; size: number; uncompressed: number };

/** A gzipped tar on disk, made by GNU tar and gzip with these arguments; for layers that are too large to be made in memory. */
export async function makeScratchBlob(folder: string, name: string, tarArguments: string[]): Promise<ScratchBlob> {
  const tar = join(folder, `${name}.tar`);
  const file = `${tar}.gz`;
  execFileSync('tar', ['-cf', tar, '--numeric-owner', ...tarArguments], { stdio: ['ignore', 'ignore', 'ignore'] });
  execFileSync('sh', ['-c', 'gzip -nc "$0" > "$1"', tar, file]);
  const made = { file, digest: await digestOfFile(file), diffId: await digestOfFile(tar) };
  const [{ size }, { size: uncompressed }] = [await stat(file), await stat(tar)];
  await rm(tar);
  return { ...made, size, uncompressed };
}

async function digestOfFile(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return digestFromHex(hash.digest('hex'));
}
