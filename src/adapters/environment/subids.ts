import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Problem } from '../../problem.ts';

/** Ids that belong to the service's user beside its own: subuid(5), subgid(5). */
export type SubordinateIds = { firstUid: number; firstGid: number };

/** The ids 0..65535 of an image's files, `nobody` included. */
export const SUBORDINATE_COUNT = 65_536;

export async function readSubordinateIds(): Promise<SubordinateIds> {
  const { username, uid } = userInfo();
  const [firstUid, firstGid] = await Promise.all(['/etc/subuid', '/etc/subgid'].map((file) => firstOf(file, username, uid)));
  return { firstUid: firstUid ?? 0, firstGid: firstGid ?? 0 };
}

async function firstOf(file: string, username: string, uid: number): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const [owner, first, count] = line.split(':');
    if ((owner === username || owner === String(uid)) && Number(count) >= SUBORDINATE_COUNT && Number(first) > 0) return Number(first);
  }
  throw new Problem(
    'environment-missing',
    `${file} gives the user ${username} no ${SUBORDINATE_COUNT} subordinate ids; a line such as "${username}:100000:${SUBORDINATE_COUNT}" does`,
  );
}

/** Arguments for unshare(1): root is the service's user, 1 and up are its subordinate ids. */
export function mapOwnAndSubordinate({ firstUid, firstGid }: SubordinateIds): string[] {
  return [
    '--user',
    '--map-user=0',
    '--map-group=0',
    `--map-users=${firstUid},1,${SUBORDINATE_COUNT}`,
    `--map-groups=${firstGid},1,${SUBORDINATE_COUNT}`,
    '--setuid=0',
    '--setgid=0',
  ];
}
