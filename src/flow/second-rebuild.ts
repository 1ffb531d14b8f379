import { type Digest, digestOf } from '../model/digest.ts';
import type { Inventory } from '../model/inventory.ts';
import { canonicalJson } from '../model/json.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { Rebuild, ResolvedDependency, SecondRebuild } from '../model/rebuild.ts';
import type { Blobs, Progress } from '../ports.ts';
import type { Builder } from '../ports-build.ts';
import { Problem } from '../problem.ts';
import { type ImageSide, imageSide } from '../steps/case.ts';
import { mayVary } from '../steps/may-vary.ts';
import { getContents, getDocument, putDocument } from './documents.ts';
import { type InventoryPorts, inventoryOf } from './inventory.ts';
import { keepLog } from './log.ts';

export type BuildOrder = Parameters<Builder['build']>[0];

type Ports = InventoryPorts & {
  blobs: Blobs;
  progress: Progress;
  builder: Builder;
  buildSeconds: number;
  signal?: AbortSignal;
};

/** With a processor less, the second build takes longer than the first: it is begun where at least this many times as long is left. */
const TIME_LEFT_MIN = 1.5;

/**
 * Builds the plan once more under other conditions, where the first build leaves differences that it could tell more about. Whatever comes
 * of it, the first one stands. Throws where the process stops, and where the published image cannot be read.
 */
export async function rebuildAgain(
  ports: Ports,
  first: { published: ResolvedImage; reference: string; rebuild: Rebuild; order: BuildOrder; seconds: number },
): Promise<SecondRebuild | undefined> {
  const { rebuild, order, seconds: taken } = first;
  const { outcome, conditions } = rebuild;
  if (outcome.status !== 'built' || conditions === undefined || outcome.manifestDigest === first.published.manifestDigest) return undefined;
  // The job beside this one has read the image already, or is about to: what one of them stores is the other's.
  const published = await inventoryOf(ports, first.published, (layer) => ports.registry.openBlob(first.reference, layer));
  if (!mayVary(await sideOf(ports.blobs, published), await sideOf(ports.blobs, outcome.inventory), outcome.baseLayers ?? 0))
    return undefined;
  const left = Math.floor(ports.buildSeconds - taken);
  if (left < TIME_LEFT_MIN * taken) return failed(`the first build took ${Math.round(taken)} s of ${ports.buildSeconds} s`);
  // The inventory and the conditions of the first build name it, also where that is one of earlier in the day.
  const name = `second-build/v1/${digestOf(canonicalJson({ inventory: outcome.inventory, conditions, plan: order.plan }))}`;
  const known = await ports.blobs.resolve(name);
  if (known !== undefined) return getDocument<SecondRebuild>(ports.blobs, known);
  order.onLog('conforme: the rebuild differs from the published image; building again under other conditions');
  try {
    const second = await build(ports, { ...order, unlike: conditions, seconds: left }, rebuild.resolvedDependencies);
    if (second.status === 'built') await ports.blobs.link(name, await putDocument(ports.blobs, second));
    return second;
  } catch (thrown) {
    if (ports.signal?.aborted === true || !(thrown instanceof Problem)) throw thrown;
    return failed(thrown.message);
  }
}

async function build(ports: Ports, order: BuildOrder, fetched: readonly ResolvedDependency[]): Promise<SecondRebuild> {
  const before = new Set(fetched.map(nameOf));
  const log = keepLog(ports.blobs, (line) => ports.progress.log(order.id, line));
  const built = await ports.builder.build({ ...order, onLog: log.line });
  try {
    if (built.outcome.status === 'not-comparable') return failed(`${built.outcome.reason}: ${built.outcome.detail}`);
    const { image } = built.outcome;
    return {
      status: 'built',
      conditions: built.conditions,
      inventory: await inventoryOf(ports, image, (layer) => image.openBlob(layer)),
      manifestDigest: image.manifestDigest,
      log: await log.store(),
      resolvedDependencies: built.resolvedDependencies.filter((one) => !before.has(nameOf(one))),
    };
  } finally {
    await built.done();
  }
}

function nameOf({ uri, digest }: ResolvedDependency): string {
  return `${uri} ${digest?.sha256}`;
}

function failed(detail: string): SecondRebuild {
  return { status: 'failed', detail };
}

async function sideOf(blobs: Blobs, digest: Digest): Promise<ImageSide> {
  const inventory = await getDocument<Inventory>(blobs, digest);
  return imageSide(inventory, await getContents(blobs, inventory.contents));
}
