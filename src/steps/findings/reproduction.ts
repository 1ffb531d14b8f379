import { count, found, type Found, type Scene } from './finding.ts';

/** Packages of which a rebuilder got something else, or nothing. Debian signed them all the same: it accuses nobody. */
export function* reproduction(scene: Scene): Generator<Found> {
  const failed = [...scene.file.reproductions.values()].filter(
    ({ holds, answers }) => !holds && answers.some(({ outcome }) => outcome === 'not-reproduced'),
  );
  if (failed.length === 0) return;
  yield found(
    scene,
    'package-not-reproduced',
    `rebuilders could not build ${count(failed.length, 'package')} again with the same bytes; Debian signed them, and this speaks against nobody`,
    {
      evidence: Object.fromEntries(
        failed.slice(0, LISTED_MAX).map(({ package: { name, architecture, version } }) => [`${name}:${architecture}`, version]),
      ),
    },
  );
}

const LISTED_MAX = 100; // the statement lists every package
