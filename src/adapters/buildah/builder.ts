import { mkdir, readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { BuildPlan, ResolvedDependency } from '../../model/rebuild.ts';
import type { Builder } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { readInside, unpackContext } from './context.ts';
import { readBuildFile, storageName, type BuildFile } from './dockerfile.ts';
import { PROXY_PORT, runInEnvironment, type Mount } from './environment.ts';
import { limitFailure, stepFailure, type NetworkFacts } from './failure.ts';
import { readImage, writeImage } from './images.ts';
import { createJob, type Job } from './jobs.ts';
import type { Limits } from './limits.ts';
import { logLines } from './log.ts';
import { buildahVersion, machineArchitecture, throwWhenMachineIsFull } from './machine.ts';
import { storageChoices } from './room.ts';
import type { SubordinateIds } from './subids.ts';

/** The way out of a build: connections from inside go in, what was asked for comes out. */
export type BuildProxy = {
  accept(socket: Socket): void;
  dependencies(): ResolvedDependency[];
  requests(): readonly { url: string; refused?: string }[];
  close(): Promise<void>;
};

export type BuilderOptions = {
  /** Where the folders of jobs are made. */
  folder: string;
  ids: SubordinateIds;
  limits: Limits;
  /** A proxy of its own for each build. */
  openProxy: () => BuildProxy;
};

type Outcome = Awaited<ReturnType<Builder['build']>>['outcome'];
type Refusal = Extract<Outcome, { status: 'not-comparable' }>;
type Order = Parameters<Builder['build']>[0];

const SCRIPT = join(import.meta.dirname, 'build.sh');
/** Docker's predefined build arguments: they point to the proxy of this build, wherever the published image's pointed. */
const PROXY_ARGUMENT = /^(https?|ftp|no|all)_proxy$/i;

/** Builds with buildah, each build in a clean environment of its own. */
export function makeBuilder(options: BuilderOptions): Builder {
  return {
    async build(order) {
      const job = await createJob(options.folder, options.ids);
      const proxy = options.openProxy();
      const done = async (): Promise<void> => {
        await proxy.close();
        await job.remove();
      };
      try {
        const builderVersion = await buildahVersion(job.folder);
        const outcome = await buildIn(job, proxy, options.limits, order);
        return { builderVersion, resolvedDependencies: proxy.dependencies(), outcome, done };
      } catch (error) {
        await done();
        throw error;
      }
    },
  };
}

async function buildIn(job: Job, proxy: BuildProxy, limits: Limits, order: Order): Promise<Outcome> {
  const { plan } = order;
  if (plan.platform.os !== 'linux' || plan.platform.architecture !== machineArchitecture()) {
    return refuse('unsupported', `the image is for ${plan.platform.os}/${plan.platform.architecture}, which this machine cannot run`);
  }
  const log = logLines(order.onLog);
  const run = { job, limits, onOutput: log.write, ...(order.signal && { signal: order.signal }) };

  const context = await job.innerFolder('context');
  const unpacked = await unpackContext(context, await order.context(), run);
  log.end();
  if (unpacked.kind === 'limit') return { status: 'not-comparable', ...limitFailure(unpacked.limit, limits, log.tail()) };
  if (unpacked.code !== 0) return { ...refuse('build-failed', 'the build context cannot be unpacked'), lastLog: log.tail() };

  const text = await readInside(context, plan.dockerfile);
  if (text === undefined) return refuse('build-failed', `the build context has no file ${plan.dockerfile}`);
  const file = readBuildFile(text, plan);

  const bases = await writeBases(job, order);
  const script = await readFile(SCRIPT, 'utf8');
  const command = [
    'env',
    ...environmentVariables(),
    'sh',
    '-c',
    script,
    'build.sh',
    String(plan.compressed !== true),
    ...bases.names,
    '--',
    ...budArguments(plan, file),
  ];
  const attempts = await storageChoices(limits, () => job.innerFolder('storage'));
  for (const [index, storage] of attempts.entries()) {
    const mounts: Mount[] = [
      { access: 'read', from: context, to: '/job/context' },
      { access: 'read', from: bases.folder, to: '/job/bases' },
      await storage.mount(),
      { access: 'write', from: await job.innerFolder(`run-${index}`), to: '/job/run' },
      { access: 'write', from: await job.innerFolder(`tmp-${index}`), to: '/job/tmp' },
      { access: 'write', from: join(job.folder, `tmp-${index}`), to: '/var/tmp' },
      { access: 'write', from: await job.innerFolder(`out-${index}`), to: '/job/out' },
    ];
    let phase = 'starting';
    const ended = await runInEnvironment({ ...run, command, mounts, onEvent: (line) => (phase = line), onConnection: proxy.accept });
    log.end();
    if (ended.kind === 'exit' && ended.code === 0)
      return { status: 'built', image: await readImage(join(job.folder, `out-${index}`, 'image')) };
    if (ended.kind === 'limit' && ended.limit === 'disk' && !storage.last) {
      order.onLog('conforme: there is not enough memory to build in; starting again on disk');
      continue;
    }
    await throwWhenMachineIsFull(job.folder);
    if (ended.kind === 'limit') return { status: 'not-comparable', ...limitFailure(ended.limit, limits, log.tail()) };
    if (phase !== 'building') throw new Problem('internal', `buildah failed while ${phase}: ${log.tail().slice(-3).join(' ')}`);
    return { status: 'not-comparable', ...stepFailure(ended.code, log.tail(), file, networkFacts(proxy)) };
  }
  throw new Problem('internal', 'there was nowhere to build');
}

function budArguments(plan: BuildPlan, file: BuildFile): string[] {
  const platform = [plan.platform.os, plan.platform.architecture, plan.platform.variant].filter((part) => part !== undefined).join('/');
  const args = ['--runtime=runc', '--isolation=rootless', '--network=host', '--pull=never', '--no-cache', '--identity-label=false'];
  args.push(
    `--layers=${plan.layers !== 'one'}`,
    `--format=${plan.format}`,
    `--platform=${platform}`,
    `--file=/job/context/${plan.dockerfile}`,
  );
  if (plan.target !== undefined) args.push(`--target=${plan.target}`);
  if (plan.epoch !== undefined) args.push(`--timestamp=${plan.epoch}`);
  for (const [name, value] of Object.entries(plan.buildArgs)) if (!PROXY_ARGUMENT.test(name)) args.push(`--build-arg=${name}=${value}`);
  for (const [written, base] of file.images) args.push(`--build-context=${written}=container-image://${storageName(base)}`);
  return [...args, '/job/context'];
}

/** From buildah's environment the proxy reaches ADD and RUN and, unlike build arguments, not even the history. */
function environmentVariables(): string[] {
  const proxy = `http://127.0.0.1:${PROXY_PORT}`;
  const values = {
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: 'localhost,127.0.0.1',
    TMPDIR: '/job/tmp',
  };
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}

/** Writes each base once; `names` are the arguments of build.sh. */
async function writeBases(job: Job, { plan, bases }: Order): Promise<{ folder: string; names: string[] }> {
  const folder = join(job.folder, 'bases');
  await mkdir(folder);
  const names: string[] = [];
  const distinct = new Map(bases.map((base) => [base.image.manifestDigest, base]));
  for (const [digest, { image, openBlob }] of distinct) {
    const name = String(names.length);
    await writeImage(join(folder, name), image, openBlob);
    const tags = new Set(plan.bases.filter((base) => base.manifestDigest === digest).map(storageName));
    for (const tag of tags) names.push(`/job/bases/${name}`, tag);
  }
  return { folder, names };
}

function networkFacts(proxy: BuildProxy): NetworkFacts {
  const refused = proxy.requests().flatMap(({ url, refused: reason }) => (reason === undefined ? [] : [{ url, reason }]));
  return { refused, fetched: proxy.dependencies() };
}

function refuse(reason: 'unsupported' | 'build-failed', detail: string): Refusal {
  return { status: 'not-comparable', reason, detail, lastLog: [] };
}
