import type { PinnedBase } from '../../model/rebuild.ts';
import { found, type Found, type Scene } from './finding.ts';

const BY: Record<NonNullable<PinnedBase['evidence']>, string> = {
  digest: 'which the Dockerfile pins',
  provenance: 'which the provenance names',
  label: 'which the published image notes as its base',
  layers: 'whose layers are the lowest of the published image',
  tag: 'which the tag names today',
};

/** Base images of which nobody can say that they are those the published image was built on. */
export function* bases(scene: Scene): Generator<Found> {
  for (const { reference, manifestDigest, evidence, beneath, gone = [] } of scene.file.rebuild.plan?.bases ?? []) {
    if (evidence === undefined) continue;
    const was = gone.length === 0 ? '' : `; the registry does not have ${gone.join(', ')} any more`;
    const details = { evidence: { base: reference, manifest: manifestDigest, by: evidence } };
    if (evidence === 'tag' && beneath === undefined)
      yield found(scene, 'base-not-pinned', `nothing says which image ${reference} was; today's was used${was}`, details);
    else if (evidence === 'tag')
      yield found(
        scene,
        'base-moved',
        `the published image was built on another ${reference} than today's, which was used in its place${was}`,
        details,
      );
    else if (beneath === false)
      yield found(
        scene,
        'base-layers-differ',
        `the layers of ${reference}, ${BY[evidence]}, are not the lowest of the published image${was}`,
        details,
      );
  }
}
