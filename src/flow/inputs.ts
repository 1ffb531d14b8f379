import type { DebianEvidence, DebContents, Reinstall } from '../model/debian.ts';
import type { Digest } from '../model/digest.ts';
import type { Download } from '../model/download.ts';
import type { Inventory, LayerScan } from '../model/inventory.ts';
import type { Rebuild, SourceTree } from '../model/rebuild.ts';
import type { VerificationJob } from '../model/verification.ts';
import type { Blobs } from '../ports.ts';
import { applyLayers } from '../steps/apply-layers.ts';
import type { JudgeInputs } from '../steps/judge.ts';
import { loadBaseVerdict } from './base-verdict.ts';
import { getContents, getDocument } from './documents.ts';

/** Digests of the stored documents that a verdict is a pure function of. */
export type Inputs = {
  published: Digest;
  rebuild: Digest;
  evidence: Digest;
  reinstall?: Digest;
  /** The verdict on the base. */
  base?: Digest;
};

/** Loads what `judge` needs; concluding and recomputing do the same. */
export async function loadInputs(blobs: Blobs, job: Pick<VerificationJob, 'image' | 'request'>, inputs: Inputs): Promise<JudgeInputs> {
  const published = await getDocument<Inventory>(blobs, inputs.published);
  const rebuild = await getDocument<Rebuild>(blobs, inputs.rebuild);
  const evidence = await getDocument<DebianEvidence>(blobs, inputs.evidence);
  const rebuilt = rebuild.outcome.status === 'built' ? await getDocument<Inventory>(blobs, rebuild.outcome.inventory) : undefined;
  const again = rebuild.second?.status === 'built' ? await getDocument<Inventory>(blobs, rebuild.second.inventory) : undefined;
  const reinstalled = inputs.reinstall === undefined ? undefined : await loadReinstall(blobs, inputs.reinstall);
  const base = inputs.base === undefined ? undefined : await loadBaseVerdict(blobs, inputs.base, rebuild);
  const debContents = new Map<Digest, DebContents>();
  for (const { chain } of evidence.packages) {
    if (chain !== undefined) debContents.set(chain.deb, await getDocument<DebContents>(blobs, chain.contents));
  }
  return {
    image: job.image,
    published,
    publishedContents: await getContents(blobs, published.contents),
    rebuild,
    evidence,
    debContents,
    ...(rebuilt === undefined ? {} : { rebuilt, rebuiltContents: await getContents(blobs, rebuilt.contents) }),
    ...(again === undefined ? {} : { rebuiltAgain: again, rebuiltAgainContents: await getContents(blobs, again.contents) }),
    ...(rebuild.downloads === undefined ? {} : { downloads: await getDocument<Download[]>(blobs, rebuild.downloads) }),
    ...(rebuild.sourceTree === undefined ? {} : { sourceTree: await getDocument<SourceTree>(blobs, rebuild.sourceTree) }),
    ...(reinstalled === undefined ? {} : reinstalled),
    ...(base === undefined ? {} : { base }),
  };
}

/** The freshly installed system as an inventory of one layer. */
async function loadReinstall(
  blobs: Blobs,
  digest: Digest,
): Promise<Pick<JudgeInputs, 'reinstalled' | 'reinstalledContents' | 'reinstallFailure'>> {
  const { outcome } = await getDocument<Reinstall>(blobs, digest);
  if (outcome.status === 'failed') return { reinstallFailure: outcome.detail };
  const scan = await getDocument<LayerScan>(blobs, outcome.scan);
  const layer = { mediaType: 'application/x-tar', digest: scan.digest, size: scan.size };
  const reinstalled = applyLayers(
    {
      manifestDigest: scan.digest,
      manifest: { mediaType: '', config: layer, layers: [layer] },
      config: { architecture: '', os: 'linux', rootfs: { type: 'layers', diff_ids: [scan.diffId] } },
    },
    [scan],
  );
  return { reinstalled, reinstalledContents: await getContents(blobs, reinstalled.contents) };
}
