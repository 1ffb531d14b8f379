import { createHash } from 'node:crypto';
import { type Digest, hexOf } from '../model/digest.ts';
import type { Download, FetchedFile, PinPlace } from '../model/download.ts';
import type { Inventory } from '../model/inventory.ts';
import { byText } from '../model/path.ts';
import type { Blobs, ScanArchive } from '../ports.ts';
import type { Pins } from '../steps/pins/index.ts';
import { getDocument, putDocument } from './documents.ts';

/**
 * Notes what a build fetched: what of it is in what was built, itself or out of an archive, and where the source pins it. Members that the image
 * does not hold are left out.
 */
export async function noteDownloads(
  ports: { blobs: Blobs; scanArchive: ScanArchive },
  fetched: readonly FetchedFile[],
  pins: Pins,
  rebuilt: Digest,
): Promise<Digest | undefined> {
  if (fetched.length === 0) return undefined;
  const { entries } = await getDocument<Inventory>(ports.blobs, rebuilt);
  const digests = new Set(entries.map(({ digest }) => digest));
  const downloads: Download[] = [];
  for (const { url, digest, sha512, size, file } of fetched) {
    const archive = file === undefined ? { members: [], whole: false } : await ports.scanArchive(file);
    const pinned = pins.sha256.get(hexOf(digest)) ?? pins.sha512.get(sha512);
    const inside = pinned === undefined ? goPin(pins, url, archive) : undefined;
    const pin = pinned !== undefined ? { pinned } : inside !== undefined ? { pinned: inside, pinsMembersOnly: true as const } : {};
    const members = archive.members.filter((member) => member.size > 0 && digests.has(member.digest));
    downloads.push({ url, digest, size, ...pin, members });
  }
  return putDocument(ports.blobs, downloads);
}

/** The zip of a Go module, read as a whole, by the hash that go.sum has of it: https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1 */
function goPin(pins: Pins, url: string, { members, whole }: Awaited<ReturnType<ScanArchive>>): PinPlace | undefined {
  if (pins.goSum.size === 0 || !url.endsWith('.zip') || !whole) return undefined;
  const text = members
    .map(({ path, digest }) => ({ path, line: `${hexOf(digest)}  ${path}\n` }))
    .sort((a, b) => byText(a.path, b.path))
    .map(({ line }) => line)
    .join('');
  return pins.goSum.get(`h1:${createHash('sha256').update(text).digest('base64')}`);
}
