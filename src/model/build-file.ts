import { expandVariables, parseDockerfile, type Instruction } from './dockerfile.ts';
import type { BuildPlan, PinnedBase } from './rebuild.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';

/** What the builder itself has to know of a Dockerfile; what it means is decided elsewhere. */
export type BuildFile = {
  /** The texts under which the file asks for images from outside, exactly as written, each with the base that is meant. */
  images: Map<string, PinnedBase>;
  /** The instruction that a builder's messages call `text`, or that begins on a line. */
  find(step: string | number): { line: number; text: string; wantsSecret: boolean } | undefined;
};

export function readBuildFile(text: string, plan: BuildPlan): BuildFile {
  const parsed = parseDockerfile(text);
  if (!parsed.ok) return { images: new Map(), find: () => undefined };
  const { args, stages } = parsed.dockerfile;
  const { os, architecture, variant = '' } = plan.platform;
  const platform = [os, architecture, variant].filter((part) => part !== '').join('/');
  const values = new Map<string, string>();
  for (const side of ['TARGET', 'BUILD']) {
    for (const [name, value] of Object.entries({ PLATFORM: platform, OS: os, ARCH: architecture, VARIANT: variant }))
      values.set(side + name, value);
  }
  const given = new Map(Object.entries(plan.buildArgs));
  for (const { name, value = '' } of args) values.set(name, given.get(name) ?? expandVariables(value, values).text);

  const images = new Map<string, PinnedBase>();
  const instructions = stages.flatMap((stage) => stage.instructions);
  for (const name of [...stages.map(({ image }) => image), ...instructions.flatMap(takenFrom)]) {
    const meant = expandVariables(name, values).text;
    const base = plan.bases.find(({ reference }) => reference === meant) ?? plan.bases.find(({ reference }) => sameImage(reference, meant));
    if (base !== undefined) images.set(name, base);
  }
  return {
    images,
    find(step) {
      const found = instructions.find(({ text, line }) => (typeof step === 'number' ? line === step : squeeze(text) === squeeze(step)));
      return (
        found && {
          line: found.line,
          text: found.text,
          wantsSecret: found.flags.some(([flag, value]) => flag === 'mount' && /type=(secret|ssh)\b/.test(value)),
        }
      );
    },
  };
}

function sameImage(a: string, b: string): boolean {
  const whole = (reference: Reference): string => formatReference(reference);
  try {
    return whole(parseReference(a)) === whole(parseReference(b));
  } catch {
    return false; // the name of a stage may be no reference at all
  }
}

function takenFrom({ flags }: Instruction): string[] {
  return flags.flatMap(([name, value]) => {
    if (name === 'from') return [value];
    const mounted = name === 'mount' ? /(?:^|,)from=([^,]+)/.exec(value)?.[1] : undefined;
    return mounted === undefined ? [] : [mounted];
  });
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim().toLowerCase();
}
