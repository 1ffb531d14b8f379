import type { Anomaly, FileFacts } from './inventory.ts';
import type { Path } from './path.ts';
import type { TarHeader } from './tar-header.ts';
import { cleanName, textFromByteString } from './tar-name.ts';
import { mergePax, type PaxRecords, xattrsOf } from './tar-pax.ts';

/** A member as containerd unpacks it; of a regular file, `size` is that of its contents with holes. */
export type TarMember = Pick<FileFacts, 'size' | 'mode' | 'uid' | 'gid' | 'mtime' | 'target' | 'device' | 'xattrs'> & {
  path: Path;
  /** For `hardlink`, `target` is a path; the other facts are those of the link's own header. */
  kind: FileFacts['kind'] | 'hardlink';
};

/** What stands before a member and describes it. `doubts` are what readers disagree on in all of it. */
export type Extensions = { pax?: PaxRecords; longName?: string; longLink?: string; doubts: string[] };

const KINDS = new Map<string, TarMember['kind']>([
  ['0', 'file'],
  ['\0', 'file'],
  ['1', 'hardlink'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
  ['7', 'file'], // contiguous: a regular file for all but containerd, which refuses it
  ['S', 'file'], // old GNU sparse: the same
]);
const REFUSED = /^[7S]$/;
const ID_MAX = 0xfffffffe; // 0xffffffff is -1, "leave as it is", for chown(2)

/** Undefined for a type that is neither POSIX's nor GNU's. Names are to be final. */
export function kindOf(header: TarHeader): TarMember['kind'] | undefined {
  return header.type === '\0' && header.name.endsWith('/') ? 'directory' : KINDS.get(header.type);
}

/** Go's order: PAX over the header, then GNU's long names over both. */
export function applyExtensions(header: TarHeader, { pax, longName, longLink, doubts }: Extensions): void {
  const doubt = (detail: string) => void doubts.push(detail);
  if (header.doubtfulPrefix) doubt('a GNU header with a prefix, which only Go reads');
  if (pax !== undefined) mergePax(header, pax, doubt);
  if (longName) {
    if (pax?.get('path') && pax.get('path') !== longName) doubt('PAX path and GNU long name differ');
    header.name = longName;
  }
  if (longLink) {
    if (pax?.get('linkpath') && pax.get('linkpath') !== longLink) doubt('PAX linkpath and GNU long link differ');
    header.linkName = longLink;
  }
}

/** The member that a complete header describes; undefined where its type is unknown. Tells its anomalies on the way. */
export function memberOf(
  header: TarHeader,
  kind: TarMember['kind'] | undefined,
  { pax, doubts }: Extensions,
  tell: (anomaly: Omit<Anomaly, 'layer'>) => void,
): TarMember | undefined {
  const { path, escapes } = cleanName(header.name);
  const anomaly = (code: Anomaly['code'], detail: string) => tell({ code, path, detail });
  if (kind === 'file' && header.name.endsWith('/')) doubts.push('a regular file with the name of a directory');
  const xattrs = pax === undefined ? undefined : xattrsOf(pax, textFromByteString, (detail) => void doubts.push(detail));
  for (const detail of doubts) anomaly('conflicting-header', detail);
  if (escapes) anomaly('escapes-root', 'a name that leaves the root');
  if (kind === undefined || REFUSED.test(header.type))
    anomaly('unsupported-entry', `a member of type ${textFromByteString(header.type)}, which containerd refuses`);
  if (kind === undefined) return undefined;
  for (const id of [header.uid, header.gid])
    if (id < 0 || id > ID_MAX) anomaly('bad-header', `${id} is no user or group that a file can have`);

  const member: TarMember = {
    path,
    kind,
    size: kind === 'file' ? header.size : 0,
    mode: kind === 'symlink' ? 0o777 : permissionBits(header.mode),
    uid: header.uid,
    gid: header.gid,
    mtime: header.mtime,
  };
  if (kind === 'symlink') member.target = textFromByteString(header.linkName);
  if (kind === 'hardlink') {
    const target = cleanName(header.linkName);
    member.target = target.path;
    if (target.escapes) anomaly('escapes-root', 'the target of a hard link leaves the root');
    else if (target.dots) anomaly('escapes-root', 'the target of a hard link goes up, which a symbolic link on the way can redirect');
  }
  if (kind === 'character' || kind === 'block') member.device = { major: header.deviceMajor, minor: header.deviceMinor };
  if (xattrs !== undefined) member.xattrs = xattrs;
  return member;
}

/** The twelve permission bits; a modulo is right beyond 32 bits and for negative numbers, as Go's `&` on int64 is. */
function permissionBits(mode: number): number {
  return ((mode % 0o10000) + 0o10000) % 0o10000;
}
