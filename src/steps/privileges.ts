import type { FileFacts } from '../model/inventory.ts';

const SETUID = 0o4000;
const SETGID = 0o2000;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;

/** A program that runs with the rights of its owner or group. The bits of a folder give no rights. */
export function isSetId({ kind, mode }: FileFacts): boolean {
  return kind === 'file' && (mode & (SETUID | SETGID)) !== 0;
}

/** capabilities(7), "File capabilities": the extended attribute, whatever bytes it holds. */
export function hasCapability({ xattrs }: FileFacts): boolean {
  return xattrs !== undefined && Object.hasOwn(xattrs, 'security.capability');
}

export function isPrivileged(facts: FileFacts): boolean {
  return isSetId(facts) || hasCapability(facts);
}

/** Anyone may write it; in a folder with the sticky bit nobody may replace another's file. */
export function isWorldWritable({ kind, mode }: FileFacts): boolean {
  if (kind === 'symlink') return false;
  return (mode & WORLD_WRITABLE) !== 0 && !(kind === 'directory' && (mode & STICKY) !== 0);
}
