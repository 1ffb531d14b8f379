import { count, found, type Found, packageName, type Scene } from './finding.ts';

/** Packages that no database names and whose files are there all the same; and what a limit kept from being looked up. */
export function* foundPackages(scene: Scene): Generator<Found> {
  const { evidence, verified } = scene.file;
  const { search } = evidence;
  if (search === undefined) return;
  const files = new Map<string, string[]>();
  for (const [path, { expected, aspects }] of scene.file.found) {
    if (aspects.length > 0 || expected.kind === 'directory') continue;
    files.set(expected.package, [...(files.get(expected.package) ?? []), path]);
  }
  if (files.size === 0 && search.skipped === 0 && search.unread.length === 0) return;
  const paths = [...files.values()].flat().sort();
  const left = search.skipped === 0 ? '' : `; ${count(search.skipped, 'file')} more not looked up: ${search.reason ?? ''}`;
  const unread = search.unread.length === 0 ? '' : `; the mirror does not have ${search.unread.join(', ')} as signed`;
  const counts = [...files].map(([purl, list]) => [packageName(scene, purl), count(list.length, 'file')]);
  yield found(
    scene,
    'package-found-by-hash',
    `${count(paths.length, 'file')} of ${count(files.size, 'package')} of Debian that no package database names${left}${unread}`,
    {
      // Beside a database it is somebody's choice not to name them there.
      severity: [...verified.values()].some(({ state }) => state !== 'found') ? 'low' : 'info',
      paths,
      evidence: Object.fromEntries(counts.slice(0, LISTED_MAX)),
    },
  );
}

const LISTED_MAX = 100; // the statement lists every package
