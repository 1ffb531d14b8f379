/**
 * What the bytes of an archive amount to without the times that its tool wrote in: a digest of its own, made as the file passes. Rules
 * compare such digests where the bytes differ; everything that is not a time goes into them.
 */
import { createHash } from 'node:crypto';
import { undatedZip } from './undated-zip.ts';

/** Takes a file's bytes in pieces that are only borrowed; `end` gives `zip sha256:…`, or nothing where there is no such form. */
export type Undater = { data(bytes: Buffer): void; end(): string | undefined };

/** Bytes of an archive that is held in memory as a whole, and of what it unpacks to: most programs with all of their libraries in one JAR are smaller. */
const ZIP_BYTES_MAX = 64 * 1024 ** 2;
const ZIP_MEMBER_BYTES_MAX = 64 * 1024 ** 2;
const ZIP_UNPACKED_BYTES_MAX = 256 * 1024 ** 2;
/** Bytes of all archives of one layer, unpacked: a bound on the time that hostile ones take. */
const LAYER_UNPACKED_BYTES_MAX = 1024 ** 3;

/** For the files of one layer: by their names, since their first bytes have not come yet. */
export function makeUndate(): (path: string, size: number) => Undater | undefined {
  let left = LAYER_UNPACKED_BYTES_MAX;
  return (path, size) => {
    if (path.endsWith('.gz')) return gzipUndater();
    if (path.endsWith('.a')) return arUndater();
    if (!/\.(?:jar|war|ear|whl|egg|zip)$/.test(path) || size > ZIP_BYTES_MAX) return undefined;
    const own = Math.min(left, ZIP_UNPACKED_BYTES_MAX);
    const parts: Buffer[] = [];
    return {
      data: (bytes) => void parts.push(Buffer.from(bytes)),
      end() {
        let spent = 0;
        const digest = undatedZip(Buffer.concat(parts), (bytes) => bytes <= ZIP_MEMBER_BYTES_MAX && (spent += bytes) <= own);
        left -= Math.min(spent, own);
        return digest === undefined ? undefined : `zip sha256:${digest}`;
      },
    };
  };
}

const GZIP_TIME = { start: 4, end: 8 }; // RFC 1952, 2.3: MTIME
const GZIP_HEADER_BYTES = 10;

/** All bytes but the four of the time; a file that has no time in it needs no such form. */
function gzipUndater(): Undater {
  const digest = createHash('sha256');
  let head = Buffer.alloc(0);
  let dated = false;
  return {
    data(bytes) {
      const missing = GZIP_HEADER_BYTES - head.length;
      if (missing > 0) {
        head = Buffer.concat([head, bytes.subarray(0, missing)]);
        if (head.length < GZIP_HEADER_BYTES) return;
        dated = head.readUIntBE(0, 3) === 0x1f8b08 && head.readUInt32LE(GZIP_TIME.start) !== 0;
        if (dated) digest.update(Buffer.from(head).fill(0, GZIP_TIME.start, GZIP_TIME.end));
      }
      if (dated) digest.update(bytes.subarray(Math.max(0, missing)));
    },
    end: () => (dated ? `gzip sha256:${digest.digest('hex')}` : undefined),
  };
}

const AR_MAGIC = '!<arch>\n';
const AR_HEADER_BYTES = 60;
const AR_DATE = { start: 16, end: 28 }; // ar(5): decimal seconds, padded with spaces

/** All bytes but the dates of the members. */
function arUndater(): Undater {
  const digest = createHash('sha256');
  let head = Buffer.alloc(0);
  let expected = AR_MAGIC.length;
  let body = 0;
  let dated = false;
  let valid = true;

  function header(): void {
    const text = head.toString('latin1');
    if (expected === AR_MAGIC.length) {
      valid = text === AR_MAGIC;
      expected = AR_HEADER_BYTES;
    } else {
      const date = text.slice(AR_DATE.start, AR_DATE.end);
      const size = /^(\d{1,10}) *`\n$/.exec(text.slice(48))?.[1];
      valid = size !== undefined && /^\d* *$/.test(date);
      dated ||= /[1-9]/.test(date);
      body = Number(size) + (Number(size) % 2);
      head.fill(' ', AR_DATE.start, AR_DATE.end);
    }
    digest.update(head);
    head = Buffer.alloc(0);
  }

  return {
    data(bytes) {
      for (let at = 0; at < bytes.length && valid;) {
        const wanted = body > 0 ? body : expected - head.length;
        const piece = bytes.subarray(at, at + wanted);
        at += piece.length;
        if (body > 0) {
          digest.update(piece);
          body -= piece.length;
        } else {
          head = Buffer.concat([head, piece]);
          if (head.length === expected) header();
        }
      }
    },
    end: () => (valid && dated && body === 0 && head.length === 0 ? `ar sha256:${digest.digest('hex')}` : undefined),
  };
}
