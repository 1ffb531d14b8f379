import { expandVariables, type Dockerfile, type Instruction, type Stage } from '../model/dockerfile.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Platform, ResolvedImage } from '../model/oci.ts';
import type { AsOf, BuildFailure, BuildPlan, PinnedBase } from '../model/rebuild.ts';
import { failure, lineageOf, platformName, stagesFor, stagesThrough, takesFrom, variables } from './build-stages.ts';
import type { BuilderChoice } from './choose-builder.ts';
import type { Recipe } from './find-recipe.ts';
import {
  publishedBaseBlobs,
  publishedCompression,
  publishedEpoch,
  publishedLayers,
  publishedNotes,
  publishedSourceTimes,
} from './published-build.ts';

/**
 * References of every image that the build takes from outside (`FROM`, `COPY --from`, `RUN --mount=from=`), variables replaced, in the order in
 * which they are first named; without `scratch` and the file's own stages.
 */
export function basesOf(
  dockerfile: Dockerfile,
  recipe: Pick<Recipe, 'target' | 'buildArgs' | 'contexts'>,
  platform: Platform,
  builder: BuildPlan['builder'] = 'buildah',
): { references: string[]; /** What the last stage rests on. */ final?: string | undefined } | BuildFailure {
  const built = stagesFor(builder, dockerfile, recipe, platform);
  if (built === undefined) return failure('build-failed', `the Dockerfile has no stage ${recipe.target ?? ''}`);
  const values = variables(dockerfile, recipe.buildArgs, platform);
  const references = new Set<string>();
  for (const [index, stage] of built) {
    const image = expandVariables(stage.image, values);
    if (image.missing !== undefined || image.text === '')
      return failure('build-failed', `FROM ${stage.image} has no image: the argument ${image.missing ?? ''} has no value`, stage.line);
    const wanted = expandVariables(stage.platform ?? '', values).text;
    if (wanted !== '' && wanted !== platformName(platform))
      return failure('unsupported', `FROM --platform=${wanted} in an image for ${platformName(platform)}`, stage.line);
    if (stage.name !== undefined && Object.hasOwn(recipe.contexts, stage.name))
      return failure('unsupported', `a named context in the place of the stage ${stage.name}`, stage.line);
    const isStage = (name: string): boolean => dockerfile.stages.slice(0, index).some((earlier) => earlier.name === name.toLowerCase());
    if (image.text !== 'scratch' && !isStage(image.text)) references.add(image.text);
    for (const { from, line } of stage.instructions.flatMap(takesFrom)) {
      if (from.includes('$')) return failure('unsupported', `a variable in --from=${from}`, line);
      if (!isStage(from) && !(/^\d+$/.test(from) && Number(from) < index)) references.add(from);
    }
  }
  const stages = stagesThrough(dockerfile, recipe.target) ?? [];
  return { references: [...references], final: lineage(stages, values).base };
}

/** Decides what to build and how, out of what the image shows of how it was built; or says why conforme cannot. */
export function planBuild(input: {
  recipe: Recipe;
  published: ResolvedImage;
  dockerfile: Dockerfile;
  /** What {@link basesOf} named, and what each was pinned to. */
  bases: { image: ResolvedImage; pinned: PinnedBase }[];
  choice: BuilderChoice;
  asOf?: AsOf;
  /** What the published image holds. */
  inventory?: Pick<Inventory, 'entries'>;
  /** When the source was committed, in seconds since 1970-01-01 UTC. */
  commitTime?: number | undefined;
}): BuildPlan {
  const { recipe, published, dockerfile, bases } = input;
  const { builder } = input.choice;
  const stages = stagesThrough(dockerfile, recipe.target) ?? [];
  const values = variables(dockerfile, recipe.buildArgs, published.platform);
  const { base, steps } = lineage(stages, values);
  const beneath = bases.find(({ pinned }) => pinned.reference === base)?.image;
  const epoch = publishedEpoch(published, beneath);
  // Only then can the manifests be equal, and compressing takes seconds.
  const compression = epoch === undefined ? undefined : publishedCompression(published);
  const { inventory = { entries: [] }, commitTime: commit } = input;
  const sourceTimes = builder === 'buildkit' ? publishedSourceTimes(inventory, beneath, { epoch, commit }) : undefined;
  const overlayNotes = builder === 'buildah' && epoch !== undefined ? publishedNotes(inventory, beneath) : undefined;
  const baseBlobs = builder === 'buildah' && compression !== undefined ? publishedBaseBlobs(published, beneath) : undefined;
  return {
    ...input.choice,
    dockerfile: recipe.dockerfile.replace(/^(\.?\/)+/, ''),
    ...(recipe.target === undefined ? {} : { target: recipe.target }),
    buildArgs: recipe.buildArgs,
    ...(recipe.wholeContext === true ? { wholeContext: true } : {}),
    ...(Object.keys(recipe.labels).length === 0 ? {} : { labels: recipe.labels }),
    ...(Object.keys(recipe.origins).length === 0 ? {} : { origins: recipe.origins }),
    platform: published.platform,
    bases: bases.map(({ pinned }) => pinned),
    ...(epoch === undefined ? {} : { epoch }),
    format: builder === 'buildah' ? formatFor(published) : formatOf(published),
    ...(builder === 'buildah' ? { layers: publishedLayers(published, beneath, steps) } : {}),
    ...(compression === undefined ? {} : { compression }),
    ...(overlayNotes === undefined ? {} : { overlayNotes }),
    ...(baseBlobs === undefined ? {} : { baseBlobs }),
    ...(sourceTimes === undefined ? {} : { sourceTimes }),
    ...(input.asOf === undefined ? {} : { asOf: input.asOf }),
  };
}

const formatOf = ({ manifest }: ResolvedImage): BuildPlan['format'] =>
  manifest.mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci';

/** The published image's; but in OCI's own, buildah leaves out what only Docker specifies: Healthcheck, Shell and OnBuild. */
function formatFor(published: ResolvedImage): BuildPlan['format'] {
  const { Healthcheck, Shell, OnBuild = [] } = published.config.config ?? {};
  return Healthcheck !== undefined || Shell !== undefined || OnBuild.length > 0 ? 'docker' : formatOf(published);
}

/** What the last stage rests on: its image from outside, and the instructions on top of that, through stages built on stages. */
function lineage(stages: readonly Stage[], values: ReadonlyMap<string, string>): { base: string | undefined; steps: Instruction[] } {
  const chain = lineageOf(stages, stages.length - 1, values).reverse();
  const image = expandVariables(stages[chain[0] ?? -1]?.image ?? 'scratch', values).text;
  const steps = chain.flatMap((index) => stages[index]?.instructions ?? []);
  return { base: image === 'scratch' ? undefined : image, steps };
}
