/** Judges images without a source as the service does, in this process: a real registry, the machine's own mirror of Debian. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeReinstaller } from '../../src/adapters/environment/reinstaller.ts';
import { readSubordinateIds } from '../../src/adapters/environment/subids.ts';
import { makeFileBlobs } from '../../src/adapters/blobs/file.ts';
import { makeDebian } from '../../src/adapters/debian/debian.ts';
import { debianSources } from '../../src/adapters/debian/sources.ts';
import { makeScanLayer } from '../../src/adapters/layers/scan.ts';
import { makeRegistry } from '../../src/adapters/registry/registry.ts';
import { getDocument, putDocument } from '../../src/flow/documents.ts';
import { loadInputs } from '../../src/flow/inputs.ts';
import type { DebianEvidence } from '../../src/model/debian.ts';
import type { Platform } from '../../src/model/oci.ts';
import type { Rebuild } from '../../src/model/rebuild.ts';
import type { AccountLine, Finding, Verdict } from '../../src/model/verdict.ts';
import type { VerificationJob } from '../../src/model/verification.ts';
import { gatherEvidence, reinstall, takeInventory } from '../../src/pipeline.ts';
import { judge } from '../../src/steps/judge.ts';
import { pushImage } from './push.ts';
import { startRegistry } from './registry.ts';

export type Audit = {
  verdict: Verdict;
  evidence: DebianEvidence;
  account: AccountLine[];
  line(path: string): AccountLine;
  finding(code: string): Finding | undefined;
  /** Paths without an account. */
  unexplained: string[];
};

export type Auditor = {
  /** `reinstall: false` leaves that step out, as where the packages cannot be installed. */
  audit(layers: Buffer[], options?: { platform?: Platform; reinstall?: boolean }): Promise<Audit>;
  stop(): Promise<void>;
};

const LIMITS = { seconds: 600, memoryBytes: 2 ** 31, diskBytes: 2 ** 32, processes: 500, logBytes: 2 ** 24 };

export async function startAuditor(): Promise<Auditor> {
  const folder = await mkdtemp(join(tmpdir(), 'conforme-auditor-'));
  const { host, stop } = await startRegistry();
  const blobs = makeFileBlobs(join(folder, 'blobs'));
  const scanLayer = makeScanLayer();
  const progress = { step: async () => undefined, log: () => undefined };
  const registry = makeRegistry({ fetch, insecure: [host] });
  const debian = makeDebian({ fetch, blobs, scanLayer, sources: await debianSources(), cacheDir: join(folder, 'debian') });
  let count = 0;
  return {
    async audit(layers, options = {}) {
      const { platform = { os: 'linux', architecture: 'amd64' } } = options;
      const reference = `${host}/kinds:${++count}`;
      const { digest } = await pushImage(host, 'kinds', layers, { tag: String(count), platform });
      const job: VerificationJob = {
        id: `kind-${count}`,
        request: { image: reference, platform: `${platform.os}/${platform.architecture}` },
        image: { reference, digest, manifestDigest: digest, platform },
      };
      const published = await takeInventory({ registry, scanLayer, blobs, progress }, job);
      const evidence = await gatherEvidence({ debian, blobs, progress }, job, published);
      const reinstaller = makeReinstaller({ folder: join(folder, 'jobs'), ids: await readSubordinateIds(), limits: LIMITS });
      const anew =
        options.reinstall === true ? await reinstall({ reinstall: reinstaller, scanLayer, blobs, progress }, job, evidence) : undefined;
      const rebuild: Rebuild = {
        resolvedDependencies: [],
        outcome: { status: 'not-comparable', reason: 'no-source', detail: '', lastLog: [] },
        finishedAt: new Date().toISOString(),
      };
      const inputs = {
        published,
        evidence,
        rebuild: await putDocument(blobs, rebuild),
        ...(anew === undefined ? {} : { reinstall: anew }),
      };
      const { verdict, account } = judge(await loadInputs(blobs, job, inputs));
      const byPath = new Map(account.map((one) => [one.path, one]));
      return {
        verdict,
        account,
        evidence: await getDocument<DebianEvidence>(blobs, evidence),
        line(path) {
          const line = byPath.get(path);
          if (line === undefined) throw new Error(`the image has no ${path}`);
          return line;
        },
        finding: (code) => verdict.findings.find((one) => one.code === code),
        unexplained: account.filter(({ attribution }) => attribution === 'unexplained').map(({ path }) => path),
      };
    },
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
