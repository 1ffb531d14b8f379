/**
 * Writes tar headers whose names are bytes: POSIX.1-2001 (pax), as exact as a git tree is. tar-stream writes names as UTF-8 only.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
export type TarHeader = {
  name: Uint8Array;
  kind: 'file' | 'directory' | 'symlink';
  mode: number;
  /** Seconds since 1970-01-01, UTC; an integer. */
  mtime: number;
  size: number;
  target?: Uint8Array;
};

const TYPES = { file: '0', directory: '5', symlink: '2' } as const;
const BLOCK = 512;
const USTAR_NUMBER_MAX = 0o77777777777; // 11 octal digits

/** Zero bytes up to the next block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two zero blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The header of one member, preceded by a pax header where ustar's fields are too short. */
export function tarHeader(header: TarHeader): Buffer {
  const name = header.kind === 'directory' ? Buffer.concat([header.name, Buffer.from('/')]) : Buffer.from(header.name);
  const target = Buffer.from(header.target ?? []);
  const records: Buffer[] = [];
  if (name.length > 100) records.push(paxRecord('path', name));
  if (target.length > 100) records.push(paxRecord('linkpath', target));
  if (header.size > USTAR_NUMBER_MAX) records.push(paxRecord('size', Buffer.from(String(header.size))));
  const own = ustar(name, TYPES[header.kind], header, target);
  if (records.length === 0) return own;
  const body = Buffer.concat(records);
  const pax = ustar(Buffer.from('pax'), 'x', { mode: 0o644, mtime: header.mtime, size: body.length }, Buffer.alloc(0));
  return Buffer.concat([pax, body, padding(body.length), own]);
}

/** `length key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

function ustar(name: Buffer, type: string, header: { mode: number; mtime: number; size: number }, target: Buffer): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0, 0, 100);
  octal(block, 100, 8, header.mode);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, Math.min(header.size, USTAR_NUMBER_MAX));
  octal(block, 136, 12, Math.min(Math.max(header.mtime, 0), USTAR_NUMBER_MAX));
  block.fill(' ', 148, 156);
  block.write(type, 156, 'latin1');
  target.copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function octal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}
