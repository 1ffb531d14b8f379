import type { Difference } from '../../model/verdict.ts';
import { describeMove } from '../package-drift.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** What explains differences: another commit, packages that moved on; and files that the published image lacks. */
export function* drifts(scene: Scene): Generator<Found> {
  const bySource = scene.differences.filter(({ cause }) => cause === 'source-drift');
  if (bySource.length > 0) {
    const commits = new Set(bySource.flatMap(({ detail }) => /commit ([0-9a-f]{7,64})$/.exec(detail ?? '')?.[1] ?? []));
    const named = commits.size === 0 ? '' : `: ${[...commits].sort().join(', ')}`;
    yield found(
      scene,
      'source-drift',
      `${count(bySource.length, 'file')} of the image ${bySource.length === 1 ? 'is' : 'are'} as in another commit of the source${named}`,
      {
        paths: bySource.map(({ path }) => path),
        evidence: Object.fromEntries(bySource.slice(0, DETAILS_MAX).map(({ path, detail }) => [path, detail ?? ''])),
      },
    );
  }
  if (scene.drift.size > 0) {
    const moves = [...scene.drift.values()].map((drift) => [drift.published.name, describeMove(drift)]);
    yield found(scene, 'package-drift', `${count(moves.length, 'package')} moved on since the image was built`, {
      evidence: Object.fromEntries(moves.slice(0, DETAILS_MAX)),
    });
  }
  const missing = scene.differences.filter(isMissing);
  if (missing.length > 0) {
    yield found(
      scene,
      'file-missing',
      `${count(missing.length, 'path')} that the rebuild makes ${missing.length === 1 ? 'is' : 'are'} not in the published image`,
      {
        paths: missing.map(({ path }) => path),
      },
    );
  }
}

const DETAILS_MAX = 50; // the differences hold every one

function isMissing({ cause, published, aspects }: Difference): boolean {
  return cause === 'unknown' && published === undefined && aspects.includes('presence');
}
