/**
 * The composition of the workers. As a program it plays the roles `rebuild`, `evidence`, `conclude` and `deliver` as far as
 * CONFORME_ROLES names them; `api/main.ts` takes its parts from here. Adapters are loaded where their role is played, so that the
 * process that runs builds never even loads what holds the key or the database.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pino, { type Logger } from 'pino';
import { openBlobs } from '../src/adapters/blobs/open.ts';
import type { OpenRecords } from '../src/adapters/database/open.ts';
import { makeDispatcher, makeFetch } from '../src/adapters/network/fetch.ts';
import { makeGuard } from '../src/adapters/network/guard.ts';
import { makeConsume } from '../src/adapters/queue/consume.ts';
import type { Past } from '../src/adapters/network/past.ts';
import { makeProgress } from '../src/adapters/queue/progress.ts';
import type { OthersPorts } from '../src/flow/ask-others.ts';
import { type Config, parseConfig, type Role, unknownVariables } from '../src/config.ts';
import { webhookSecrets } from '../src/model/setting-text.ts';
import type { BuildPlan } from '../src/model/rebuild.ts';
import { snapshotTime } from '../src/model/snapshot-time.ts';
import type { Blobs, Consume, EnvelopeSigner, Git, Progress, Records, Registry, Signer, TellEnd } from '../src/ports.ts';
import { Problem } from '../src/problem.ts';
import { together, untilStopped } from './lifetime.ts';
import { logged } from './log.ts';
import type { Running } from './running.ts';

/** What every role needs. */
export type Common = {
  config: Config;
  log: Logger;
  /** Of Redis. */
  address: string;
  blobs: Blobs;
  progress: Progress;
  tellEnd: TellEnd;
  consume: Consume;
  /** For what a caller or an image names. */
  fetch: typeof globalThis.fetch;
};

export function makeLogger(config: Config): Logger {
  return pino({ level: config.logLevel, base: { pid: process.pid, roles: config.roles.join(',') } });
}

/** Errors that are being worked around, each kind once a minute: a Redis that is away is told by every connection, all the time. */
export function makeOnError(log: Logger): (error: unknown, context?: string) => void {
  const QUIET_MILLISECONDS = 60_000;
  const told = new Map<string, number>();
  return (error, context = 'database') => {
    const key = `${context} ${error instanceof Error ? error.message : String(error)}`.slice(0, 200);
    if (Date.now() - (told.get(key) ?? 0) < QUIET_MILLISECONDS) return;
    if (told.size > 1_000) told.clear();
    told.set(key, Date.now());
    log.warn({ err: error, context }, 'an error behind the scenes');
  };
}

export async function openCommon(config: Config, address: string, log: Logger): Promise<Common & Running> {
  const onError = makeOnError(log);
  const blobs = openBlobs(config.blobsUrl ?? pathToFileURL(join(config.dataDir, 'blobs')).href);
  const progress = makeProgress(address, onError);
  return {
    config,
    log,
    address,
    blobs,
    progress,
    tellEnd: progress.end,
    consume: logged(makeConsume(address, onError), log),
    fetch: makeFetch(makeGuard({ allow: config.allowAddresses, hosts: [] })),
    close: progress.close,
  };
}

/** Inventory, rebuild and reinstall: what reads and runs foreign bytes. */
export async function startRebuild(common: Common): Promise<Running> {
  const { config, log, blobs, progress, consume } = common;
  const { makeScanLayer } = await import('../src/adapters/layers/scan.ts');
  const { LOOKED_AT_LIMITS, makeScanArchive } = await import('../src/adapters/archives/scan.ts');
  const { makeProxy } = await import('../src/adapters/network/proxy.ts');
  const { makePast } = await import('../src/adapters/network/past.ts');
  const { snapshotAddress } = await import('../src/adapters/debian/snapshot-address.ts');
  const { makeBuilder } = await import('../src/adapters/environment/builder.ts');
  const { buildah } = await import('../src/adapters/buildah/buildah.ts');
  const { findBuildkit } = await import('../src/adapters/buildkit/buildkit.ts');
  const { makeReinstaller } = await import('../src/adapters/environment/reinstaller.ts');
  const { makeBuiltLayers } = await import('../src/adapters/built-layers/built-layers.ts');
  const { makeRunConfined } = await import('../src/adapters/environment/confined.ts');
  const { makeScratch } = await import('../src/adapters/environment/scratch.ts');
  const { findDiffoscope } = await import('../src/adapters/diffoscope/diffoscope.ts');
  const { sweepJobs } = await import('../src/adapters/environment/jobs.ts');
  const { sweepCgroups } = await import('../src/adapters/environment/cgroup.ts');
  const { readSubordinateIds } = await import('../src/adapters/environment/subids.ts');
  const { runRebuild } = await import('./rebuild.ts');

  const ids = await readSubordinateIds();
  const folder = join(config.dataDir, 'jobs');
  const swept = await sweepJobs(folder, ids);
  await sweepCgroups();
  if (swept > 0) log.info({ swept }, 'removed what builds of a worker that was killed had left');

  const buildkit = config.buildkit === 'none' ? undefined : await findBuildkit(config.buildkit);
  if (buildkit === undefined) log.info('no BuildKit is set up here; images that it built are rebuilt with buildah, as far as that can');

  const diffoscope = await findDiffoscope(makeRunConfined({ folder, ids }));
  if (diffoscope === undefined) log.info('no diffoscope is installed here; what differs inside of files is told without it');

  const archives = makeGuard({ allow: config.allowAddresses, hosts: await archiveHosts(config) });
  const { snapshotUrl } = config;
  // An archive of snapshots is run by volunteers, and asks for few connections.
  const snapshotFetch = makeFetch(archives, makeDispatcher(archives, 4));
  const pastOf = ({ asOf }: Pick<BuildPlan, 'asOf'>): { past?: Past } => {
    const time = snapshotTime(Date.parse(asOf?.time ?? ''));
    if (snapshotUrl === undefined || time === undefined) return {};
    return { past: makePast({ fetch: snapshotFetch, archiveAt: (archive, then) => snapshotAddress(snapshotUrl, archive, then), time }) };
  };
  const limits = {
    seconds: config.buildSeconds,
    memoryBytes: config.buildMemory,
    diskBytes: config.buildDisk,
    processes: config.buildProcesses,
    logBytes: config.buildLogBytes,
  };
  const ports = {
    registry: await openRegistry(common),
    scanLayer: makeScanLayer(),
    scanArchive: makeScanArchive(),
    git: await openGit(common),
    builder: makeBuilder({
      folder,
      ids,
      limits,
      programs: buildkit === undefined ? [buildah] : [buildah, buildkit],
      openProxy: (plan, keep) => makeProxy({ guard: archives, keep, ...pastOf(plan) }),
    }),
    explaining: {
      openScratch: makeScratch({ folder, ids }),
      builtLayers: makeBuiltLayers(join(folder, 'built-layers')),
      scanArchive: makeScanArchive(LOOKED_AT_LIMITS),
      ...(diffoscope && { tool: diffoscope }),
    },
    snapshots: snapshotUrl !== undefined,
    reinstall: makeReinstaller({ folder, ids, limits }),
    blobs,
    progress,
    now: () => new Date(),
    buildSeconds: config.buildSeconds,
  };
  return together(runRebuild(ports, consume, config.rebuilds));
}

export async function startEvidence({ config, log, blobs, progress, consume, fetch: foreignFetch }: Common): Promise<Running> {
  const { makeScanLayer } = await import('../src/adapters/layers/scan.ts');
  const { makeDebian } = await import('../src/adapters/debian/debian.ts');
  const { debianSources } = await import('../src/adapters/debian/sources.ts');
  const { runEvidence } = await import('./evidence.ts');
  const fetch = makeFetch(makeGuard({ allow: config.allowAddresses, hosts: await archiveHosts(config) }));
  const sources = await debianSources(config.debianMirror);
  const debian = makeDebian({
    fetch,
    foreignFetch,
    blobs,
    scanLayer: makeScanLayer(),
    sources,
    cacheDir: join(config.dataDir, 'debian'),
    derivatives: config.derivatives,
    ...(config.snapshotUrl === undefined ? {} : { snapshot: config.snapshotUrl }),
  });
  const ports = { debian, ...(await others(config, blobs)), blobs, progress };
  if (config.securityTrackerUrl === undefined) return runEvidence(ports, consume);
  const { makeSecurityTracker } = await import('../src/adapters/tracker/tracker.ts');
  const { runTracker } = await import('./tracker.ts');
  const url = config.securityTrackerUrl;
  const stateFile = join(config.dataDir, 'debian', 'security-tracker.json');
  const trackerFetch = makeFetch(makeGuard({ allow: config.allowAddresses, hosts: [new URL(url).hostname] }));
  const tracker = makeSecurityTracker({ fetch: trackerFetch, blobs, url, stateFile, now: () => new Date() });
  return together([runEvidence({ ...ports, tracker }, consume), runTracker(tracker, makeOnError(log))]);
}

/** Who is asked about packages beside Debian's archive. */
async function others(config: Config, blobs: Blobs): Promise<OthersPorts> {
  const { makeAskRebuilders } = await import('../src/adapters/rebuilders/rebuilders.ts');
  const { makeAskBuildinfos } = await import('../src/adapters/rebuilders/buildinfos.ts');
  const { rebuilders, rebuildersRequired: atLeast, buildinfosUrl: url } = config;
  const hosts = [...rebuilders.map((one) => one.url), ...(url === undefined ? [] : [url])].map((address) => new URL(address).hostname);
  const fetch = makeFetch(makeGuard({ allow: config.allowAddresses, hosts }));
  return {
    ...(rebuilders.length === 0 ? {} : { askRebuilders: makeAskRebuilders({ fetch, blobs, rebuilders, atLeast }) }),
    ...(url === undefined ? {} : { askBuildinfos: makeAskBuildinfos({ fetch, blobs, url }) }),
  };
}

/** Judging, signing, storing; and the upkeep of queue and database. */
export async function startConclude(common: Common, records: Records, signers: Signers): Promise<Running> {
  const { makeQueue } = await import('../src/adapters/queue/queue.ts');
  const { runConclude } = await import('./conclude.ts');
  const { runUpkeep } = await import('./upkeep.ts');
  const { blobs, progress, tellEnd, config } = common;
  const onError = makeOnError(common.log);
  const queue = makeQueue(common.address, onError);
  const ports = {
    blobs,
    progress,
    tellEnd,
    records,
    ...signers,
    queue,
    publicUrl: config.publicUrl,
    forges: config.forges,
    attachTo: config.attachTo,
    now: () => new Date(),
  };
  const roles = [runConclude(ports, common.consume), runUpkeep(ports, onError)];
  if (config.securityTrackerUrl !== undefined) {
    const { latestTrackerData } = await import('../src/adapters/tracker/tracker.ts');
    const { runSecurityData } = await import('./security-data.ts');
    roles.push(runSecurityData({ ...ports, tracker: { latest: () => latestTrackerData(blobs, new Date()) } }, onError));
  }
  const all = together(roles);
  return {
    async close() {
      await all.close();
      await queue.close();
    },
  };
}

export async function startDeliver({ config, log, fetch, consume }: Common, records: Records): Promise<Running> {
  const { runDeliver } = await import('./deliver.ts');
  const { makeAttach } = await import('../src/adapters/registry/attach.ts');
  const { openAccess } = await import('../src/adapters/registry/push.ts');
  const { readSecret } = await import('../src/adapters/openpgp/secret-file.ts');
  const secrets = await webhookSecretsOf(config);
  const { forges, publicUrl, attachAs } = config;
  const attach = makeAttach(openAccess(registryOptions({ config, log, fetch })), attachAs);
  return runDeliver({ records, fetch, secrets, forges, readSecret, attach, publicUrl, now: () => new Date() }, consume);
}

/** The database that is configured, else the embedded one, which one process may have open. */
export async function openDatabase(config: Config, log: Logger): Promise<OpenRecords> {
  const { openPglite, openPostgres } = await import('../src/adapters/database/open.ts');
  log.info('opening the database');
  if (config.databaseUrl === undefined) return openPglite(join(config.dataDir, 'database'));
  return openPostgres(config.databaseUrl, makeOnError(log));
}

export type Signers = { signer: Signer; envelopeSigner: EnvelopeSigner };

/** The keys of this instance, made in the data folder on first start. */
export async function openSigners(config: Config): Promise<Signers> {
  const { makeSigner } = await import('../src/adapters/openpgp/signer.ts');
  const { readOrMake } = await import('../src/adapters/openpgp/secret-file.ts');
  const { makeEnvelopeKey, makeEnvelopeSigner } = await import('../src/adapters/dsse/signer.ts');
  const folder = join(config.dataDir, 'key');
  const { text, path } = await readOrMake(folder, 'envelope-key.pem', async () => makeEnvelopeKey());
  return { signer: await makeSigner(folder, config.instance, config.keyEmail), envelopeSigner: makeEnvelopeSigner(text, path) };
}

/** Standard Webhooks 1.0.0, "Symmetric". Throws `invalid-configuration`. */
async function webhookSecretsOf(config: Config): Promise<readonly string[]> {
  if (config.webhookSecrets !== undefined) return config.webhookSecrets;
  const { readOrMake } = await import('../src/adapters/openpgp/secret-file.ts');
  const { text, path } = await readOrMake(config.dataDir, 'webhook-secret', async () => `whsec_${randomBytes(32).toString('base64')}`);
  try {
    return webhookSecrets(text);
  } catch (thrown) {
    throw new Problem('invalid-configuration', `${path}: ${thrown instanceof Error ? thrown.message : 'does not parse'}`);
  }
}

export async function openRegistry({ config, log, fetch }: Pick<Common, 'config' | 'log' | 'fetch'>): Promise<Registry> {
  const { makeRegistry } = await import('../src/adapters/registry/registry.ts');
  return makeRegistry({ ...registryOptions({ config, log, fetch }), mirrors: config.registryMirrors });
}

function registryOptions({ config, log, fetch }: Pick<Common, 'config' | 'log' | 'fetch'>) {
  return {
    fetch,
    insecure: config.registriesInsecure,
    dockerConfig: config.dockerConfig ?? join(homedir(), '.docker'),
    onNote: (note: string) => log.warn({ note }, 'registry credentials'),
  };
}

/** git, whose every request goes through a proxy that refuses what callers may not reach. */
export async function openGit({ config }: Pick<Common, 'config'>): Promise<Git> {
  const { makeGit, sweepClones } = await import('../src/adapters/git/git.ts');
  const { makeProxy } = await import('../src/adapters/network/proxy.ts');
  const workDir = join(config.dataDir, 'git');
  await sweepClones(workDir, new Date());
  return makeGit({
    workDir,
    async openProxy() {
      const proxy = makeProxy({ guard: makeGuard({ allow: config.allowAddresses, hosts: [] }), secret: randomUUID() });
      const address = await proxy.listen({ host: '127.0.0.1', port: 0 });
      const refusals = (): string[] =>
        proxy.requests().flatMap(({ url, refused }) => (refused === undefined ? [] : [`${url} (${refused})`]));
      return { address: address ?? '', refusals, close: proxy.close };
    },
  });
}

/** Hosts of the archives that the operator chose: they may be reached wherever their names lead. */
async function archiveHosts(config: Config): Promise<string[]> {
  const { debianSources } = await import('../src/adapters/debian/sources.ts');
  const { archive, security } = await debianSources(config.debianMirror);
  const snapshots = config.snapshotUrl === undefined ? [] : [config.snapshotUrl];
  const derived = config.derivatives.flatMap(({ addresses }) => addresses);
  return [...archive, ...security, ...snapshots, ...derived].map((address) => new URL(address).hostname);
}

async function main(): Promise<void> {
  const config = parseConfig(process.env);
  const log = makeLogger(config);
  const unknown = unknownVariables(process.env);
  if (unknown.length > 0) log.warn({ unknown }, 'no such settings');
  if (config.redisUrl === undefined) throw new Problem('invalid-configuration', 'REDIS_URL: a worker takes its jobs from there');
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const started: Running[] = [];
  untilStopped(started, log, { child: process.argv.includes('--child') });
  const plays = (role: Role): boolean => config.roles.includes(role);
  const database = plays('conclude') || plays('deliver') ? await openDatabase(config, log) : undefined;
  if (database !== undefined) started.push(database);
  const common = await openCommon(config, config.redisUrl, log);
  started.push(common);

  const roles: Running[] = [];
  started.push(together(roles));
  if (database !== undefined && plays('conclude')) {
    const signers = await openSigners(config);
    await database.keys.publish(signers.signer, signers.envelopeSigner);
    roles.push(await startConclude(common, database.records, signers));
  }
  if (database !== undefined && plays('deliver')) roles.push(await startDeliver(common, database.records));
  if (plays('evidence')) roles.push(await startEvidence(common));
  if (plays('rebuild')) roles.push(await startRebuild(common));
  log.info('ready');
}

if (import.meta.main) {
  main().catch((thrown: unknown) => {
    process.stderr.write(`${thrown instanceof Problem ? `${thrown.code}: ${thrown.message}` : String(thrown)}\n`);
    process.exit(1);
  });
}
