import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Digest, hexOf, isDigest } from '../../model/digest.ts';
import type { Blobs } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { blobsProblem } from './failure.ts';
import { spool, type Spooled } from './spool.ts';
import { collect, linkKey, verified } from './verify.ts';

const READ_MAX = 2 ** 28;
/** Bytes of one part. S3 takes 5 MiB to 5 GiB and 10,000 parts; each part is in memory so that it can be sent again. */
const PART = 16 * 1024 * 1024;
const LINK_MAX = 4096;

export type S3Location = { bucket: string; prefix: string; endpoint?: string; region: string; pathStyle: boolean };

/** `s3://bucket/prefix?endpoint=http://host:port&region=…`. Credentials come from the usual AWS variables and files. */
export function parseS3Url(text: string): S3Location {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 's3:' || url.hostname === '')
    throw new Problem('invalid-configuration', 'the address of the blobs is not s3://bucket/prefix');
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return {
    bucket: url.hostname,
    prefix: prefix === '' ? '' : `${prefix}/`,
    region: url.searchParams.get('region') ?? process.env['AWS_REGION'] ?? 'us-east-1',
    // Servers other than Amazon's seldom have a name for each bucket.
    pathStyle: endpoint !== undefined,
    ...(endpoint !== undefined && { endpoint }),
  };
}

/** Blobs in a bucket of any S3-compatible server: `prefix/sha256/ab/…`, `prefix/names/…`. */
export function makeS3Blobs(location: S3Location, temporary = join(tmpdir(), 'conforme-blobs')): Blobs {
  const { bucket: Bucket, prefix, endpoint, region, pathStyle } = location;
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    // Other servers often lack the newer checksums; every blob is checked by its own digest anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== undefined && { endpoint }),
  });
  const keyOf = (digest: Digest) => `${prefix}sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}`;
  const nameOf = (name: string) => `${prefix}names/${linkKey(name)}`;

  async function get(Key: string): Promise<Readable | undefined> {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      return Body as Readable;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw blobsProblem(error, 'reading');
    }
  }

  async function has(digest: Digest): Promise<boolean> {
    try {
      await client.send(new HeadObjectCommand({ Bucket, Key: keyOf(digest) }));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw blobsProblem(error, 'looking for a blob');
    }
  }

  async function openBlob(digest: Digest): Promise<Readable> {
    const body = await get(keyOf(digest));
    if (body === undefined) throw new Problem('blob-missing', `there is no blob ${digest}`);
    return Readable.from(verified(body, digest), { objectMode: false });
  }

  async function upload({ file, digest, size }: Spooled): Promise<void> {
    const target = { Bucket, Key: keyOf(digest) };
    const handle = await open(file, 'r');
    const part = async (from: number) => {
      const bytes = Buffer.alloc(Math.min(PART, size - from));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
      if (bytesRead !== bytes.length) throw new Problem('blobs-unavailable', 'a spooled blob is shorter than it was');
      return bytes;
    };
    try {
      if (size <= PART) return void (await client.send(new PutObjectCommand({ ...target, Body: await part(0) })));
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
      try {
        const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
        for (let from = 0; from < size; from += PART) {
          const PartNumber = Parts.length + 1;
          const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body: await part(from) }));
          Parts.push({ PartNumber, ETag });
        }
        await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
      } catch (error) {
        await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
        throw error;
      }
    } finally {
      await handle.close();
    }
  }

  async function resolve(name: string): Promise<Digest | undefined> {
    const body = await get(nameOf(name));
    if (body === undefined) return undefined;
    const digest = (await collect(body, LINK_MAX)).toString().split('\n')[0] ?? '';
    return isDigest(digest) && (await has(digest)) ? digest : undefined;
  }

  return {
    async put(bytes, options = {}) {
      const spooled = await spool(temporary, bytes, options);
      try {
        if (!(await has(spooled.digest))) await upload(spooled);
        return { digest: spooled.digest, size: spooled.size };
      } catch (error) {
        throw blobsProblem(error, 'writing a blob');
      } finally {
        await spooled.remove();
      }
    },
    open: openBlob,
    read: async (digest, max = READ_MAX) => collect(await openBlob(digest), max),
    has,
    resolve,
    async link(name, digest) {
      // Equal work gives equal digests: where a server knows no conditional writes, that the last one wins does no harm.
      if ((await resolve(name)) !== undefined) return;
      try {
        await client.send(new PutObjectCommand({ Bucket, Key: nameOf(name), Body: `${digest}\n${name}\n`.slice(0, LINK_MAX) }));
      } catch (error) {
        throw blobsProblem(error, 'linking a name');
      }
    },
  };
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}
