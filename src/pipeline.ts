/**
 * The flow. Each exported function is one job of the queue: `takeInventory` and `rebuild` run side by side; `gatherEvidence`
 * and then `reinstall` follow the inventory; `conclude` needs them all. Documents travel by digest through the blob store, so a
 * job that is taken up again after a crash finds what was done before.
 */
import { askOthers, type OthersPorts } from './flow/ask-others.ts';
import { findBaseVerdict } from './flow/base-verdict.ts';
import { getContents, getDocument, once, putDocument, putLines, putScan } from './flow/documents.ts';
import { searchedEvidence } from './flow/hash-search.ts';
import { type InventoryPorts, inventoryOf } from './flow/inventory.ts';
import { type Inputs, loadInputs } from './flow/inputs.ts';
import { rememberLayers } from './flow/judged-layers.ts';
import { attemptRebuild, type RebuildPorts } from './flow/rebuild.ts';
import { seal, type SealPorts } from './flow/seal.ts';
import { withSecurity } from './flow/security.ts';
import type { DebianEvidence, PackageEvidence, Reinstall } from './model/debian.ts';
import { type Digest, digestOf } from './model/digest.ts';
import type { Inventory } from './model/inventory.ts';
import { canonicalJson } from './model/json.ts';
import type { Rebuild } from './model/rebuild.ts';
import type { VerdictRecord, VerificationJob } from './model/verification.ts';
import type { Blobs, Debian, Progress, Records, Reinstaller, ScanLayer, SecurityTracker, Signer } from './ports.ts';
import { contentsOfImage } from './steps/contents-of-image.ts';
import { lineOfLayers } from './steps/dockerfile-lines.ts';
import { aptLists } from './steps/apt-lists.ts';
import { aptRepositories } from './steps/apt-repositories.ts';
import { installationDates } from './steps/installation-dates.ts';
import { installedPackages } from './steps/installed-packages.ts';
import { judge } from './steps/judge.ts';
import { packagesOfVerdict } from './steps/packages-of-verdict.ts';
import { pinnedReference } from './model/reference.ts';
import { wantsContent } from './steps/wants-content.ts';

export type { InventoryPorts, RebuildPorts };
export type EvidencePorts = OthersPorts & { debian: Debian; tracker?: Pick<SecurityTracker, 'latest'>; blobs: Blobs; progress: Progress };
export type ReinstallPorts = { reinstall: Reinstaller; scanLayer: ScanLayer; blobs: Blobs; progress: Progress };
export type ConcludePorts = SealPorts & { blobs: Blobs; signer: Signer; records: Records; progress: Progress };

/** Reads the published image: every layer, once, with every digest verified. */
export async function takeInventory(ports: InventoryPorts, job: VerificationJob): Promise<Digest> {
  await ports.progress.step(job.id, 'pull');
  const reference = pinnedReference(job.image.reference, job.image.manifestDigest);
  const image = await ports.registry.resolve(reference, job.image.platform);
  const inventory = await inventoryOf(ports, image, (layer) => ports.registry.openBlob(reference, layer));
  // Only now: reading the layers has shown that they have these diffIDs.
  await rememberLayers(ports.blobs, reference, image.manifestDigest, image.config);
  return inventory;
}

/** Finds the source, plans the build, builds, and reads what was built. What cannot be rebuilt is an answer, not an error. */
export async function rebuild(ports: RebuildPorts, job: VerificationJob, lastTry = true): Promise<Digest> {
  return putDocument(ports.blobs, await attemptRebuild(ports, job, lastTry));
}

/**
 * Follows the signed chain of every package that the image says it holds; meanwhile others are asked about those that hold. Then looks
 * up by their hashes the files that none of them explains.
 */
export async function gatherEvidence(ports: EvidencePorts, job: VerificationJob, published: Digest, lastTry = true): Promise<Digest> {
  await ports.progress.step(job.id, 'debian');
  const inventory = await getDocument<Inventory>(ports.blobs, published);
  const contents = await getContents(ports.blobs, inventory.contents);
  const packages = installedPackages(inventory, contents);
  const repositories = aptRepositories(inventory, contents, packages.architecture);
  const installed = { ...packages, dates: installationDates(inventory, contents), repositories };
  const onProgress = (done: number, total: number): void => ports.progress.log(job.id, `packages: ${done} of ${total} verified`);
  const asking = askOthers(ports);
  try {
    const onVerified = (one: PackageEvidence): void => {
      // Rebuilders build Debian's packages; a derivative's have other bytes.
      if (one.state === 'installed' && one.purl.startsWith('pkg:deb/debian/')) asking.about(one);
    };
    const evidence = await ports.debian.gather(installed, { onProgress, onVerified, lastTry });
    const onSearch = (count: number): void => ports.progress.log(job.id, `files looked up by their hashes: ${count} packages read`);
    const searched = await searchedEvidence(ports, { inventory, contents, installed, evidence }, onSearch);
    const told = await withSecurity(ports.blobs, searched, await ports.tracker?.latest());
    const lists = await ports.debian.verifyLists(aptLists(inventory, contents, repositories), packages.osRelease);
    const signed = lists.length === 0 ? told : { ...told, lists };
    return await putDocument(ports.blobs, { ...signed, ...(await asking.answers()) } satisfies DebianEvidence);
  } finally {
    asking.stop();
  }
}

/** Installs the verified packages anew, so that what their scripts generate can be compared. Once for each set of packages. */
export async function reinstall(ports: ReinstallPorts, job: VerificationJob, evidence: Digest): Promise<Digest | undefined> {
  const { blobs, progress } = ports;
  const { packages } = await getDocument<DebianEvidence>(blobs, evidence);
  // Scripts of third parties are not run: what they make would pass for the work of Debian's packages, or change it.
  const verified = packages.flatMap(({ name, version, architecture, state, status, chain }) =>
    chain === undefined || status !== 'verified' || state !== 'installed'
      ? []
      : [{ name, version, architecture, deb: chain.deb, open: () => blobs.open(chain.deb) }],
  );
  if (verified.length === 0) return undefined;
  await progress.step(job.id, 'reinstall');
  const debs = verified.map((one) => one.deb).sort();
  return once(blobs, `reinstall/v4/${digestOf(canonicalJson(debs))}`, async () => {
    const installed = await ports.reinstall({ id: job.id, packages: verified, onLog: (line) => progress.log(job.id, line) });
    try {
      if (installed.outcome.status === 'failed') return await putDocument(blobs, { debs, outcome: installed.outcome } satisfies Reinstall);
      const scan = await putScan(blobs, await ports.scanLayer(installed.outcome.tar, { mediaType: 'application/x-tar' }, wantsContent));
      return await putDocument(blobs, { debs, outcome: { status: 'installed', scan: await putDocument(blobs, scan) } } satisfies Reinstall);
    } finally {
      await installed.done();
    }
  });
}

/** Compares, attributes and decides (`judge`, pure), then signs and stores: exactly one verdict for each verification. */
export async function conclude(ports: ConcludePorts, job: VerificationJob, given: Omit<Inputs, 'base'>): Promise<VerdictRecord> {
  const { blobs, records, progress, signer } = ports;
  await progress.step(job.id, 'conclude');
  const base = await findBaseVerdict(records, await getDocument<Rebuild>(blobs, given.rebuild));
  const inputs = base === undefined ? given : { ...given, base };
  const loaded = await loadInputs(blobs, job, inputs);
  const { account, differences, ...judged } = judge(loaded);
  const byproducts = { ...inputs, account: await putLines(blobs, account), differences: await putLines(blobs, differences) };
  const stated = judged.state(byproducts);
  const statement = Buffer.from(canonicalJson(stated));
  const { digest } = await blobs.put([statement]);
  const packages = packagesOfVerdict(loaded.evidence, loaded.published, account);
  const lineOfLayer = lineOfLayers(loaded.published.layers, loaded.rebuild.dockerfile?.steps ?? []);
  const record: VerdictRecord = {
    digest,
    verification: job.id,
    image: job.image,
    verdict: judged.verdict,
    statement,
    signature: await signer.sign(statement),
    seals: await seal(ports, stated, statement, digest),
    account: byproducts.account,
    differences: byproducts.differences,
    packages,
    contents: contentsOfImage(loaded.evidence, loaded.published, account, packages, lineOfLayer),
  };
  if (await records.conclude(record)) return record;
  // An earlier run of this job got as far as storing: that verdict stands.
  return (await records.verdictOf(job.id)) ?? record;
}
