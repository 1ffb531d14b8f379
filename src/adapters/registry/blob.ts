import { createHash } from 'node:crypto';
import { digestFromHex } from '../../model/digest.ts';
import type { Descriptor } from '../../model/oci.ts';
import { Problem } from '../../problem.ts';
import { reasonOf } from './http.ts';

/** Connections in a row that may break without a byte in between. */
const FRUITLESS_MAX = 3;

/**
 * The bytes of a blob, checked against its descriptor as they pass: too many fail at once, too few or others at the end, with
 * `image-malformed`. A connection that breaks is taken up again where it broke. `open` asks for the bytes from an offset.
 */
export async function* readBlob(
  { digest, size }: Descriptor,
  first: Response,
  open: (from: number) => Promise<Response>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let read = 0;
  let fruitless = 0;
  for (let response = first; ; response = await open(read)) {
    let skip = startOf(response, read);
    const before = read;
    try {
      for await (const part of response.body ?? []) {
        const bytes = skip === 0 ? part : part.subarray(skip);
        skip -= part.length - bytes.length;
        if (bytes.length === 0) continue;
        read += bytes.length;
        if (read > size) throw new Problem('image-malformed', `blob ${digest} has more than the ${size} bytes of its descriptor`);
        hash.update(bytes);
        yield bytes;
      }
      break;
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (read === size) break;
      fruitless = read > before ? 0 : fruitless + 1;
      if (fruitless === FRUITLESS_MAX)
        throw new Problem('registry-unavailable', `blob ${digest} breaks off after ${read} bytes: ${reasonOf(error)}`, { cause: error });
    }
  }
  if (read !== size) throw new Problem('image-malformed', `blob ${digest} has ${read} bytes, not the ${size} of its descriptor`);
  const found = digestFromHex(hash.digest('hex'));
  if (found !== digest) throw new Problem('image-malformed', `blob ${digest} has the digest ${found}`);
}

/** Bytes to skip: a registry that knows no ranges begins anew. RFC 9110, section 14. */
function startOf(response: Response, from: number): number {
  if (response.status !== 206) return from;
  const range = /^bytes (\d{1,15})-/.exec(response.headers.get('content-range') ?? '');
  const start = range === null ? Number.NaN : Number(range[1]);
  if (!(start <= from)) throw new Problem('registry-unavailable', 'the registry sends another part of a blob than was asked for');
  return from - start;
}
