import { expandVariables } from '../../../model/dockerfile.ts';
import { takesFrom } from '../../build-stages.ts';
import type { DockerfileScene, Fault } from './fault.ts';

/** Images that the Dockerfile names by a tag, which is another image tomorrow: FROM, COPY --from, RUN --mount=from=. */
export function* unpinnedBases({ dockerfile, values, stages }: DockerfileScene): Generator<Fault> {
  const told = new Set<string>();
  for (const [index, stage] of dockerfile.stages.entries()) {
    if (!stages.has(index)) continue;
    const isStage = (name: string): boolean =>
      dockerfile.stages.slice(0, index).some((earlier) => earlier.name === name.toLowerCase()) ||
      (/^\d{1,4}$/.test(name) && Number(name) < index);
    const images = [{ from: stage.image, line: stage.line }, ...stage.instructions.flatMap(takesFrom)];
    for (const { from, line } of images) {
      const { text, missing } = expandVariables(from, values);
      const image = missing === undefined ? text : from;
      if (image === '' || image === 'scratch' || isStage(image) || /@sha256:[0-9a-f]{64}$/.test(image) || told.has(image)) continue;
      told.add(image);
      const name = image.slice(image.lastIndexOf('/') + 1);
      const tag = name.includes(':') ? name.slice(name.indexOf(':') + 1) : missing === undefined ? '' : undefined;
      if (tag === '' || tag === 'latest')
        yield { code: 'base-latest', line, message: `${image} is whatever is latest on the day of the build`, evidence: { image } };
      else yield { code: 'base-unpinned', line, message: `${image} is named without a digest`, evidence: { image } };
    }
  }
}
