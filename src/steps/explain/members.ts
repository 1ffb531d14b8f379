import type { ArchiveMember } from '../../model/download.ts';
import type { DifferingParts } from '../../model/explanation.ts';
import { differingParts } from './parts.ts';

const NAME_MAX = 200; // characters

/** Members of an archive, or the one thing that a compressed file holds, which has the name of the file that was read. */
type Archive = { members: readonly ArchiveMember[]; whole: boolean; fileName: string };

/** Which members of two archives differ; undefined where a side has none. */
export function differingMembers(rebuilt: Archive, published: Archive): { parts: DifferingParts; notes: string[] } | undefined {
  if (rebuilt.members.length === 0 || published.members.length === 0) return undefined;
  const parts = differingParts(named(rebuilt), named(published));
  const notes: string[] = [];
  if (!rebuilt.whole || !published.whole) notes.push('one of the archives is too large, damaged or holds something that was not read');
  else if (parts.listed.length === 0)
    notes.push('every member is the same: what differs is the archive around them, as times, order or compression');
  return { parts, notes };
}

function named({ members, fileName }: Archive) {
  return members.map(({ path, digest, size }) => {
    const only = members.length === 1 && path === fileName;
    const name = only ? 'what it decompresses to' : path.length > NAME_MAX ? `${path.slice(0, NAME_MAX)}…` : path;
    return { name, digest, size };
  });
}
