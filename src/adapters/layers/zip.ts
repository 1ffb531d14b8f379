/**
 * A ZIP archive (PKWARE APPNOTE.TXT 6.3.10) read so strictly that no two readers can see other members in it: every byte belongs to exactly
 * one local header, its data, or the central directory, and both headers of a member agree. Anything else is no archive here: a
 * program in front, bytes between members, a comment, encryption, ZIP64, a name twice.
 */
import { crc32, inflateRawSync } from 'node:zlib';

export type ZipMember = {
  /** Bytes as latin1. */
  name: string;
  content: Buffer;
  /** External and internal attributes with the system they are meant for: modes of files stand in there. */
  attributes: string;
  /** Whether the name is said to be UTF-8. */
  utf8: boolean;
  comment: string;
  /** Extra fields of the local and of the central header. */
  extra: { id: number; data: Buffer; central: boolean }[];
};

/** Asked before each member is unpacked, with its size: false ends it. */
export type MayUnpack = (bytes: number) => boolean;

const END = { signature: 0x06054b50, bytes: 22 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const DESCRIPTOR_SIGNATURE = 0x08074b50;
/** General purpose flags: how hard the compressor tried (1, 2), a descriptor behind the data (3), names in UTF-8 (11). */
const FLAG = { descriptor: 1 << 3, utf8: 1 << 11, known: 0x6 | (1 << 3) | (1 << 11) };
const STORED = 0;
const DEFLATED = 8;

/** What is taken of each member, in the order of their data; undefined for what is no such archive, or may not be unpacked. One member is held at a time. */
export function readZip<T>(bytes: Buffer, mayUnpack: MayUnpack, take: (member: ZipMember) => T): T[] | undefined {
  try {
    return read(bytes, mayUnpack, take);
  } catch {
    return undefined; // cut short, or a compressed stream that is none
  }
}

type Central = ReturnType<typeof centralHeader>;

function read<T>(bytes: Buffer, mayUnpack: MayUnpack, take: (member: ZipMember) => T): T[] | undefined {
  const end = bytes.length - END.bytes;
  if (end < 0 || bytes.readUInt32LE(end) !== END.signature || bytes.readUInt32LE(end + 4) !== 0 || bytes.readUInt16LE(end + 20) !== 0)
    return undefined;
  const count = bytes.readUInt16LE(end + 8);
  const start = bytes.readUInt32LE(end + 16);
  if (count !== bytes.readUInt16LE(end + 10) || start + bytes.readUInt32LE(end + 12) !== end) return undefined;
  const headers: Central[] = [];
  let at = start;
  while (at < end) {
    const header = centralHeader(bytes, at);
    headers.push(header);
    at = header.next;
  }
  if (at !== end || headers.length !== count || new Set(headers.map(({ name }) => name)).size !== count) return undefined;
  headers.sort((a, b) => a.offset - b.offset);
  const members: T[] = [];
  let position = 0;
  for (const header of headers) {
    if (header.offset !== position || !mayUnpack(header.size)) return undefined;
    const found = member(bytes, header, start);
    if (found === undefined) return undefined;
    members.push(take(found.member));
    position = found.next;
  }
  return position === start ? members : undefined;
}

function centralHeader(bytes: Buffer, at: number) {
  if (bytes.readUInt32LE(at) !== CENTRAL.signature || bytes.readUInt16LE(at + 34) !== 0) throw new RangeError('no central header');
  const name = at + CENTRAL.bytes;
  const extra = name + bytes.readUInt16LE(at + 28);
  const comment = extra + bytes.readUInt16LE(at + 30);
  const next = comment + bytes.readUInt16LE(at + 32);
  if (next > bytes.length) throw new RangeError('cut short');
  return {
    flags: bytes.readUInt16LE(at + 8),
    method: bytes.readUInt16LE(at + 10),
    crc: bytes.readUInt32LE(at + 16),
    packed: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    attributes: `${bytes[at + 5]} ${bytes.readUInt16LE(at + 36)} ${bytes.readUInt32LE(at + 38)}`,
    offset: bytes.readUInt32LE(at + 42),
    name: bytes.toString('latin1', name, extra),
    extra: extraFields(bytes.subarray(extra, comment)),
    comment: bytes.toString('latin1', comment, next),
    next,
  };
}

function member(bytes: Buffer, header: Central, limit: number): { member: ZipMember; next: number } | undefined {
  const at = header.offset;
  const { flags, method, crc, packed, size } = header;
  if (bytes.readUInt32LE(at) !== LOCAL.signature || (flags & ~FLAG.known) !== 0) return undefined;
  if (bytes.readUInt16LE(at + 6) !== flags || bytes.readUInt16LE(at + 8) !== method) return undefined;
  const later = (flags & FLAG.descriptor) !== 0;
  const agrees = [crc, packed, size].every((value, index) => {
    const local = bytes.readUInt32LE(at + 14 + 4 * index);
    return local === value || (later && local === 0);
  });
  const extra = at + LOCAL.bytes + bytes.readUInt16LE(at + 26);
  const data = extra + bytes.readUInt16LE(at + 28);
  const behind = data + packed;
  if (!agrees || behind > limit || bytes.toString('latin1', at + LOCAL.bytes, extra) !== header.name) return undefined;
  const next = later ? behindDescriptor(bytes, behind, header) : behind;
  const content = unpacked(bytes.subarray(data, behind), method, size);
  if (next === undefined || content === undefined || crc32(content) !== crc) return undefined;
  return {
    member: {
      name: header.name,
      content,
      attributes: header.attributes,
      utf8: (flags & FLAG.utf8) !== 0,
      comment: header.comment,
      extra: [
        ...extraFields(bytes.subarray(extra, data)).map((one) => ({ ...one, central: false })),
        ...header.extra.map((one) => ({ ...one, central: true })),
      ],
    },
    next,
  };
}

/** The whole of it and nothing behind it. */
function unpacked(data: Buffer, method: number, size: number): Buffer | undefined {
  if (method === STORED) return data.length === size ? data : undefined;
  if (method !== DEFLATED) return undefined;
  const { buffer, engine } = inflateRawSync(data, { maxOutputLength: size + 1, info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return buffer.length === size && engine.bytesWritten === data.length ? buffer : undefined;
}

function behindDescriptor(bytes: Buffer, at: number, { crc, packed, size }: Central): number | undefined {
  const first = bytes.readUInt32LE(at) === DESCRIPTOR_SIGNATURE ? at + 4 : at;
  return [crc, packed, size].every((value, index) => bytes.readUInt32LE(first + 4 * index) === value) ? first + 12 : undefined;
}

function extraFields(bytes: Buffer): { id: number; data: Buffer }[] {
  const fields: { id: number; data: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) throw new RangeError('cut short');
    fields.push({ id: bytes.readUInt16LE(at), data: bytes.subarray(at + 4, end) });
    at = end;
  }
  return fields;
}
