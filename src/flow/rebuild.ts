import { parseDockerfile } from '../model/dockerfile.ts';
import { pinnedReference } from '../model/reference.ts';
import type { Inventory } from '../model/inventory.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { AsOf, Rebuild } from '../model/rebuild.ts';
import type { VerificationJob } from '../model/verification.ts';
import type { Clock, Git, Registry, ScanArchive } from '../ports.ts';
import type { Builder } from '../ports-build.ts';
import { asOf } from '../steps/as-of.ts';
import { compareDockerfiles } from '../steps/compare-dockerfiles.ts';
import { findRecipe } from '../steps/find-recipe.ts';
import { findSource, whyNoSource } from '../steps/find-source.ts';
import { chooseBuilder } from '../steps/choose-builder.ts';
import { pinsOf } from '../steps/pins/index.ts';
import { mayHaveEpoch } from '../steps/published-build.ts';
import { basesOf, planBuild } from '../steps/plan-build.ts';
import { pinBases } from './bases.ts';
import { buildOnce } from './build-once.ts';
import { getContents, getDocument } from './documents.ts';
import { type ExplainPorts, makeExplaining } from './explain.ts';
import { inventoryOf } from './inventory.ts';
import { readProvenance } from './provenance.ts';
import { orRefusal, refusal } from './refusal.ts';
import { type BuildOrder, rebuildAgain } from './second-rebuild.ts';
import { fetchSource } from './source.ts';

export type RebuildPorts = ExplainPorts & {
  scanArchive: ScanArchive;
  git: Git;
  builder: Builder;
  /** Whether there is an archive of snapshots to build from. */
  snapshots: boolean;
  now: Clock;
  /** What one build may take, and two together. */
  buildSeconds: number;
};

/**
 * Steps 3 to 6 of the flow for the rebuilt side. Throws only for faults that are not the image's or the source's. A repository that the
 * image itself names and that does not answer is waited for until `lastTry`: any address may stand in an image.
 */
export async function attemptRebuild(ports: RebuildPorts, job: VerificationJob, lastTry = true): Promise<Rebuild> {
  const { registry, blobs, progress } = ports;
  const rebuild: Rebuild = { resolvedDependencies: [], outcome: refusal('no-source', ''), finishedAt: '' };
  const end = (outcome: Rebuild['outcome']): Rebuild => ({ ...rebuild, outcome, finishedAt: ports.now().toISOString() });

  const { reference, published } = await resolvePublished(registry, job);
  const { found: provenance, passedOver } = await readProvenance(registry, reference, published);
  if (provenance.length > 0) rebuild.provenance = provenance.map(({ stated }) => stated);
  if (passedOver.length > 0) rebuild.attestationsPassedOver = passedOver;
  const found = findSource(job.request, published, provenance);
  if (found === undefined) {
    const { reason, detail } = whyNoSource(provenance);
    return end(refusal(reason, detail));
  }

  // Read beside the source: the inventory needs every layer anyway, and keeps what it read.
  const seen = readPublished(ports, published, reference);
  seen.catch(() => undefined);

  await progress.step(job.id, 'source');
  const recipe = findRecipe(job.request, provenance);
  const path = recipe.dockerfile;
  if (path.startsWith('../')) return end(refusal('unsupported', 'the provenance names a Dockerfile outside of its build context'));
  const fetched = await orRefusal(() => fetchSource(ports, found, job.commit, path), {
    'invalid-source': 'input-gone',
    'image-malformed': 'source-mismatch',
    ...(found.evidence === 'request' ? {} : { 'address-refused': 'policy-blocked' }),
    ...(found.evidence === 'request' || !lastTry ? {} : { 'source-unavailable': 'input-gone' }),
  });
  if ('status' in fetched) return end(fetched);
  rebuild.source = fetched.source;
  rebuild.sourceTree = fetched.treeDigest;
  if (fetched.dockerfile === undefined) {
    const whose = recipe.origins.dockerfile === 'provenance' ? ', which the provenance names' : '';
    return end(refusal('source-mismatch', `the source has no ${path}${whose}`));
  }
  const other = compareDockerfiles(path, fetched.dockerfile.bytes, provenance);
  if (other !== undefined) rebuild.otherDockerfile = other;

  const parsed = parseDockerfile(fetched.dockerfile.text);
  if (!parsed.ok) return end({ ...refusal('build-failed', `${path} does not parse: ${parsed.message}`), line: parsed.line });
  const { digest, text } = fetched.dockerfile;
  rebuild.dockerfile = { path, digest, steps: parsed.dockerfile.steps, text };

  const { dockerfile } = parsed;
  const ignores = fetched.tree.files.some((file) => file.path.endsWith('.dockerignore'));
  const choice = chooseBuilder({ published, dockerfile, recipe, ignores, builders: ports.builder.builders });
  if ('reason' in choice) return end({ status: 'not-comparable', ...choice });
  const wanted = basesOf(dockerfile, recipe, job.image.platform, choice.builder);
  if ('reason' in wanted) return end({ status: 'not-comparable', ...wanted });
  const bases = await pinBases(ports, wanted, { recipe, provenance, published });
  if ('status' in bases) return end(bases);
  const inventory = await seen;
  const past = await publishedTime(ports, job, inventory);
  const plan = planBuild({
    recipe,
    published,
    dockerfile,
    bases,
    choice,
    ...(inventory === undefined ? {} : { inventory }),
    commitTime: fetched.time,
    ...(past === undefined ? {} : { asOf: past }),
  });
  rebuild.plan = plan;

  await progress.step(job.id, 'rebuild');
  const order: BuildOrder = {
    id: job.id,
    plan,
    context: () => blobs.open(fetched.context),
    bases: bases.map(({ image }) => {
      const from = pinnedReference(image.reference, image.manifestDigest);
      return { image, openBlob: (layer) => registry.openBlob(from, layer) };
    }),
    onLog: (line) => progress.log(job.id, line),
  };
  const pins = pinsOf(dockerfile, path, plan, fetched.texts);
  const explaining = makeExplaining(ports, { published, reference, bases: order.bases, onLog: order.onLog });
  try {
    const { built, seconds } = await buildOnce(ports, order, fetched.context, pins, explaining.collect);
    Object.assign(rebuild, built);
    if (rebuild.outcome.status !== 'built') return end(rebuild.outcome);
    // What the first one left is gone by now: two builds never take the room of two.
    const second = await rebuildAgain(ports, { published, reference, rebuild, order: { ...order, plan: built.plan ?? plan }, seconds });
    if (second !== undefined) rebuild.second = second;
    const explanations = await explaining.explain(rebuild);
    if (explanations !== undefined) rebuild.explanations = explanations;
    return end(rebuild.outcome);
  } finally {
    await explaining.done();
  }
}

/** When the published image took its packages from the archives; undefined where nothing could come of it. */
async function publishedTime(ports: RebuildPorts, { request }: VerificationJob, inventory?: Inventory): Promise<AsOf | undefined> {
  if (!ports.snapshots) return undefined;
  if (request.asOf !== undefined) return { time: request.asOf, from: 'request' };
  if (inventory === undefined) return undefined;
  return asOf(inventory, await getContents(ports.blobs, inventory.contents));
}

/** What the published image holds, where the plan depends on it. */
async function readPublished(ports: RebuildPorts, published: ResolvedImage, reference: string): Promise<Inventory | undefined> {
  if (!ports.snapshots && !mayHaveEpoch(published)) return undefined;
  return getDocument<Inventory>(ports.blobs, await inventoryOf(ports, published, (layer) => ports.registry.openBlob(reference, layer)));
}

/** The published image with its index, where attestations stand. */
async function resolvePublished(registry: Registry, { image }: VerificationJob): Promise<{ reference: string; published: ResolvedImage }> {
  const reference = pinnedReference(image.reference, image.digest);
  const published = await registry.resolve(reference, image.platform);
  if (published.manifestDigest === image.manifestDigest) return { reference, published };
  const manifest = pinnedReference(image.reference, image.manifestDigest);
  return { reference: manifest, published: await registry.resolve(manifest, image.platform) };
}
