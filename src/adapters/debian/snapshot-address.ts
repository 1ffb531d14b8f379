import type { SnapshotTime } from '../../model/snapshot-time.ts';

/** Names of Debian's archives in an archive of snapshots. */
export type ArchiveName = 'debian' | 'debian-security';

/** Where an archive lies as of a time, with its `dists/` and `pool/`, in an archive of snapshots with the layout of snapshot.debian.org. */
export function snapshotAddress(url: string, archive: ArchiveName, time: SnapshotTime): string {
  return `${url.replace(/\/+$/, '')}/archive/${archive}/${time}`;
}
