import type { DebContents, DebianEvidence } from '../model/debian.ts';
import type { Contents, Inventory } from '../model/inventory.ts';
import type { Blobs, Debian } from '../ports.ts';
import type { Installed } from '../steps/installed-packages.ts';
import { searchByHash } from '../steps/search-by-hash.ts';
import { getDocument } from './documents.ts';

/** The evidence with the packages that were found by their files' hashes, where there was anything to look for. */
export async function searchedEvidence(
  { debian, blobs }: { debian: Debian; blobs: Blobs },
  image: { inventory: Inventory; contents: Contents; installed: Installed; evidence: DebianEvidence },
  onProgress: (packages: number) => void,
): Promise<DebianEvidence> {
  const { inventory, contents, installed, evidence } = image;
  const packaged: Pick<DebContents, 'entries'>[] = [];
  for (const { chain } of evidence.packages) {
    if (chain !== undefined) packaged.push(await getDocument<DebContents>(blobs, chain.contents));
  }
  const wanted = searchByHash(inventory, contents, installed, packaged);
  if (wanted === undefined) return evidence;
  const { archives, packages, ...search } = await debian.search(wanted, onProgress);
  const asked = new Set(evidence.archives.map(({ id }) => id));
  const known = new Set(evidence.packages.filter(({ chain }) => chain !== undefined).map(({ purl }) => purl));
  return {
    ...evidence,
    archives: [...evidence.archives, ...archives.filter(({ id }) => !asked.has(id))],
    packages: [...evidence.packages, ...packages.filter(({ purl }) => !known.has(purl))],
    search,
  };
}
