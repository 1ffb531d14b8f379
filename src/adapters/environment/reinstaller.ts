import { createWriteStream } from 'node:fs';
import { constants, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hexOf } from '../../model/digest.ts';
import type { Reinstaller } from '../../ports.ts';
import { runInEnvironment, type Ended } from './environment.ts';
import { limitFailure } from './failure.ts';
import { createJob, type Job } from './jobs.ts';
import type { Limits } from './limits.ts';
import { logLines } from './log.ts';
import { runsHere, throwWhenMachineIsFull } from './machine.ts';
import { storageChoices } from './room.ts';
import type { SubordinateIds } from './subids.ts';

export type ReinstallerOptions = { folder: string; ids: SubordinateIds; limits: Limits };

type Order = Parameters<Reinstaller>[0];
type Outcome = Awaited<ReturnType<Reinstaller>>['outcome'];

const SCRIPT = join(import.meta.dirname, 'reinstall.sh');
// deb-control(5): what may stand in a package's name, version and architecture. Anything else could speak to apt's command line.
const NAME = /^[a-z0-9][a-z0-9+.-]+$/;
const VERSION = /^[0-9][A-Za-z0-9.+~:-]*$/;
const ARCHITECTURE = /^[a-z0-9-]+$/;

/**
 * Installs verified packages with mmdebstrap, without any network, so that what their maintainer scripts and triggers make can be
 * compared with what an image holds. A set that cannot be installed is an answer; a fault of this machine is thrown.
 */
export function makeReinstaller(options: ReinstallerOptions): Reinstaller {
  return async (order) => {
    const odd = order.packages.find(
      ({ name, version, architecture }) => !NAME.test(name) || !VERSION.test(version) || !ARCHITECTURE.test(architecture),
    );
    if (odd !== undefined) return failed(`no package can be named ${JSON.stringify(odd.name)}`);
    const [native = 'amd64'] = architecturesOf(order.packages);
    if (!runsHere(native)) return failed(`this machine cannot run the maintainer scripts of packages for ${native}`);
    const job = await createJob(options.folder, options.ids);
    try {
      return { outcome: await reinstallIn(job, options.limits, order), done: job.remove };
    } catch (error) {
      await job.remove();
      throw error;
    }
  };
}

function failed(detail: string): Awaited<ReturnType<Reinstaller>> {
  return { outcome: { status: 'failed', detail, lastLog: [] }, done: async () => undefined };
}

async function reinstallIn(job: Job, limits: Limits, order: Order): Promise<Outcome> {
  const { packages } = order;
  const debs = join(job.folder, 'debs');
  await mkdir(debs);
  for (const { deb, open: openDeb } of packages) await pipeline(await openDeb(), createWriteStream(join(debs, `${hexOf(deb)}.deb`)));

  const [native = 'amd64', ...foreign] = architecturesOf(packages);
  const include = packages.map(
    ({ name, version, architecture }) => `${name}${foreign.includes(architecture) ? `:${architecture}` : ''}=${version}`,
  );
  await writeFile(join(debs, 'include'), include.map((one) => `${one}\n`).join(''));
  const script = await readFile(SCRIPT, 'utf8');
  const log = logLines(order.onLog);
  const attempts = await storageChoices(limits, () => job.innerFolder('storage'));
  let ended: Ended = { kind: 'exit', code: 1 };
  for (const [index, storage] of attempts.entries()) {
    ended = await runInEnvironment({
      job,
      limits,
      command: ['sh', '-c', script, 'reinstall.sh', [native, ...foreign].join(',')],
      mounts: [
        { access: 'read', from: debs, to: '/job/debs' },
        await storage.mount(),
        { access: 'write', from: await job.innerFolder(`tmp-${index}`), to: '/tmp' },
        { access: 'write', from: await job.innerFolder(`out-${index}`), to: '/job/out' },
      ],
      onOutput: log.write,
      ...(order.signal && { signal: order.signal }),
    });
    log.end();
    if (ended.kind === 'exit' && ended.code === 0)
      return { status: 'installed', tar: await openResult(join(job.folder, `out-${index}`, 'root.tar')) };
    if (ended.kind === 'exit' || ended.limit !== 'disk') break;
  }
  await throwWhenMachineIsFull(job.folder);
  const detail = ended.kind === 'limit' ? limitFailure(ended.limit, limits, []).detail : 'the packages cannot be installed together';
  return { status: 'failed', detail, lastLog: log.tail() };
}

/** The architecture that most packages have is the image's own; `all` is every one's. */
function architecturesOf(packages: Order['packages']): string[] {
  const counts = new Map<string, number>();
  for (const { architecture } of packages) if (architecture !== 'all') counts.set(architecture, (counts.get(architecture) ?? 0) + 1);
  return [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || (a < b ? -1 : 1));
}

async function openResult(path: string) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  return file.createReadStream();
}
