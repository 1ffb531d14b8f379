/** What a published image shows of how it was built. */
import type { Instruction } from '../model/dockerfile.ts';
import { canonicalJson } from '../model/json.ts';
import type { Entry, Inventory } from '../model/inventory.ts';
import { layerCompression } from '../model/media-types.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { BuildPlan } from '../model/rebuild.ts';
import { OVERLAY_NOTES } from './unpack-layer.ts';

/** BuildKit signs each step that it adds to the history; what added the last one made the image. */
export function publishedBuilder(published: ResolvedImage): BuildPlan['builder'] {
  return published.config.history?.at(-1)?.comment?.startsWith('buildkit.') === true ? 'buildkit' : 'buildah';
}

/** Of the topmost layer. Layers of the base are as they were, whatever compressed them. */
export function publishedCompression(published: ResolvedImage): BuildPlan['compression'] {
  const top = published.manifest.layers.at(-1);
  if (top?.annotations?.['containerd.io/snapshot/stargz/toc.digest'] !== undefined) return 'estargz';
  const found = layerCompression(top?.mediaType ?? '');
  return found === 'gzip' || found === 'zstd' ? found : undefined;
}

/**
 * SOURCE_DATE_EPOCH, where the image was built with one: `created` is a whole second, and everything in the history on top of the base has that very
 * time. A clock would have to stand still to make such an image by chance. https://reproducible-builds.org/specs/source-date-epoch/
 */
export function publishedEpoch(published: ResolvedImage, base: ResolvedImage | undefined): number | undefined {
  const { created, history = [] } = published.config;
  const own = history.slice(commonStart(history, base?.config.history ?? []));
  if (created === undefined || own.length === 0) return undefined;
  if (!mayHaveEpoch(published)) return undefined;
  const time = Date.parse(created);
  return own.every((entry) => entry.created !== undefined && Date.parse(entry.created) === time && !/\.0*[1-9]/.test(entry.created))
    ? time / 1000
    : undefined;
}

/**
 * Whether the source's files had the time of their checkout when BuildKit copied them. A local context always has, which is why rewriting times
 * to the epoch matters; of a context that is a
 * repository, newer versions of BuildKit set them to the commit's, which then is found on some file.
 */
export function publishedSourceTimes(
  { entries }: Pick<Inventory, 'entries'>,
  base: ResolvedImage | undefined,
  { epoch, commit }: { epoch: number | undefined; commit: number | undefined },
): BuildPlan['sourceTimes'] {
  // Whatever is later than the epoch becomes the epoch.
  if (epoch === undefined || commit === undefined || commit >= epoch) return undefined;
  const own = base?.config.rootfs.diff_ids.length ?? 0;
  return entries.some(({ layer, mtime }) => layer >= own && mtime === commit) ? undefined : 'checkout';
}

/** Whether a rootless overlay left its notes in layers of the image's own. */
export function publishedNotes({ entries }: Pick<Inventory, 'entries'>, base: ResolvedImage | undefined): BuildPlan['overlayNotes'] {
  const own = base?.config.rootfs.diff_ids.length ?? 0;
  const isNoted = ({ layer, xattrs = {} }: Entry): boolean => layer >= own && Object.keys(xattrs).some((name) => OVERLAY_NOTES.test(name));
  return entries.some(isNoted) ? 'kept' : undefined;
}

/** Whether the base's layers are there in the very blobs that the base has: a push to another registry compresses them anew. */
export function publishedBaseBlobs(published: ResolvedImage, base: ResolvedImage | undefined): BuildPlan['baseBlobs'] {
  const layers = base?.manifest.layers ?? [];
  return layers.length > 0 && layers.every(({ digest }, index) => published.manifest.layers[index]?.digest === digest) ? 'kept' : undefined;
}

/** Whether {@link publishedEpoch} may find one, whatever the base. */
export function mayHaveEpoch({ config: { created = '' } }: ResolvedImage): boolean {
  return Number.isSafeInteger(Date.parse(created) / 1000) && !/\.0*[1-9]/.test(created);
}

/** One layer on top of the base, made of several steps that change files, is how buildah builds unless told `--layers`. */
export function publishedLayers(
  published: ResolvedImage,
  base: ResolvedImage | undefined,
  steps: readonly Instruction[],
): 'each-step' | 'one' {
  const layers = published.config.rootfs.diff_ids;
  const own = layers.length - commonStart(layers, base?.config.rootfs.diff_ids ?? []);
  const changing = steps.filter(({ keyword }) => keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD').length;
  return own === 1 && changing > 1 ? 'one' : 'each-step';
}

function commonStart(list: readonly unknown[], beginning: readonly unknown[]): number {
  const differs = beginning.findIndex((item, index) => canonicalJson(item) !== canonicalJson(list[index] ?? null));
  return differs < 0 ? Math.min(beginning.length, list.length) : differs;
}
