import { type Digest, isDigest } from '../../model/digest.ts';
import { OciFault, parseObject } from '../../model/oci-parse.ts';
import { Problem } from '../../problem.ts';

/** Descriptors in a list that others write to as well: what is not looked at here is kept as it is. */
export type Listing = readonly { digest: Digest; annotations?: Readonly<Record<string, unknown>> }[];

/** The descriptors in a manifest or an index. Throws `image-malformed` where it has none, so that what others put there is never lost. */
export function parseListing(bytes: Uint8Array, member: 'layers' | 'manifests', tag: string): Listing {
  try {
    const entries = parseObject(bytes, tag)[member];
    if (!Array.isArray(entries)) throw new OciFault('malformed', `${tag} has no ${member}`);
    return entries.map((entry: unknown) => {
      if (!isObject(entry) || typeof entry['digest'] !== 'string' || !isDigest(entry['digest']))
        throw new OciFault('malformed', `${tag} has an entry without a digest`);
      const { annotations } = entry;
      return { ...entry, digest: entry['digest'], ...(isObject(annotations) ? { annotations } : {}) };
    });
  } catch (cause) {
    if (cause instanceof OciFault) throw new Problem('image-malformed', cause.message, { cause });
    throw cause;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
