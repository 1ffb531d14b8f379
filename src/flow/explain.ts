import { type Digest, digestOf } from '../model/digest.ts';
import type { Explanations } from '../model/explanation.ts';
import type { Inventory } from '../model/inventory.ts';
import { canonicalJson } from '../model/json.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { Rebuild } from '../model/rebuild.ts';
import type { ScanArchive } from '../ports.ts';
import type { BuiltImage } from '../ports-build.ts';
import type { BuiltLayers, Explain, OpenScratch, Scratch } from '../ports-explain.ts';
import { type ImageSide, imageSide } from '../steps/case.ts';
import { compare } from '../steps/compare.ts';
import { gravestFiles } from '../steps/explain/choose.ts';
import { differingPackages } from '../steps/explain/packages.ts';
import { movedNames } from '../steps/may-vary.ts';
import { type Collected, collectPairs, NOT_THERE } from './collect-pairs.ts';
import { getContents, getDocument, putDocument } from './documents.ts';
import { type InventoryPorts, inventoryOf } from './inventory.ts';
import { lookInto } from './look-into.ts';
import { type Base, keepBuilt, rebuiltBefore, reopened } from './reopen-layers.ts';

const PACKAGES_MAX = 300;

type Means = {
  openScratch: OpenScratch;
  builtLayers: BuiltLayers;
  /** With bounds for what is only looked at. */
  scanArchive: ScanArchive;
  /** A program that looks as well, where one is installed. */
  tool?: Explain;
};

export type ExplainPorts = InventoryPorts & {
  /** Absent where nothing is explained. */
  explaining?: Means;
  /** Aborted when the process stops: the job is then done again elsewhere. */
  signal?: AbortSignal;
};

type Built = Extract<Rebuild['outcome'], { status: 'built' }>;

/** Looks into the files that differ, for readers. It decides nothing, and whatever goes wrong is told in the log and harms no verification. */
export type Explaining = {
  /** While the built image is there: takes both sides of what is likely to be explained. */
  collect(image: BuiltImage, outcome: Built): Promise<void>;
  /** When all that is known of the builds is. */
  explain(rebuild: Rebuild): Promise<Explanations | undefined>;
  done(): Promise<void>;
};

export function makeExplaining(
  ports: ExplainPorts,
  job: { published: ResolvedImage; reference: string; bases: readonly Base[]; onLog: (line: string) => void },
): Explaining {
  const { explaining: means, blobs } = ports;
  let scratch: Scratch | undefined;
  let collected: (Collected & Pick<Explanations, 'packages'>) | undefined;
  const quietly = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (thrown) {
      if (ports.signal?.aborted === true) throw thrown;
      job.onLog(`conforme: what differs inside of files could not be told: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return undefined;
    }
  };
  const nameOf = ({ inventory }: Built): string =>
    `explanations/v1/${digestOf(canonicalJson({ published: job.published.manifestDigest, inventory, tool: means?.tool?.tool }))}`;
  const compareWith = async ({ inventory }: Built) => {
    const stored = await inventoryOf(ports, job.published, (layer) => ports.registry.openBlob(job.reference, layer));
    const [published, rebuilt] = [await sideOf(ports, stored), await sideOf(ports, inventory)];
    const moved = movedNames(published, rebuilt);
    return { published, rebuilt, moved, differences: compare(published, rebuilt, moved) };
  };
  const collect = async (outcome: Built, image?: BuiltImage): Promise<void> => {
    if (means === undefined || (await blobs.resolve(nameOf(outcome))) !== undefined) return;
    const { published, rebuilt, differences, moved } = await compareWith(outcome);
    const pairs = gravestFiles({ published, rebuilt, rebuild: { ...NO_REBUILD, outcome } }, differences, moved.size > 0);
    const differing = differingPackages(published, rebuilt);
    const packages = { listed: differing.slice(0, PACKAGES_MAX), more: Math.max(0, differing.length - PACKAGES_MAX) };
    if (pairs.length === 0) return void (collected = { files: new Map(), left: new Map(), packages });
    scratch ??= await means.openScratch();
    const theirs = { ...published, open: reopened(published.inventory, (layer) => ports.registry.openBlob(job.reference, layer)) };
    const open =
      image === undefined
        ? rebuiltBefore(rebuilt.inventory, means.builtLayers, job.bases)
        : reopened(rebuilt.inventory, (layer) => image.openBlob(layer));
    collected = { ...(await collectPairs({ scanLayer: ports.scanLayer, scratch }, pairs, theirs, { ...rebuilt, open })), packages };
  };
  /** Compares once more, for what the second build tells of the classes. */
  const look = async (means: Means, rebuild: Rebuild, outcome: Built, taken: Collected): Promise<Omit<Explanations, 'packages'>> => {
    if (scratch === undefined) return { files: [], left: [] };
    const { published, rebuilt, differences, moved } = await compareWith(outcome);
    const again = rebuild.second?.status === 'built' ? await sideOf(ports, rebuild.second.inventory) : undefined;
    const file = { published, rebuilt, rebuild, ...(again === undefined ? {} : { rebuiltAgain: again }) };
    const pairs = gravestFiles(file, differences, moved.size > 0);
    const { signal } = ports;
    return lookInto(pairs, taken, { ...means, blobs, scratch, onLog: job.onLog, ...(signal && { signal }) });
  };
  return {
    collect: async (image, outcome) => {
      if (means !== undefined) await quietly(() => keepBuilt(means.builtLayers, image, outcome.baseLayers ?? 0));
      if (outcome.manifestDigest !== job.published.manifestDigest) await quietly(() => collect(outcome, image));
    },
    explain: (rebuild) =>
      quietly(async () => {
        const { outcome } = rebuild;
        if (means === undefined || outcome.status !== 'built' || outcome.manifestDigest === job.published.manifestDigest) return undefined;
        const known = await blobs.resolve(nameOf(outcome));
        if (known !== undefined) return getDocument<Explanations>(blobs, known);
        if (collected === undefined) await collect(outcome);
        if (collected === undefined) return undefined;
        const explanations = { ...(await look(means, rebuild, outcome, collected)), packages: collected.packages };
        // What had to do without the built image is not the last word: a build of another day may make the same.
        if (!collected.left.has(NOT_THERE)) await blobs.link(nameOf(outcome), await putDocument(blobs, explanations));
        return explanations;
      }),
    done: async () => {
      await quietly(async () => scratch?.done());
    },
  };
}

const NO_REBUILD: Omit<Rebuild, 'outcome'> = { resolvedDependencies: [], finishedAt: '' };

async function sideOf({ blobs }: ExplainPorts, digest: Digest): Promise<ImageSide> {
  const inventory = await getDocument<Inventory>(blobs, digest);
  return imageSide(inventory, await getContents(blobs, inventory.contents));
}
