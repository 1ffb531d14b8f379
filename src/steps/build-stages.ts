import { expandVariables, type Dockerfile, type Instruction, type Stage } from '../model/dockerfile.ts';
import type { Platform } from '../model/oci.ts';
import type { BuildFailure, BuildPlan, NotComparable } from '../model/rebuild.ts';
import type { Recipe } from './find-recipe.ts';

/**
 * The stages that are built, each with its number; undefined where the file has no such target. buildah 1.28 builds each one up to the target,
 * BuildKit those that the target needs.
 */
export function stagesFor(
  builder: BuildPlan['builder'],
  dockerfile: Dockerfile,
  recipe: Pick<Recipe, 'target' | 'buildArgs'>,
  platform: Platform,
): [number: number, Stage][] | undefined {
  const stages = stagesThrough(dockerfile, recipe.target);
  if (stages === undefined || builder === 'buildah') return stages && [...stages.entries()];
  const values = variables(dockerfile, recipe.buildArgs, platform);
  const needed = new Set<number>();
  const open = [stages.length - 1];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const stage = stages[index];
    if (stage === undefined || needed.has(index)) continue;
    needed.add(index);
    const names = [expandVariables(stage.image, values).text];
    for (const { from } of stage.instructions.flatMap(takesFrom)) {
      if (/^\d+$/.test(from) && Number(from) < index) open.push(Number(from));
      else names.push(from);
    }
    for (const name of names) open.push(stages.slice(0, index).findLastIndex((earlier) => earlier.name === name.toLowerCase()));
  }
  return [...stages.entries()].filter(([index]) => needed.has(index));
}

/** The stage that a stage is built on. */
export function parentOf(stages: readonly Stage[], index: number, values: ReadonlyMap<string, string>): number | undefined {
  const image = expandVariables(stages[index]?.image ?? '', values).text.toLowerCase();
  const parent = stages.slice(0, index).findLastIndex(({ name }) => name === image);
  return parent < 0 ? undefined : parent;
}

/** A stage and those that it is built on, one after the other: what the image is made of. */
export function lineageOf(stages: readonly Stage[], last: number, values: ReadonlyMap<string, string>): number[] {
  const lineage: number[] = [];
  for (let index: number | undefined = last; index !== undefined; index = parentOf(stages, index, values)) lineage.push(index);
  return lineage;
}

/** Every stage up to the target, needed or not. */
export function stagesThrough(dockerfile: Dockerfile, target: string | undefined): Stage[] | undefined {
  if (target === undefined) return dockerfile.stages;
  const named = dockerfile.stages.findIndex(({ name }) => name === target.toLowerCase());
  const index = named >= 0 ? named : /^\d+$/.test(target) ? Number(target) : -1;
  return index < 0 || index >= dockerfile.stages.length ? undefined : dockerfile.stages.slice(0, index + 1);
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

export function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

export function failure(reason: NotComparable, detail: string, line?: number): BuildFailure {
  return { reason, detail, ...(line === undefined ? {} : { line }), lastLog: [] };
}
