import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildFile } from '../../model/build-file.ts';
import type { BuildPlan, PinnedBase } from '../../model/rebuild.ts';
import { formatReference, parseReference } from '../../model/reference.ts';
import type { BuildProgram } from '../../ports-build.ts';
import { Problem } from '../../problem.ts';
import { explain } from './words.ts';

const SCRIPT = join(import.meta.dirname, 'build.sh');
const AS_PUBLISHED = join(import.meta.dirname, 'as-published.ts');
/** Docker's predefined build arguments: they point to the proxy of this build, wherever the published image's pointed. */
const PROXY_ARGUMENT = /^(https?|ftp|no|all)_proxy$/i;

/** buildah and runc, as Debian has them. */
export const buildah: BuildProgram = {
  name: 'buildah',
  images: 'dir',
  version,
  files: [
    { from: process.execPath, to: '/job/programs/node' },
    { from: AS_PUBLISHED, to: '/job/programs/as-published.ts' },
  ],
  explain,
  async command({ plan, file, bases, proxy, runtime, volumes }) {
    const names = bases.flatMap(({ pinned, folder }) => [folder, storageName(pinned)]);
    const script = await readFile(SCRIPT, 'utf8');
    const environment = Object.entries(environmentVariables(proxy)).map(([name, value]) => `${name}=${value}`);
    const compress = plan.compression === 'gzip';
    const kept = plan.baseBlobs === 'kept' ? bases.find(({ pinned }) => pinned.beneath === true)?.folder : undefined;
    return [
      'env',
      ...environment,
      'sh',
      '-c',
      script,
      'build.sh',
      String(!compress),
      plan.epoch === undefined || plan.overlayNotes === 'kept' ? 'with' : 'without',
      kept ?? '',
      ...names,
      '--',
      ...budArguments(plan, file, { runtime, volumes }),
    ];
  },
};

function budArguments(plan: BuildPlan, file: BuildFile, steps: { runtime: string; volumes: readonly string[] }): string[] {
  const platform = [plan.platform.os, plan.platform.architecture, plan.platform.variant].filter((part) => part !== undefined).join('/');
  const args = [`--runtime=${steps.runtime}`, ...steps.volumes.map((volume) => `--volume=${volume}`)];
  args.push('--isolation=rootless', '--network=host', '--pull=never', '--no-cache', '--identity-label=false');
  args.push(
    `--layers=${plan.layers !== 'one'}`,
    `--format=${plan.format}`,
    `--platform=${platform}`,
    `--file=/job/context/${plan.dockerfile}`,
  );
  if (plan.wholeContext === true) args.push('--ignorefile=/dev/null');
  if (plan.target !== undefined) args.push(`--target=${plan.target}`);
  if (plan.epoch !== undefined) args.push(`--timestamp=${plan.epoch}`);
  for (const [name, value] of Object.entries(plan.buildArgs)) if (!PROXY_ARGUMENT.test(name)) args.push(`--build-arg=${name}=${value}`);
  for (const [name, value] of Object.entries(plan.labels ?? {})) args.push(`--label=${name}=${value}`);
  for (const [written, base] of file.images) args.push(`--build-context=${written}=container-image://${storageName(base)}`);
  return [...args, '/job/context'];
}

/** From buildah's environment the proxy reaches ADD and RUN and, unlike build arguments, not even the history. */
function environmentVariables(proxy: string): Record<string, string> {
  return {
    http_proxy: proxy,
    https_proxy: proxy,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    no_proxy: 'localhost,127.0.0.1',
    TMPDIR: '/job/tmp',
  };
}

/**
 * What a base is called in buildah's storage: as in the Dockerfile, because that name goes into the history of what is built.
 * buildah cannot give an image a name with a digest.
 */
function storageName({ reference }: PinnedBase): string {
  const parsed = parseReference(reference);
  const tag = parsed.digest === undefined ? (parsed.tag ?? 'latest') : parsed.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  return formatReference({ registry: parsed.registry, repository: parsed.repository, tag });
}

/** buildah makes folders in its temporary folder even for this: it is given one that goes. */
async function version(folder: string): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder };
  const child = spawn('buildah', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'], env });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    await once(child, 'close');
  } catch (cause) {
    throw new Problem('environment-missing', 'buildah is not installed', { cause });
  }
  return /buildah version (\S+)/.exec(text)?.[1] ?? 'unknown';
}
