import { expandVariables, type Dockerfile, type Instruction, type Stage } from '../model/dockerfile.ts';
import type { Platform, ResolvedImage } from '../model/oci.ts';
import type { AsOf, BuildFailure, BuildPlan, NotComparable } from '../model/rebuild.ts';
import type { Recipe } from './find-recipe.ts';
import { publishedEpoch, publishedLayers } from './published-build.ts';

/**
 * References of every image that the build takes from outside (`FROM`, `COPY --from`, `RUN --mount=from=`), variables replaced, in the order in
 * which they are first named; without `scratch` and the file's own stages.
 */
export function basesOf(
  dockerfile: Dockerfile,
  recipe: Pick<Recipe, 'target' | 'buildArgs'>,
  platform: Platform,
): { references: string[] } | BuildFailure {
  const stages = stagesThrough(dockerfile, recipe.target);
  if (stages === undefined) return failure('build-failed', `the Dockerfile has no stage ${recipe.target ?? ''}`);
  const values = variables(dockerfile, recipe.buildArgs, platform);
  const references = new Set<string>();
  for (const [index, stage] of stages.entries()) {
    const image = expandVariables(stage.image, values);
    if (image.missing !== undefined || image.text === '')
      return failure('build-failed', `FROM ${stage.image} has no image: the argument ${image.missing ?? ''} has no value`, stage.line);
    const wanted = expandVariables(stage.platform ?? '', values).text;
    if (wanted !== '' && wanted !== platformName(platform))
      return failure('unsupported', `FROM --platform=${wanted} in an image for ${platformName(platform)}`, stage.line);
    const isStage = (name: string): boolean => stages.slice(0, index).some((earlier) => earlier.name === name.toLowerCase());
    if (image.text !== 'scratch' && !isStage(image.text)) references.add(image.text);
    for (const { from, line } of stage.instructions.flatMap(takesFrom)) {
      if (from.includes('$')) return failure('unsupported', `a variable in --from=${from}`, line);
      if (!isStage(from) && !(/^\d+$/.test(from) && Number(from) < index)) references.add(from);
    }
  }
  return { references: [...references] };
}

/** Decides what to build and how, out of what the image shows of how it was built; or says why conforme cannot. */
export function planBuild(input: {
  recipe: Recipe;
  published: ResolvedImage;
  dockerfile: Dockerfile;
  /** What {@link basesOf} named, and what each was pinned to. */
  references: string[];
  bases: ResolvedImage[];
  asOf?: AsOf;
}): BuildPlan | BuildFailure {
  const { recipe, published, dockerfile, references, bases } = input;
  const stages = stagesThrough(dockerfile, recipe.target) ?? [];
  const obstacle =
    unknownFrontend(recipe.syntax === undefined ? dockerfile : recipe) ??
    stages.flatMap((stage) => stage.instructions).flatMap((one) => obstacleIn(one) ?? [])[0];
  if (obstacle !== undefined) return obstacle;

  const values = variables(dockerfile, recipe.buildArgs, published.platform);
  const { base, steps } = lineage(stages, (text) => expandVariables(text, values).text);
  const beneath = base === undefined ? undefined : bases[references.indexOf(base)];
  const epoch = publishedEpoch(published, beneath);
  return {
    builder: 'buildah',
    dockerfile: recipe.dockerfile.replace(/^(\.?\/)+/, ''),
    ...(recipe.target === undefined ? {} : { target: recipe.target }),
    buildArgs: recipe.buildArgs,
    ...(Object.keys(recipe.labels).length === 0 ? {} : { labels: recipe.labels }),
    ...(Object.keys(recipe.origins).length === 0 ? {} : { origins: recipe.origins }),
    platform: published.platform,
    bases: bases.map(({ digest, manifestDigest }, index) => ({ reference: references[index] ?? '', digest, manifestDigest })),
    ...(epoch === undefined ? {} : { epoch }),
    format: published.manifest.mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci',
    layers: publishedLayers(published, beneath, steps),
    ...(input.asOf === undefined ? {} : { asOf: input.asOf }),
  };
}

/** The stages that are built for a target: buildah 1.28 builds each one before it, needed or not. */
function stagesThrough(dockerfile: Dockerfile, target: string | undefined): Stage[] | undefined {
  if (target === undefined) return dockerfile.stages;
  const named = dockerfile.stages.findIndex(({ name }) => name === target.toLowerCase());
  const index = named >= 0 ? named : /^\d+$/.test(target) ? Number(target) : -1;
  return index < 0 || index >= dockerfile.stages.length ? undefined : dockerfile.stages.slice(0, index + 1);
}

/** What the last stage rests on: its image from outside, and the instructions on top of that, through stages built on stages. */
function lineage(stages: readonly Stage[], expand: (text: string) => string): { base: string | undefined; steps: Instruction[] } {
  const steps: Instruction[] = [];
  let index = stages.length - 1;
  for (;;) {
    const stage = stages[index];
    if (stage === undefined) return { base: undefined, steps };
    steps.unshift(...stage.instructions);
    const image = expand(stage.image);
    const parent = stages.slice(0, index).findLastIndex(({ name }) => name === image.toLowerCase());
    if (parent < 0) return { base: image === 'scratch' ? undefined : image, steps };
    index = parent;
  }
}

/** Global scope: platform arguments, then ARG before FROM with its default or the value given for the build. */
export function variables(dockerfile: Dockerfile, buildArgs: Record<string, string>, platform: Platform): Map<string, string> {
  const name = platformName(platform);
  const values = new Map<string, string>();
  // This machine builds for its own platform, so that of the builder and that of the target are one.
  for (const side of ['BUILD', 'TARGET']) {
    values.set(`${side}PLATFORM`, name).set(`${side}OS`, platform.os).set(`${side}ARCH`, platform.architecture);
    values.set(`${side}VARIANT`, platform.variant ?? '');
  }
  for (const { name: arg, value } of dockerfile.args) {
    const given = Object.hasOwn(buildArgs, arg) ? buildArgs[arg] : value === undefined ? undefined : expandVariables(value, values).text;
    if (given !== undefined) values.set(arg, given);
  }
  return values;
}

export function takesFrom({ keyword, flags, line }: Instruction): { from: string; line: number }[] {
  if (keyword === 'COPY') return flags.flatMap(([name, value]) => (name === 'from' ? [{ from: value, line }] : []));
  if (keyword !== 'RUN') return [];
  return mounts(flags).flatMap((mount) => (mount.has('from') ? [{ from: mount.get('from') ?? '', line }] : []));
}

export function mounts(flags: Instruction['flags']): Map<string, string>[] {
  return flags.flatMap(([name, value]) => {
    if (name !== 'mount') return [];
    const options = value.replace(/^["']|["']$/g, '').split(',');
    return [new Map(options.map((option): [string, string] => [option.split('=', 1)[0] ?? '', option.slice(option.indexOf('=') + 1)]))];
  });
}

/** A file may ask for a frontend image that reads it in ways of its own. Docker's own one reads the language that is checked here. */
function unknownFrontend({ syntax }: Pick<Dockerfile, 'syntax'>): BuildFailure | undefined {
  if (syntax === undefined || /^(docker\.io\/)?docker\/dockerfile(:1(\.\d+)*)?(@sha256:[0-9a-f]{64})?$/.test(syntax)) return undefined;
  return failure('unsupported', `the frontend # syntax=${syntax}`, 1);
}

const MOUNTS_KNOWN = new Set(['bind', 'cache', 'tmpfs']);
const FLAGS_KNOWN: Record<string, string[]> = {
  RUN: ['mount', 'network'],
  COPY: ['from', 'chown', 'chmod'],
  ADD: ['chown', 'chmod'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'retries'],
};

/** What buildah 1.28 cannot do, or what nobody here can give. Here-documents came with buildah 1.33. */
function obstacleIn({ keyword, flags, heredoc, line }: Instruction): BuildFailure | undefined {
  if (heredoc) return failure('unsupported', `a here-document in ${keyword}`, line);
  const unknown = flags.find(([name]) => FLAGS_KNOWN[keyword]?.includes(name) === false);
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

function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

function failure(reason: NotComparable, detail: string, line?: number): BuildFailure {
  return { reason, detail, ...(line === undefined ? {} : { line }), lastLog: [] };
}
