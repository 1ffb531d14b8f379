import type { DebianEvidence } from '../model/debian.ts';
import { type Digest, digestOf, isDigest } from '../model/digest.ts';
import type { FileSet, ImageContents } from '../model/image-contents.ts';
import type { Inventory } from '../model/inventory.ts';
import { canonicalJson } from '../model/json.ts';
import type { Path } from '../model/path.ts';
import type { AccountLine } from '../model/verdict.ts';
import type { VerdictRecord } from '../model/verification.ts';

/** Characters of an instruction that are kept: enough to recognise it by. */
const CREATED_BY_MAX = 300;

type File = { digest: Digest; path: Path };

/**
 * What the image is found by later. The files are grouped so that groups come again in other images, bit for bit: a package's
 * files as the image has them (a slim image lacks some, a tampered one has others), what maintainer scripts generate in a layer, the
 * rest of the layer, and what it holds for nobody to see. Each group is then stored once.
 */
export function contentsOfImage(
  evidence: Pick<DebianEvidence, 'release' | 'packages'>,
  published: Pick<Inventory, 'layers' | 'hidden'>,
  account: readonly AccountLine[],
  packages: VerdictRecord['packages'],
  lineOfLayer: (layer: number) => number | undefined,
): ImageContents {
  const indexes = new Map(packages.map(({ name, version, architecture }, index) => [`${name} ${version} ${architecture}`, index]));
  const byPurl = new Map(
    evidence.packages.map(({ purl, name, version, architecture }) => [purl, indexes.get(`${name} ${version} ${architecture}`)]),
  );
  const ofPackages = new Map<number, File[]>();
  const ofLayers = new Map<string, { layer: number; hidden: boolean; files: File[] }>();
  const addToLayer = (group: string, layer: number, hidden: boolean, file: File): void => {
    const key = `${group} ${layer}`;
    const known = ofLayers.get(key) ?? { layer, hidden, files: [] };
    known.files.push(file);
    ofLayers.set(key, known);
  };
  for (const { path, kind, digest, size, layer, attribution, evidence: why } of account) {
    if (kind !== 'file' || digest === undefined || !isDigest(digest) || size === 0) continue;
    const index = attribution === 'debian-official' && why.package !== undefined ? byPurl.get(why.package) : undefined;
    if (index !== undefined && packages[index]?.layer === layer) {
      const files = ofPackages.get(index) ?? [];
      files.push({ digest, path });
      ofPackages.set(index, files);
    } else addToLayer(attribution === 'debian-generated' ? attribution : 'other', layer, false, { digest, path });
  }
  for (const { path, kind, digest, size, layer } of published.hidden)
    if (kind === 'file' && digest !== undefined && size > 0) addToLayer('hidden', layer, true, { digest, path });

  return {
    ...(evidence.release === undefined ? {} : { release: evidence.release }),
    layers: published.layers.map(({ digest, createdBy }, layer) => {
      const line = lineOfLayer(layer);
      return {
        digest,
        ...(line === undefined ? {} : { line }),
        ...(createdBy === undefined ? {} : { createdBy: createdBy.slice(0, CREATED_BY_MAX) }),
      };
    }),
    packages: new Map([...ofPackages].map(([index, files]) => [index, setOf(files)])),
    files: [...ofLayers.values()].map(({ layer, hidden, files }) => ({ layer, hidden, set: setOf(files) })),
  };
}

/** The files come in the order of their paths. */
function setOf(all: readonly File[]): FileSet {
  const seen = new Set<Digest>();
  const files = all.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
  return { digest: digestOf(canonicalJson(files)), files };
}
