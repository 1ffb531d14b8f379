import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount } from './environment.ts';

/** How a build's steps are run; `mounts` are for the builder itself. */
type StepSetting = { runtime: string; volumes: string[]; mounts: Mount[] };

/** For a build that takes the archives as they are. */
export const NOW: StepSetting = { runtime: 'runc', volumes: [], mounts: [] };

const INSIDE = '/job/past';
/** In memory that the runtime puts over the image's own /dev: the file that is mounted there needs no empty one in the image. */
const IN_STEP = '/dev/conforme-apt.conf';

/**
 * buildah can give a step no variable that does not stay in the image, so this stands before the runtime and writes one into the step's
 * configuration (config.json of the OCI runtime specification). A quotation mark inside of a text has a backslash before it there: what is
 * replaced is the key itself. It comes first, so that a variable of that name which the image has counts.
 */
const RUNTIME = `#!/bin/sh
bundle= last=
for word; do
  if [ "$last" = --bundle ]; then bundle=$word; fi
  last=$word
done
if [ -n "$bundle" ]; then sed -i '0,/"env":\\[/s##&"APT_CONFIG=${IN_STEP}",#' "$bundle/config.json"; fi
exec runc "$@"
`;

/** Release files of a time past are beyond their `Valid-Until`, and apt refuses them unless a file that APT_CONFIG names says otherwise: apt.conf(5). */
export async function pastApt(folder: string): Promise<StepSetting> {
  const from = join(folder, 'past');
  await mkdir(from);
  await writeFile(join(from, 'apt.conf'), 'Acquire::Check-Valid-Until "false";\n');
  await writeFile(join(from, 'runc'), RUNTIME);
  await chmod(join(from, 'runc'), 0o755);
  return {
    runtime: `${INSIDE}/runc`,
    volumes: [`${INSIDE}/apt.conf:${IN_STEP}:ro`],
    mounts: [{ access: 'read', from, to: INSIDE }],
  };
}
