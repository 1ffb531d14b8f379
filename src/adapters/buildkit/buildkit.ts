import { execFile } from 'node:child_process';
import { access, constants, readFile, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { BuildPlan } from '../../model/rebuild.ts';
import { formatReference, parseReference } from '../../model/reference.ts';
import type { BuildProgram } from '../../ports-build.ts';
import { Problem } from '../../problem.ts';
import { explain } from './words.ts';

const SCRIPT = join(import.meta.dirname, 'build.sh');
const PROGRAMS = ['buildkitd', 'buildctl'] as const;
/** Docker's predefined build arguments: they point to the proxy of this build, wherever the published image's pointed. */
const PROXY_ARGUMENT = /^(https?|ftp|no|all)_proxy$/i;
/** They would change what is handed over (an index), or who reads the Dockerfile. */
const OWN_ARGUMENTS = new Set(['BUILDKIT_MULTI_PLATFORM', 'BUILDKIT_SYNTAX']);

/** Older ones lack options that are needed, or make other bytes by default. */
const OLDEST = [0, 30] as const;

/** BuildKit's two programs in a folder, which then has to have them, or on the PATH; undefined where they are not there, or too old. */
export async function findBuildkit(folder?: string): Promise<BuildProgram | undefined> {
  const folders = folder === undefined ? (process.env.PATH ?? '').split(delimiter) : [folder];
  for (const one of folders) {
    const found = await Promise.all(PROGRAMS.map((name) => executable(join(one, name))));
    const paths = found.filter((path) => path !== undefined);
    if (paths.length < PROGRAMS.length) continue;
    const [major = 0, minor = 0] = (await versionOf(paths[0] ?? '')).split('.').map(Number);
    if (major > OLDEST[0] || minor >= OLDEST[1]) return makeBuildkit(paths);
  }
  if (folder === undefined) return undefined;
  throw new Problem('environment-missing', `${folder} has no ${PROGRAMS.join(' and ')} of version ${OLDEST.join('.')} or later`);
}

async function versionOf(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version']).catch((cause: unknown) => {
    throw new Problem('environment-missing', `${path} does not run here`, { cause });
  });
  return /\sv?(\d\S*)/.exec(stdout)?.[1] ?? 'unknown';
}

async function executable(path: string): Promise<string | undefined> {
  return access(path, constants.X_OK).then(
    () => realpath(path),
    () => undefined,
  );
}

function makeBuildkit(paths: string[]): BuildProgram {
  return {
    name: 'buildkit',
    images: 'oci',
    // containerd mounts no overlay with `userxattr` where it sees a tmpfs, although tmpfs has these attributes since Linux 6.6. Without them no step can
    // rename a folder that it made beside those of a lower layer (EXDEV), which is how dpkg makes each.
    // https://github.com/containerd/containerd/blob/v2.2.0/plugins/snapshots/overlay/overlayutils/check.go
    onDisk: true,
    files: paths.map((from, index) => ({ from, to: `/job/programs/${PROGRAMS[index]}` })),
    explain,
    version: () => versionOf(paths[0] ?? ''),
    async command({ plan, bases, proxy, runtime, volumes, hostName }) {
      const script = await readFile(SCRIPT, 'utf8');
      const environment = { ...proxyVariables(proxy), ...QUIET, PATH: '/job/programs:/usr/sbin:/usr/bin:/sbin:/bin', TMPDIR: '/job/tmp' };
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const layouts = new Map(bases.map(({ folder }, index) => [folder, `base-${index}`]));
      const opts = {
        ...frontendOptions(plan, proxy),
        ...(hostName === undefined ? {} : { hostname: hostName }),
        ...Object.fromEntries(
          bases.map(({ pinned, folder, digest }) => [
            `context:${contextName(pinned.reference)}`,
            `oci-layout://${layouts.get(folder) ?? ''}@${digest}`,
          ]),
        ),
      };
      const command = ['env', ...variables, 'sh', '-c', script, 'build.sh', runtime, ...volumes, '--'];
      command.push('--progress=plain', '--frontend=dockerfile.v0', '--allow=network.host');
      command.push('--local=context=/job/context', '--local=dockerfile=/job/context', '--source-policy-file=/job/run/policy.json');
      for (const [folder, name] of layouts) command.push(`--oci-layout=${name}=${folder}`);
      for (const [name, value] of Object.entries(opts)) command.push('--opt', `${name}=${value}`);
      return [...command, `--output=${exporterAttributes(plan).join(',')}`];
    },
  };
}

/** The environment's own limit on logs holds. */
const QUIET = { BUILDKIT_STEP_LOG_MAX_SIZE: '-1', BUILDKIT_STEP_LOG_MAX_SPEED: '-1', DO_NOT_TRACK: '1' };

/** For what buildkitd itself fetches (ADD), and as predefined arguments, which reach RUN and no image, for the steps. */
function proxyVariables(proxy: string): Record<string, string> {
  return { http_proxy: proxy, https_proxy: proxy, HTTP_PROXY: proxy, HTTPS_PROXY: proxy, no_proxy: 'localhost,127.0.0.1' };
}

function frontendOptions(plan: BuildPlan, proxy: string): Record<string, string> {
  const { os, architecture, variant } = plan.platform;
  const given = Object.entries(plan.buildArgs).filter(([name]) => !PROXY_ARGUMENT.test(name) && !OWN_ARGUMENTS.has(name));
  const args = { ...Object.fromEntries(given), ...proxyVariables(proxy) };
  return {
    filename: plan.dockerfile,
    platform: [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/'),
    ...(plan.target === undefined ? {} : { target: plan.target }),
    ...Object.fromEntries(Object.entries(args).map(([name, value]) => [`build-arg:${name}`, value])),
    ...Object.fromEntries(Object.entries(plan.labels ?? {}).map(([name, value]) => [`label:${name}`, value])),
    ...(plan.epoch === undefined ? {} : { 'build-arg:SOURCE_DATE_EPOCH': String(plan.epoch) }),
    // As if a frontend image that `# syntax=` names had called this one already, so that it is not asked for:
    // https://github.com/moby/buildkit/blob/v0.34.2/frontend/dockerfile/builder/build.go#L54
    cmdline: 'dockerfile.v0',
  };
}

/**
 * Media types and compression are said outright. That is all that `compatibility-version` decides about an image: its levels differ in
 * the default of the first, and in forbidding zstd.
 */
function exporterAttributes({ format, compression, epoch }: BuildPlan): string[] {
  return [
    'type=oci',
    'tar=false',
    'dest=/job/out/image',
    `oci-mediatypes=${format === 'oci'}`,
    `compression=${compression ?? 'uncompressed'}`,
    ...(epoch === undefined ? [] : ['rewrite-timestamp=true']),
  ];
}

/** The name under which the frontend looks for what replaces an image: familiar, and without the tag `latest`. */
function contextName(reference: string): string {
  return formatReference(parseReference(reference))
    .replace(/^docker\.io\/(library\/)?/, '')
    .replace(/:latest$/, '');
}
