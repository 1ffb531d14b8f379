import { fileURLToPath } from 'node:url';
import type { Blobs } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { makeFileBlobs } from './file.ts';
import { makeS3Blobs, parseS3Url } from './s3.ts';

/** The store that `CONFORME_BLOBS_URL` names: `file:///folder` or `s3://bucket/prefix?endpoint=…`. Throws `invalid-configuration`. */
export function openBlobs(url: string): Blobs {
  if (url.startsWith('s3:')) return makeS3Blobs(parseS3Url(url));
  const fault = (cause?: unknown) =>
    new Problem('invalid-configuration', 'the address of the blobs is neither file:///folder nor s3://bucket', { cause });
  if (!url.startsWith('file:')) throw fault();
  try {
    return makeFileBlobs(fileURLToPath(url));
  } catch (error) {
    throw fault(error);
  }
}
