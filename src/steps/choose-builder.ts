import type { Dockerfile, Instruction, Stage } from '../model/dockerfile.ts';
import type { ResolvedImage } from '../model/oci.ts';
import type { BuildFailure, BuildPlan } from '../model/rebuild.ts';
import { failure, mounts, stagesFor, takesFrom } from './build-stages.ts';
import type { Recipe } from './find-recipe.ts';
import { publishedBuilder } from './published-build.ts';

type BuilderName = BuildPlan['builder'];
export type BuilderChoice = Pick<BuildPlan, 'builder' | 'detail'>;

const NAMES: Record<BuilderName, string> = { buildah: 'buildah', buildkit: 'BuildKit' };

/**
 * The builder that the published image shows, where it is set up here and can do what the Dockerfile asks; else the other one, with the
 * reason; else why none can.
 */
export function chooseBuilder(input: {
  published: ResolvedImage;
  dockerfile: Dockerfile;
  recipe: Recipe;
  /** Whether the context has a .dockerignore. */
  ignores: boolean;
  /** What is set up here. */
  builders: readonly BuilderName[];
}): BuilderChoice | BuildFailure {
  const { published, dockerfile, recipe, ignores, builders } = input;
  const first = publishedBuilder(published);
  let detail: string | undefined;
  let obstacle: BuildFailure | undefined;
  for (const builder of [first, first === 'buildah' ? 'buildkit' : 'buildah'] as const) {
    if (!builders.includes(builder)) {
      if (builder === first) detail = `the image was built by ${NAMES[builder]}, which is not set up here`;
      continue;
    }
    const stages = stagesFor(builder, dockerfile, recipe, published.platform);
    if (stages === undefined) return failure('build-failed', `the Dockerfile has no stage ${recipe.target ?? ''}`);
    const found = obstacleOf(
      builder,
      dockerfile,
      recipe,
      stages.map(([, stage]) => stage),
      ignores,
    );
    if (found === undefined) return { builder, ...(detail === undefined ? {} : { detail }) };
    // What nobody can give is no reason to try another builder.
    if (found.reason !== 'unsupported') return found;
    obstacle ??= found;
    if (builder === first) detail = `${NAMES[builder]} cannot do ${found.detail}`;
  }
  return obstacle === undefined
    ? failure('unsupported', 'no builder is set up here')
    : { ...obstacle, detail: builders.includes(first) ? obstacle.detail : `${obstacle.detail}: ${detail ?? ''}` };
}

function obstacleOf(
  builder: BuilderName,
  dockerfile: Dockerfile,
  recipe: Recipe,
  stages: readonly Stage[],
  ignores: boolean,
): BuildFailure | undefined {
  const instructions = stages.flatMap((stage) => stage.instructions);
  return (
    unknownFrontend(builder, recipe.syntax ?? recipe.buildArgs['BUILDKIT_SYNTAX'] ?? dockerfile.syntax) ??
    namedContext(builder, recipe, stages) ??
    (builder === 'buildkit' && ignores ? wholeContext(recipe) : undefined) ??
    instructions.flatMap((one) => obstacleIn(builder, one) ?? [])[0]
  );
}

/** What BuildKit did from a repository of its own, and cannot do with a folder that it is handed. */
function wholeContext(recipe: Recipe): BuildFailure | undefined {
  return recipe.wholeContext === true ? failure('unsupported', 'a context with a .dockerignore that is not heeded') : undefined;
}

/** The language that BuildKit 0.34 has built in. Minor releases add to it, and never take away. */
const FRONTEND_MINOR_MAX = 28;

/** A file may ask for a frontend image that reads it in ways of its own. Docker's own one reads the language that is checked here. */
function unknownFrontend(builder: BuilderName, syntax: string | undefined): BuildFailure | undefined {
  if (syntax === undefined) return undefined;
  const [, minor = '0', labs = ''] =
    /^(?:docker\.io\/)?docker\/dockerfile(?::(?:latest|1(?:\.(\d+)(?:\.\d+)?)?(-labs)?))?(?:@sha256:[0-9a-f]{64})?$/.exec(syntax) ?? [
      '',
      '999',
    ];
  const isKnown = builder === 'buildkit' ? Number(minor) <= FRONTEND_MINOR_MAX : Number(minor) < 999 && labs === '';
  return isKnown ? undefined : failure('unsupported', `the frontend # syntax=${syntax}`, 1);
}

/** What stood in for a name on the publisher's machine is not read yet: that the name is used at all is reason enough to stop. */
function namedContext(builder: BuilderName, { contexts }: Recipe, stages: readonly Stage[]): BuildFailure | undefined {
  const uses = stages.flatMap((stage) => [{ from: stage.image, line: stage.line }, ...stage.instructions.flatMap(takesFrom)]);
  // For buildah an image stands in for another one as its base does.
  const isGiven = (name: string): boolean =>
    Object.hasOwn(contexts, name) && (builder === 'buildkit' || contexts[name]?.startsWith('docker-image://') !== true);
  const replaced = uses.find(({ from }) => isGiven(from) || isGiven(`docker.io/library/${from}`));
  if (replaced === undefined) return undefined;
  return failure('unsupported', `the named context ${replaced.from}, which stood in for that name`, replaced.line);
}

const MOUNTS_KNOWN = new Set(['bind', 'cache', 'tmpfs']);
/** Here-documents and more came with buildah 1.33; what is missing for BuildKit needs rights over the machine, or its devices. */
const FLAGS_KNOWN: Record<BuilderName, Record<string, readonly string[]>> = {
  buildah: {
    RUN: ['mount', 'network'],
    COPY: ['from', 'chown', 'chmod'],
    ADD: ['chown', 'chmod'],
    HEALTHCHECK: ['interval', 'timeout', 'start-period', 'retries'],
  },
  buildkit: {
    RUN: ['mount', 'network'],
    COPY: ['from', 'chown', 'chmod', 'link', 'parents', 'exclude'],
    ADD: ['chown', 'chmod', 'link', 'checksum', 'keep-git-dir', 'unpack', 'exclude'],
    HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
  },
};

/** What the builder cannot do, or what nobody here can give. */
function obstacleIn(builder: BuilderName, { keyword, flags, heredoc, line }: Instruction): BuildFailure | undefined {
  if (heredoc && builder === 'buildah') return failure('unsupported', `a here-document in ${keyword}`, line);
  const unknown = flags.find(([name]) => FLAGS_KNOWN[builder][keyword]?.includes(name) === false);
  if (unknown !== undefined) return failure('unsupported', `${keyword} --${unknown[0]}`, line);
  if (keyword !== 'RUN') return undefined;
  for (const mount of mounts(flags)) {
    const type = mount.get('type') ?? 'bind';
    if (type === 'secret' || type === 'ssh') {
      const id = mount.get('id');
      return failure(
        'secret-required',
        `RUN --mount=type=${type}${id === undefined ? '' : `,id=${id}`} needs what only the publisher has`,
        line,
      );
    }
    if (!MOUNTS_KNOWN.has(type)) return failure('unsupported', `RUN --mount=type=${type}`, line);
  }
  return undefined;
}
