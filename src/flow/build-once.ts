import { liesBeneath } from '../model/chain-id.ts';
import { type Digest, digestOf } from '../model/digest.ts';
import { canonicalJson } from '../model/json.ts';
import type { ImageConfig, ResolvedImage } from '../model/oci.ts';
import { RULES_VERSION } from '../model/policy.ts';
import type { Rebuild } from '../model/rebuild.ts';
import type { Clock, Progress, ScanArchive } from '../ports.ts';
import type { Builder, BuiltImage } from '../ports-build.ts';
import type { Pins } from '../steps/pins/index.ts';
import { getDocument, putDocument } from './documents.ts';
import { noteDownloads } from './downloads.ts';
import { type InventoryPorts, inventoryOf, SCAN_VERSION } from './inventory.ts';
import { keepLog } from './log.ts';
import type { BuildOrder } from './second-rebuild.ts';

type Ports = InventoryPorts & { builder: Builder; scanArchive: ScanArchive; progress: Progress; now: Clock };
type Built = Pick<Rebuild, 'plan' | 'conditions' | 'builderVersion' | 'resolvedDependencies' | 'downloads' | 'log' | 'outcome'>;
/** `seconds`: what the build took when it was made. */
type Made = { built: Built; seconds: number };

/**
 * Builds a plan over a context, which also pins what is downloaded; the same question on the same day gets what came of it before, as it
 * is asked for several tags and copies of one build. A day, because what a build fetches is not part of the plan. What failed is tried each time.
 * `whileThere` is called for an image that was built now, before it is removed.
 */
export async function buildOnce(
  ports: Ports,
  order: BuildOrder,
  context: Digest,
  pins: Pins,
  whileThere: (image: BuiltImage, outcome: Built['outcome'] & { status: 'built' }) => Promise<void>,
): Promise<Made> {
  const { blobs, now } = ports;
  const day = now().toISOString().slice(0, 10);
  // What is kept of a build was read and noted by the code of its time.
  const name = `build/${RULES_VERSION}-${SCAN_VERSION}/${day}/${digestOf(canonicalJson({ plan: order.plan, context }))}`;
  const known = await blobs.resolve(name);
  if (known !== undefined) {
    order.onLog('conforme: this build was made earlier today; what came of it is used');
    return getDocument<Made>(blobs, known);
  }
  const begun = now().getTime();
  let aside = 0; // what takes its time beside the build says nothing of how long another one takes
  const built = await build(ports, order, pins, async (image, outcome) => {
    const from = now().getTime();
    await whileThere(image, outcome);
    aside += now().getTime() - from;
  });
  const made = { built, seconds: (now().getTime() - begun - aside) / 1000 };
  // Only what came of this very plan, and not of one that had to do without archives of a time past.
  if (built.outcome.status === 'built' && built.plan === order.plan) await blobs.link(name, await putDocument(blobs, made));
  return made;
}

async function build(ports: Ports, order: BuildOrder, pins: Pins, whileThere: Parameters<typeof buildOnce>[4]): Promise<Built> {
  const { blobs, builder } = ports;
  const log = keepLog(blobs, order.onLog);
  const build = (plan: BuildOrder['plan']): ReturnType<Builder['build']> => builder.build({ ...order, plan, onLog: log.line });
  let { plan } = order;
  let built = await build(plan);
  const why = againstThePast(built);
  if (why !== undefined && plan.asOf !== undefined) {
    log.line(`conforme: the archives as of ${plan.asOf.time} were not to be had: ${why}`);
    const { asOf: _, ...today } = plan;
    plan = today;
    if (built.outcome.status !== 'built') {
      log.line('conforme: building again with the archives as they are');
      await built.done();
      built = await build(plan);
    }
  }
  try {
    const { conditions, builderVersion, resolvedDependencies } = built;
    const kept = { plan, conditions, builderVersion, resolvedDependencies, log: await log.store() };
    if (built.outcome.status === 'not-comparable') return { ...kept, outcome: built.outcome };
    const { image } = built.outcome;
    const inventory = await inventoryOf(ports, image, (layer) => image.openBlob(layer));
    const bases = order.bases.map((base) => base.image);
    const baseLayers = baseLayersOf(image.config, bases);
    const outcome = { status: 'built' as const, inventory, manifestDigest: image.manifestDigest, ...(baseLayers > 0 && { baseLayers }) };
    const downloads = await noteDownloads(ports, built.fetched, pins, inventory);
    await whileThere(image, outcome);
    return { ...kept, ...(downloads === undefined ? {} : { downloads }), outcome };
  } finally {
    await built.done();
  }
}

/**
 * Why a build shall not count as one of the time that its plan names: the archive of snapshots failed, or a step did that got its answers from
 * there, where the time may be a wrong guess.
 */
function againstThePast({ archiveFault, outcome, resolvedDependencies }: Awaited<ReturnType<Builder['build']>>): string | undefined {
  if (archiveFault !== undefined) return archiveFault;
  const failed = outcome.status === 'not-comparable' && (outcome.reason === 'build-failed' || outcome.reason === 'input-gone');
  return failed && resolvedDependencies.some(({ annotations }) => annotations?.original !== undefined) ? outcome.detail : undefined;
}

/** How many of the lowest layers of an image are all the layers of one of its base images. */
function baseLayersOf({ rootfs }: ImageConfig, bases: readonly ResolvedImage[]): number {
  const counts = bases.map(({ config }) => (liesBeneath(config.rootfs.diff_ids, rootfs.diff_ids) ? config.rootfs.diff_ids.length : 0));
  return Math.max(0, ...counts);
}
