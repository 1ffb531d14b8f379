import { parseDockerfile } from '../../../model/dockerfile.ts';
import { textFromBytes } from '../../../model/path.ts';
import { variables } from '../../build-stages.ts';
import { found, type Found, type Scene } from '../finding.ts';
import { unpinnedBases } from './base-images.ts';
import { leftCaches } from './caches.ts';
import { uncheckedDownloads, uncheckedOf } from './downloads.ts';
import type { DockerfileScene, Fault, FaultRule } from './fault.ts';
import { unpinnedRepositories } from './repositories.ts';
import { pipedToShell } from './shells.ts';
import { type StepOptions, stepsOf } from '../../dockerfile-steps.ts';
import { compiledPackages } from './tarballs.ts';
import { varyingSteps } from './varying.ts';

const RULES: readonly FaultRule[] = [
  unpinnedBases,
  pipedToShell,
  uncheckedDownloads,
  unpinnedRepositories,
  varyingSteps,
  leftCaches,
  compiledPackages,
  unreadSteps,
];

/** What the Dockerfile itself does that makes the image harder to audit: advice for its author, and no part of any answer. */
export function* dockerfileFaults(scene: Scene): Generator<Found> {
  const { rebuild, image, published, evidence } = scene.file;
  if (rebuild.dockerfile?.text === undefined) return;
  const { buildArgs, target } = rebuild.plan ?? {};
  const known = knownPackages(evidence);
  const faults = faultsOf(
    rebuild.dockerfile.text,
    {
      platform: image.platform,
      ...(buildArgs === undefined ? {} : { buildArgs }),
      ...(target === undefined ? {} : { target }),
      env: published.inventory.config.config?.Env ?? [],
    },
    { holds: once((folder) => holdsFiles(scene, `${folder}/`)), packaged: (name) => known.get(name) },
  );
  for (const { code, line, message, evidence: facts = {} } of faults) {
    const shown = Object.entries(facts).map(([name, value]) => [name, printable(value)]);
    yield found(scene, code, `line ${line}: ${printable(message)}`, {
      line,
      evidence: Object.fromEntries(shown) as Record<string, string>,
    });
  }
}

/** The faults of a Dockerfile in the order of its lines, each once for a line. */
export function faultsOf(text: string, options: StepOptions, knowledge: Pick<DockerfileScene, 'holds' | 'packaged'>): Fault[] {
  const parsed = parseDockerfile(text);
  if (!parsed.ok) return [];
  const { dockerfile } = parsed;
  const { steps, stages } = stepsOf(dockerfile, options);
  const values = variables(dockerfile, options.buildArgs ?? {}, options.platform);
  const scene: DockerfileScene = { dockerfile, values, steps, stages, unchecked: uncheckedOf(steps), ...knowledge };
  const once = new Map<string, Fault>();
  for (const rule of RULES) for (const fault of rule(scene)) once.set(`${fault.code} ${fault.line} ${fault.message}`, fault);
  return [...once.values()].sort((a, b) => a.line - b.line);
}

/** Silence about a step that nobody read would look like praise. */
function* unreadSteps({ steps }: DockerfileScene): Generator<Fault> {
  for (const { unread, instruction } of steps)
    if (unread)
      yield { code: 'step-unread', line: instruction.line, message: 'the script of the step is too long or too nested to be looked into' };
}

/** Names of binary and source packages that the evidence has met in Debian's signed indexes. */
function knownPackages({ packages, search }: Scene['file']['evidence']): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const { name, source, status } of packages) {
    if (status !== 'verified') continue;
    known.set(name, name);
    if (!known.has(source)) known.set(source, name);
  }
  for (const { package: purl } of search?.others ?? []) {
    const name = /^pkg:deb\/[^/]+\/([^@/]+)@/.exec(purl)?.[1];
    if (name !== undefined && !known.has(name)) known.set(name, name);
  }
  return known;
}

function holdsFiles({ file: { published } }: Scene, prefix: string): boolean {
  const { entries, hidden } = published.inventory;
  // apt leaves its lock behind, and an empty folder.
  const counts = ({ path, kind, size = 0 }: { path: string; kind: string; size?: number }): boolean =>
    kind === 'file' && size > 0 && path.startsWith(prefix);
  return entries.some(counts) || hidden.some(counts);
}

/** Steps ask for the same few folders over and over, and an image has 100,000 files. */
function once(ask: (folder: string) => boolean): (folder: string) => boolean {
  const answers = new Map<string, boolean>();
  return (folder) => {
    const answer = answers.get(folder) ?? ask(folder);
    answers.set(folder, answer);
    return answer;
  };
}

function printable(text: string): string {
  return textFromBytes(Buffer.from(text.slice(0, 400)));
}
