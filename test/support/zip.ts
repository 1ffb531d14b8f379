/** Archives written by hand, so that they can be wrong in one thing. PKWARE APPNOTE.TXT 6.3.10. */
import { crc32, deflateRawSync } from 'node:zlib';

export type ZipFile = {
  name: string;
  content?: string | Buffer;
  mode?: number;
  /** DOS time and date. */
  time?: number;
  /** Extra fields of both headers, ready made. */
  extra?: Buffer;
  comment?: string;
  stored?: boolean;
  /** What the local header says in place of the name. */
  localName?: string;
  crc?: number;
  flags?: number;
  /** Bytes behind the end of the compressed stream, counted as compressed. */
  behind?: string;
};

const u16 = (value: number): Buffer => Buffer.from([value & 0xff, value >>> 8]);
const u32 = (value: number): Buffer => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);

export function zip(files: readonly ZipFile[], more: { front?: string; between?: string; comment?: string; behind?: string } = {}): Buffer {
  const locals: Buffer[] = [Buffer.from(more.front ?? '')];
  const central: Buffer[] = [];
  let offset = locals[0]?.length ?? 0;
  for (const file of files) {
    const content = Buffer.from(file.content ?? '');
    const packed = Buffer.concat([file.stored === true ? content : deflateRawSync(content), Buffer.from(file.behind ?? '')]);
    const extra = file.extra ?? Buffer.alloc(0);
    const common = [
      u16(20),
      u16(file.flags ?? 0),
      u16(file.stored === true ? 0 : 8),
      u32(file.time ?? 0),
      u32(file.crc ?? crc32(content)),
      u32(packed.length),
      u32(content.length),
    ];
    const localName = Buffer.from(file.localName ?? file.name);
    const local = [u32(0x04034b50), ...common, u16(localName.length), u16(extra.length), localName, extra, packed];
    const name = Buffer.from(file.name);
    const comment = Buffer.from(file.comment ?? '');
    const attributes = ((0o100000 | (file.mode ?? 0o644)) << 16) >>> 0;
    const lengths = [u16(name.length), u16(extra.length), u16(comment.length)];
    const where = [u16(0), u16(0), u32(attributes), u32(offset)];
    central.push(Buffer.concat([u32(0x02014b50), u16(0x0314), ...common, ...lengths, ...where, name, extra, comment]));
    const written = Buffer.concat([...local, Buffer.from(more.between ?? '')]);
    locals.push(written);
    offset += written.length;
  }
  const directory = Buffer.concat(central);
  const comment = Buffer.from(more.comment ?? '');
  const counts = [u16(files.length), u16(files.length), u32(directory.length), u32(offset), u16(comment.length)];
  return Buffer.concat([...locals, directory, u32(0x06054b50), u16(0), u16(0), ...counts, comment, Buffer.from(more.behind ?? '')]);
}
