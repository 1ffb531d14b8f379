import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../scripts/demo/run.ts';
import type { Digest } from '../../src/model/digest.ts';

/** `buildkitd` and `buildctl`, as scripts/setup --test brought them. */
export const BUILDKIT = join(import.meta.dirname, '../../node_modules/.buildkit');

/** Options of every test that needs BuildKit: where setup could not bring it, the reason is what the test reports. */
export const needsBuildkit: { skip?: string } = existsSync(join(BUILDKIT, 'buildkitd'))
  ? {}
  : {
      skip: existsSync(join(BUILDKIT, 'missing'))
        ? readFileSync(join(BUILDKIT, 'missing'), 'utf8').trim()
        : 'scripts/setup --test was not run',
    };

export type BuildkitOrder = {
  /** A folder with a Dockerfile. */
  context: string;
  /** Where the image is pushed; a registry on loopback is spoken to over plain HTTP. */
  reference: string;
  /** `--opt` of buildctl: `build-arg:SOURCE_DATE_EPOCH`, `target`, `attest:provenance`, `vcs:revision` … */
  opts?: Record<string, string>;
  /** Attributes of the exporter `image`: `rewrite-timestamp`, `oci-mediatypes`, `compression` … */
  output?: Record<string, string>;
  /** Further arguments of `buildctl build`. */
  args?: string[];
  onLine?: (line: string) => void;
};

const SCRIPT = `
state=$1 programs=$2
shift 2
"$programs/buildkitd" --rootless --oci-worker-net=host --containerd-worker=false --root "$state/root" --addr "unix://$state/socket" > "$state/log" 2>&1 &
tries=0
until "$programs/buildctl" --addr "unix://$state/socket" debug workers > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ $tries -gt 300 ]; then cat "$state/log"; exit 1; fi
  sleep 0.1
done
"$programs/buildctl" --addr "unix://$state/socket" build "$@"`;

/** A publisher's own build machine: a BuildKit with an empty cache, and the machine's network. The digest is the index's where there are attestations. */
export async function publishWithBuildkit(order: BuildkitOrder): Promise<Digest> {
  const { context, reference, opts = {}, output = {}, args = [], onLine } = order;
  const state = await mkdtemp(join(tmpdir(), 'conforme-buildkit-'));
  const namespaces = ['--user', '--map-root-user', '--map-auto', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const attributes = Object.entries({ type: 'image', name: reference, push: 'true', ...output }).map(([key, value]) => `${key}=${value}`);
  const build = [
    '--progress=plain',
    '--frontend=dockerfile.v0',
    `--local=context=${context}`,
    `--local=dockerfile=${context}`,
    `--output=${attributes.join(',')}`,
    `--metadata-file=${state}/metadata.json`,
    ...Object.entries(opts).flatMap(([key, value]) => ['--opt', `${key}=${value}`]),
    ...args,
  ];
  try {
    await run(
      'unshare',
      [...namespaces, '--', 'sh', '-euc', SCRIPT, 'buildkit', state, BUILDKIT, ...build],
      onLine === undefined ? {} : { onLine },
    );
    const metadata = JSON.parse(await readFile(join(state, 'metadata.json'), 'utf8')) as { 'containerimage.digest': Digest };
    return metadata['containerimage.digest'];
  } finally {
    // What was unpacked belongs to the subordinate ids.
    await once(spawn('unshare', ['--user', '--map-root-user', '--map-auto', '--', 'rm', '-rf', state]), 'close');
  }
}
