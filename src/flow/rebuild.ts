import { Problem } from '../problem.ts';
import { parseDockerfile } from '../model/dockerfile.ts';
import { pinnedReference } from '../model/reference.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { BuildFailure, NotComparable, Rebuild } from '../model/rebuild.ts';
import type { VerificationJob } from '../model/verification.ts';
import type { Builder, Clock, Git } from '../ports.ts';
import { findSource } from '../steps/find-source.ts';
import { basesOf, planBuild } from '../steps/plan-build.ts';
import { type InventoryPorts, inventoryOf } from './inventory.ts';
import { fetchSource } from './source.ts';
import { keepLog } from './log.ts';

export type RebuildPorts = InventoryPorts & { git: Git; builder: Builder; now: Clock };

/** Steps 3 to 6 of the flow for the rebuilt side. Throws only for faults that are not the image's or the source's. */
export async function attemptRebuild(ports: RebuildPorts, job: VerificationJob): Promise<Rebuild> {
  const { registry, blobs, progress, builder } = ports;
  const rebuild: Rebuild = {
    resolvedDependencies: [],
    outcome: refusal('no-source', 'nobody says what the image was built from'),
    finishedAt: '',
  };
  const end = (outcome: Rebuild['outcome']): Rebuild => ({ ...rebuild, outcome, finishedAt: ports.now().toISOString() });

  const reference = pinnedReference(job.image.reference, job.image.manifestDigest);
  const published = await registry.resolve(reference, job.image.platform);
  const found = findSource(job.request, published);
  if (found === undefined) return end(rebuild.outcome);

  await progress.step(job.id, 'source');
  const path = job.request.dockerfile ?? 'Dockerfile';
  const fetched = await orRefusal(() => fetchSource(ports, found, job.commit, path), {
    'invalid-source': 'input-gone',
    'image-malformed': 'source-mismatch',
  });
  if ('status' in fetched) return end(fetched);
  rebuild.source = fetched.source;
  rebuild.sourceTree = fetched.treeDigest;
  if (fetched.dockerfile === undefined) return end(refusal('source-mismatch', `the source has no ${path}`));

  const parsed = parseDockerfile(fetched.dockerfile.text);
  if (!parsed.ok) return end({ ...refusal('build-failed', `${path} does not parse: ${parsed.message}`), line: parsed.line });
  rebuild.dockerfile = { path, digest: fetched.dockerfile.digest, steps: parsed.dockerfile.steps };

  const wanted = basesOf(parsed.dockerfile, job.request, job.image.platform);
  if ('reason' in wanted) return end({ status: 'not-comparable', ...wanted });
  const bases: ResolvedImage[] = [];
  for (const base of wanted.references) {
    const resolved = await orRefusal(() => registry.resolve(base, job.image.platform), {
      'invalid-reference': 'build-failed',
      'image-not-found': 'input-gone',
      'platform-not-found': 'input-gone',
      'registry-denied': 'input-gone',
      'address-refused': 'policy-blocked',
      'image-unsupported': 'unsupported',
    });
    if ('status' in resolved) return end({ ...resolved, detail: `base image ${base}: ${resolved.detail}` });
    bases.push(resolved);
  }
  const plan = planBuild({ request: job.request, published, dockerfile: parsed.dockerfile, bases, references: wanted.references });
  if ('reason' in plan) return end({ status: 'not-comparable', ...plan });
  rebuild.plan = plan;

  await progress.step(job.id, 'rebuild');
  const log = keepLog(blobs, (line) => progress.log(job.id, line));
  const built = await builder.build({
    id: job.id,
    plan,
    context: () => blobs.open(fetched.context),
    bases: bases.map((image, index) => {
      const from = pinnedReference(wanted.references[index] ?? image.reference, image.manifestDigest);
      return { image, openBlob: (layer) => registry.openBlob(from, layer) };
    }),
    onLog: log.line,
  });
  try {
    rebuild.builderVersion = built.builderVersion;
    rebuild.resolvedDependencies = built.resolvedDependencies;
    rebuild.log = await log.store();
    if (built.outcome.status === 'not-comparable') return end(built.outcome);
    const { image } = built.outcome;
    const inventory = await inventoryOf(ports, image, (layer) => image.openBlob(layer));
    return end({ status: 'built', inventory, manifestDigest: image.manifestDigest });
  } finally {
    await built.done();
  }
}

type Refusal = { status: 'not-comparable' } & BuildFailure;

function refusal(reason: NotComparable, detail: string): Refusal {
  return { status: 'not-comparable', reason, detail, lastLog: [] };
}

/** Turns the named problems, which are the image's or its source's, into an answer; every other one stays an error. */
async function orRefusal<T>(work: () => Promise<T>, reasons: Partial<Record<Problem['code'], NotComparable>>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (thrown) {
    const reason = thrown instanceof Problem ? reasons[thrown.code] : undefined;
    if (reason === undefined || !(thrown instanceof Problem)) throw thrown;
    return refusal(reason, thrown.message);
  }
}
