/** Takes a tar apart into its members and lets single ones be changed, every other byte kept. */
import { header } from '../../test/support/tar.ts';

export type Member = {
  /** Bytes as latin1, as the last of ustar, GNU or pax names it; without `./` and a final slash. */
  name: string;
  type: string;
  /** Extended headers that belong to it, whole. */
  extended: Buffer;
  header: Buffer;
  content: Buffer;
};

const BLOCK = 512;

export function readMembers(tar: Buffer): Member[] {
  const members: Member[] = [];
  let extended: Buffer[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length;) {
    const head = tar.subarray(at, at + BLOCK);
    if (head.every((byte) => byte === 0)) break;
    const size = sizeOf(head);
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    const type = head.toString('latin1', 156, 157);
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      extended.push(tar.subarray(at, end));
      if (type === 'x') longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString('latin1'))?.[1] ?? longName;
      if (type === 'L') longName = text(content, 0, content.length);
    } else {
      const prefix = text(head, 345, 155);
      const name = longName ?? (prefix === '' ? text(head, 0, 100) : `${prefix}/${text(head, 0, 100)}`);
      members.push({
        name: name.replace(/^(\.?\/)+/, '').replace(/\/$/, ''),
        type,
        extended: Buffer.concat(extended),
        header: head,
        content,
      });
      extended = [];
      longName = undefined;
    }
    at = end;
  }
  return members;
}

export function writeMembers(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ extended, header: head, content }) => [
    extended,
    head,
    content,
    Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** The member with other fields of its header and perhaps other content; its name stays. */
export function changed(
  member: Member,
  change: { mode?: number; uid?: number; gid?: number; link?: string; type?: string; content?: Buffer; major?: number; minor?: number },
): Member {
  const head = Buffer.from(member.header);
  const put = (value: number | undefined, offset: number, width: number): void => {
    if (value !== undefined) head.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, 'latin1');
  };
  put(change.mode, 100, 8);
  put(change.uid, 108, 8);
  put(change.gid, 116, 8);
  put(change.content?.length, 124, 12);
  put(change.major, 329, 8);
  put(change.minor, 337, 8);
  if (change.type !== undefined) head.write(change.type, 156, 'latin1');
  if (change.link !== undefined) head.fill(0, 157, 257).write(change.link, 157, 'latin1');
  head.fill(' ', 148, 156);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return { ...member, type: change.type ?? member.type, header: head, content: change.content ?? member.content };
}

/** A member made from nothing. */
export function made(
  fields: Parameters<typeof header>[0] & { name: string },
  content: Buffer = Buffer.alloc(0),
  extended: Buffer = Buffer.alloc(0),
): Member {
  return { name: fields.name, type: fields.type ?? '0', extended, header: header({ size: content.length, ...fields }), content };
}

/** Changes the members of one name; throws where there is none, so that a tampering never silently tampers with nothing. */
export function edit(members: readonly Member[], name: string, change: (member: Member) => Member | Member[]): Member[] {
  if (!members.some((member) => member.name === name)) throw new Error(`the layer has no member ${name}`);
  return members.flatMap((member) => (member.name === name ? change(member) : member));
}

function sizeOf(head: Buffer): number {
  // Base-256 above 8 GiB (GNU); nothing here is near that.
  if (((head[124] ?? 0) & 0x80) !== 0) throw new Error('a member beyond 8 GiB');
  return Number.parseInt(text(head, 124, 12).trim() || '0', 8);
}

function text(bytes: Buffer, offset: number, length: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString('latin1', offset, end < 0 || end > offset + length ? offset + length : end);
}
