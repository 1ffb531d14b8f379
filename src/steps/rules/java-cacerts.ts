import { createHash } from 'node:crypto';
import { alwaysAt, equalBy, type Rule, type Side } from './rule.ts';

// sun.security.provider.JavaKeyStore: magic, version and count (4 bytes each); entries; a SHA-1 over password, a phrase and all before.
const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
const HEADER = 12; // bytes
const DIGEST = 20; // bytes
/** Java's default password, which protects nothing: certificates are public. */
const SALT = Buffer.concat([Buffer.from('changeit', 'utf16le').swap16(), Buffer.from('Mighty Aphrodite')]);

/** Each certificate by its alias, without the time at which it was added; undefined for anything but a key store of certificates alone. */
function certificates({ bytes }: Side): string[] | undefined {
  if (bytes === undefined || bytes.length < HEADER + DIGEST) return undefined;
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = data.length - DIGEST;
  if (data.readUInt32BE(0) !== MAGIC || data.readUInt32BE(4) !== VERSION) return undefined;
  if (!createHash('sha1').update(SALT).update(data.subarray(0, end)).digest().equals(data.subarray(end))) return undefined;
  const found: string[] = [];
  let at = HEADER;
  const take = (length: number): Buffer => {
    if (at + length > end) throw new RangeError('cut short');
    return data.subarray(at, (at += length));
  };
  const text = (): string => take(take(2).readUInt16BE()).toString('latin1');
  try {
    for (let count = data.readUInt32BE(8); count > 0; count -= 1) {
      if (take(4).readUInt32BE() !== TRUSTED_CERTIFICATE) return undefined;
      const alias = text();
      take(8); // milliseconds since 1970
      const type = text();
      const certificate = createHash('sha256')
        .update(take(take(4).readUInt32BE()))
        .digest('hex');
      found.push(JSON.stringify([alias, type, certificate]));
    }
  } catch {
    return undefined;
  }
  return at === end && new Set(found).size === found.length ? found.sort() : undefined;
}

const compared = equalBy(certificates);

export const javaCacerts: Rule = {
  name: 'java-cacerts',
  version: 1,
  reason: 'the key store notes when each certificate was added; aliases and certificates are compared, and its own digest has to be right',
  applies: alwaysAt('/etc/ssl/certs/java/cacerts'),
  equal: compared,
  regenerates: compared,
};
