import type { FileFacts } from '../model/inventory.ts';
import type { DIFFERENCE_ASPECTS } from '../model/verdict.ts';

export type Aspect = (typeof DIFFERENCE_ASPECTS)[number];

export type FactsOptions = {
  sameUser?: (a: number, b: number) => boolean;
  sameGroup?: (a: number, b: number) => boolean;
};

/** In what two files differ, everything but their times. Modes with setuid, setgid and sticky, owners, attributes: always. */
export function differingAspects(a: FileFacts, b: FileFacts, options: FactsOptions = {}): Aspect[] {
  const aspects: Aspect[] = [];
  if (a.kind !== b.kind) aspects.push('kind');
  if (a.digest !== b.digest || a.size !== b.size) aspects.push('content');
  // The mode of a symbolic link means nothing on Linux: symlink(7).
  if (a.mode !== b.mode && !(a.kind === 'symlink' && b.kind === 'symlink')) aspects.push('mode');
  if (!(options.sameUser?.(a.uid, b.uid) ?? a.uid === b.uid) || !(options.sameGroup?.(a.gid, b.gid) ?? a.gid === b.gid))
    aspects.push('owner');
  if (a.target !== b.target) aspects.push('target');
  if (a.linkGroup !== b.linkGroup) aspects.push('links');
  if (a.device?.major !== b.device?.major || a.device?.minor !== b.device?.minor) aspects.push('device');
  if (!sameXattrs(a.xattrs, b.xattrs)) aspects.push('xattrs');
  return aspects;
}

/** Equal in all that decides what a file is and does; further names of the same inode have accounts of their own. */
export function sameFacts(a: FileFacts, b: FileFacts, options?: FactsOptions): boolean {
  return differingAspects(a, b, options).every((aspect) => aspect === 'links');
}

function sameXattrs(a: FileFacts['xattrs'], b: FileFacts['xattrs']): boolean {
  if (a === b) return true;
  const left = Object.entries(a ?? {});
  return (
    left.length === Object.keys(b ?? {}).length &&
    left.every(([name, value]) => b !== undefined && Object.hasOwn(b, name) && b[name] === value)
  );
}
