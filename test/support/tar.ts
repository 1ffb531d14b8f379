/** Tars byte by byte, since those that matter here are the ones that no tool writes. */
import { Readable } from 'node:stream';

export type Fields = {
  name?: string;
  type?: string;
  size?: number | string;
  mode?: number;
  uid?: number | string;
  gid?: number | string;
  mtime?: number;
  link?: string;
  major?: number;
  minor?: number;
  prefix?: string;
  /** `ustar\0` + `00`, GNU's, or none for V7. */
  magic?: 'ustar' | 'gnu' | 'v7';
  checksum?: number;
  /** Raw bytes at an offset, for fields that have no name here. */
  raw?: [number, string][];
};

const octal = (value: number | string | undefined, width: number) =>
  typeof value === 'string' ? value : `${(value ?? 0).toString(8).padStart(width - 1, '0')}\0`;

/** One header block. Strings are byte strings: one character a byte. */
export function header(fields: Fields): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, text: string) => block.write(text, at, 'latin1');
  put(0, fields.name ?? 'file');
  put(100, octal(fields.mode ?? 0o644, 8));
  put(108, octal(fields.uid, 8));
  put(116, octal(fields.gid, 8));
  put(124, octal(fields.size, 12));
  put(136, octal(fields.mtime, 12));
  put(156, fields.type ?? '0');
  put(157, fields.link ?? '');
  const magic = fields.magic ?? 'ustar';
  if (magic === 'ustar') put(257, 'ustar\x0000');
  if (magic === 'gnu') put(257, 'ustar  \0');
  if (magic !== 'v7') {
    put(329, octal(fields.major, 8));
    put(337, octal(fields.minor, 8));
  }
  if (fields.prefix !== undefined) put(345, fields.prefix);
  for (const [at, text] of fields.raw ?? []) put(at, text);
  block.fill(' ', 148, 156);
  const sum = fields.checksum ?? block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

export function padded(content: string | Buffer): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A member with its contents. */
export function member(fields: Fields, content: string | Buffer = ''): Buffer {
  return Buffer.concat([header({ size: content.length, ...fields }), padded(content)]);
}

/** Records of an extended header, their lengths counted. */
export function records(pairs: [string, string][]): string {
  return pairs
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length + 1;
      while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
      return `${length}${rest}`;
    })
    .join('');
}

/** An extended header: `x` for the next member, `g` for all. */
export function pax(pairs: [string, string][], type = 'x'): Buffer {
  return member({ name: 'PaxHeaders/file', type }, records(pairs));
}

/** A GNU long name (`L`) or long link (`K`). */
export function long(type: 'L' | 'K', name: string): Buffer {
  return member({ name: '././@LongLink', type, magic: 'gnu' }, `${name}\0`);
}

export const END = Buffer.alloc(1024);

export function tar(...parts: Buffer[]): Buffer {
  return Buffer.concat([...parts, END]);
}

/** The bytes in pieces of that size. */
export function inPieces(bytes: Buffer, size: number): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}
