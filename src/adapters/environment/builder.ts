import { mkdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { readBuildFile } from '../../model/build-file.ts';
import type { Digest } from '../../model/digest.ts';
import type { FetchedFile } from '../../model/download.ts';
import type { BuildConditions, BuildPlan, ResolvedDependency } from '../../model/rebuild.ts';
import type { Builder, BuildProgram } from '../../ports-build.ts';
import { Problem } from '../../problem.ts';
import { readInside, unpackContext } from './context.ts';
import { PROXY_PORT, runInEnvironment, type Mount } from './environment.ts';
import { buildFailure, limitFailure, type NetworkFacts } from './failure.ts';
import { readImage, writeImage } from './images.ts';
import { createJob, type Job } from './jobs.ts';
import type { Limits } from './limits.ts';
import { logLines } from './log.ts';
import { machineArchitecture, throwWhenMachineIsFull, usableProcessors } from './machine.ts';
import { NOW, pastApt } from './past-apt.ts';
import { storageChoices } from './room.ts';
import type { SubordinateIds } from './subids.ts';

/** The way out of a build: connections from inside go in, what was asked for comes out. */
export type BuildProxy = {
  accept(socket: Socket): void;
  dependencies(): ResolvedDependency[];
  fetched(): Promise<FetchedFile[]>;
  requests(): readonly { url: string; refused?: string }[];
  archiveFault(): string | undefined;
  close(): Promise<void>;
};

export type BuilderOptions = {
  /** Where the folders of jobs are made. */
  folder: string;
  ids: SubordinateIds;
  limits: Limits;
  /** A proxy of its own for each build; with `asOf`, archives answer as they were then. What it keeps goes into `folder`. */
  openProxy: (plan: Pick<BuildPlan, 'asOf'>, folder: string) => BuildProxy;
  programs: readonly BuildProgram[];
};

type Outcome = Awaited<ReturnType<Builder['build']>>['outcome'];
type Refusal = Extract<Outcome, { status: 'not-comparable' }>;
type Order = Parameters<Builder['build']>[0];

/** Builds with the program that the plan names, each build in a clean environment of its own. */
export function makeBuilder(options: BuilderOptions): Builder {
  return {
    builders: options.programs.map(({ name }) => name),
    async build(order) {
      const program = options.programs.find(({ name }) => name === order.plan.builder);
      if (program === undefined) throw new Problem('environment-missing', `${order.plan.builder} is not set up here`);
      const job = await createJob(options.folder, options.ids);
      const proxy = options.openProxy(order.plan, join(job.folder, 'fetched'));
      const done = async (): Promise<void> => {
        await proxy.close();
        await job.remove();
      };
      try {
        const builderVersion = await program.version(job.folder);
        const limits = { ...options.limits, seconds: Math.min(options.limits.seconds, order.seconds ?? Infinity) };
        const { affinity, ...conditions } = await conditionsFor(order.unlike);
        const outcome = await buildIn(program, { job, proxy, limits, order, conditions, affinity });
        const fault = proxy.archiveFault();
        return {
          builderVersion,
          conditions,
          resolvedDependencies: proxy.dependencies(),
          fetched: await proxy.fetched(),
          outcome,
          ...(fault === undefined ? {} : { archiveFault: fault }),
          done,
        };
      } catch (error) {
        await done();
        throw error;
      }
    },
  };
}

type Build = {
  job: Job;
  proxy: BuildProxy;
  limits: Limits;
  order: Order;
  /** `storage` is set as soon as it is known. */
  conditions: BuildConditions;
  /** Numbers of the processors that programs may use, where that are not all. */
  affinity: readonly number[] | undefined;
};

async function buildIn(program: BuildProgram, { job, proxy, limits, order, conditions, affinity }: Build): Promise<Outcome> {
  const { plan } = order;
  if (plan.platform.os !== 'linux' || plan.platform.architecture !== machineArchitecture()) {
    return refuse('unsupported', `the image is for ${plan.platform.os}/${plan.platform.architecture}, which this machine cannot run`);
  }
  const log = logLines(order.onLog);
  const run = { job, limits, onOutput: log.write, ...(order.signal && { signal: order.signal }) };

  const context = await job.innerFolder('context');
  const unpacked = await unpackContext(context, await order.context(), { ...run, touch: plan.sourceTimes === 'checkout' });
  log.end();
  if (unpacked.kind === 'limit') return { status: 'not-comparable', ...limitFailure(unpacked.limit, limits, log.tail()) };
  if (unpacked.code !== 0) return { ...refuse('build-failed', 'the build context cannot be unpacked'), lastLog: log.tail() };

  const text = await readInside(context, plan.dockerfile);
  if (text === undefined) return refuse('build-failed', `the build context has no file ${plan.dockerfile}`);
  const file = readBuildFile(text, plan);

  const bases = await writeBases(job, program.images, order);
  const steps = plan.asOf === undefined ? NOW : await pastApt(job.folder);
  const command = await program.command({
    plan,
    file,
    bases: bases.named,
    proxy: `http://127.0.0.1:${PROXY_PORT}`,
    ...(order.unlike && { hostName: conditions.hostName }),
    ...steps,
  });
  const files = program.files.map((one): Mount => ({ access: 'read', ...one }));
  const onDisk = program.onDisk === true || order.unlike?.storage === 'memory';
  const attempts = await storageChoices(limits, () => job.innerFolder('storage'), onDisk);
  for (const [index, storage] of attempts.entries()) {
    conditions.storage = storage.kind;
    const mounts: Mount[] = [
      ...files,
      { access: 'read', from: context, to: '/job/context' },
      { access: 'read', from: bases.folder, to: '/job/bases' },
      await storage.mount(),
      { access: 'write', from: await job.innerFolder(`run-${index}`), to: '/job/run' },
      { access: 'write', from: await job.innerFolder(`tmp-${index}`), to: '/job/tmp' },
      { access: 'write', from: join(job.folder, `tmp-${index}`), to: '/var/tmp' },
      { access: 'write', from: await job.innerFolder(`out-${index}`), to: '/job/out' },
      ...steps.mounts,
    ];
    let phase = 'starting';
    const ended = await runInEnvironment({
      ...run,
      command,
      mounts,
      hostName: conditions.hostName,
      ...(affinity && { processors: affinity }),
      onEvent: (line) => (phase = line),
      onConnection: proxy.accept,
    });
    log.end();
    if (ended.kind === 'exit' && ended.code === 0)
      return { status: 'built', image: await readImage(join(job.folder, `out-${index}`, 'image'), program.images) };
    if (ended.kind === 'limit' && ended.limit === 'disk' && !storage.last) {
      order.onLog('conforme: there is not enough memory to build in; starting again on disk');
      continue;
    }
    await throwWhenMachineIsFull(job.folder);
    if (ended.kind === 'limit') return { status: 'not-comparable', ...limitFailure(ended.limit, limits, log.tail()) };
    if (phase !== 'building') throw new Problem('internal', `${program.name} failed while ${phase}: ${log.tail().slice(-3).join(' ')}`);
    const words = program.explain(log.tail(), file);
    return { status: 'not-comparable', ...buildFailure(words, ended.code, log.tail(), networkFacts(proxy)) };
  }
  throw new Problem('internal', 'there was nowhere to build');
}

const HOST_NAMES = ['localhost', 'rebuild'] as const;

/**
 * Another name and one processor less than before: half of them would make a compiler take twice as long. Where there is one processor, or
 * no room in memory, that stays as it was.
 */
async function conditionsFor(unlike: BuildConditions | undefined): Promise<BuildConditions & Pick<Build, 'affinity'>> {
  const all = await usableProcessors();
  const fewer = unlike !== undefined && unlike.processors === all.length && all.length > 1;
  return {
    startedAt: new Date().toISOString(),
    hostName: HOST_NAMES.find((name) => name !== unlike?.hostName) ?? HOST_NAMES[0],
    processors: fewer ? all.length - 1 : all.length,
    affinity: fewer ? all.slice(0, -1) : undefined,
    storage: 'disk',
  };
}

/** Writes each base once, where it can be read inside. */
async function writeBases(job: Job, layout: BuildProgram['images'], { plan, bases }: Order) {
  const folder = join(job.folder, 'bases');
  await mkdir(folder);
  const written = new Map<Digest, { folder: string; digest: Digest }>();
  for (const { image, openBlob } of bases) {
    if (written.has(image.manifestDigest)) continue;
    const name = String(written.size);
    const digest = await writeImage(join(folder, name), layout, image, openBlob);
    written.set(image.manifestDigest, { folder: `/job/bases/${name}`, digest });
  }
  const named = plan.bases.flatMap((pinned) => {
    const base = written.get(pinned.manifestDigest);
    return base === undefined ? [] : [{ pinned, ...base }];
  });
  return { folder, named };
}

function networkFacts(proxy: BuildProxy): NetworkFacts {
  const refused = proxy.requests().flatMap(({ url, refused: reason }) => (reason === undefined ? [] : [{ url, reason }]));
  return { refused, fetched: proxy.dependencies() };
}

function refuse(reason: 'unsupported' | 'build-failed', detail: string): Refusal {
  return { status: 'not-comparable', reason, detail, lastLog: [] };
}
