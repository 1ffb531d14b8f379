import { isPresent, type UnverifiedReason } from '../../model/debian.ts';
import { textFromBytes } from '../../model/path.ts';
import { installedPackages } from '../installed-packages.ts';
import { count, found, type Found, type Scene } from './finding.ts';

const REASONS: ReadonlyMap<UnverifiedReason, string> = new Map([
  ['not-found', ', nor had it when the image may have been made'],
  ['snapshot-off', ', and no archive of snapshots is configured that could have had it earlier'],
  ['snapshot-unreachable', ', and the archive of snapshots that may have had it earlier could not be reached: verify again when it can'],
  ['repository-unreachable', ', and a repository of the image that may have it could not be reached or used'],
  ['repository-untrusted', ', and a repository of the image that may have it is not signed by the key that the image names for it'],
  ['snapshot-untrusted', ', and what the archive of snapshots has of then is not signed by the keys pinned for it'],
]);

/** What the image says about its packages, held against what the archive signed. */
export function* packageDatabase(scene: Scene): Generator<Found> {
  const { evidence, expectation, published } = scene.file;
  // Packages that were found by the hashes of their files stand there as well, and no database names them.
  const named = evidence.packages.filter(({ state }) => state !== 'found');
  if (!evidence.applies && named.length > 0) {
    const { ID: id = '' } = installedPackages(published.inventory, published.contents).osRelease;
    const what = `the image is of the distribution ${textFromBytes(Buffer.from(id))} and has ${count(named.length, 'package')}`;
    yield found(scene, 'archive-not-configured', `${what}; no archive of it is configured here, so no file could be held against one`);
    return;
  }
  if (!evidence.applies) {
    const instead = evidence.search === undefined ? 'no file could be held against its archive' : 'files were looked up by their hashes';
    yield found(scene, 'no-package-database', `no package database of Debian was found, so ${instead}`);
    return;
  }
  const unverified = evidence.packages.filter((one) => one.status === 'unverified-version' && isPresent(one));
  for (const reason of [undefined, ...REASONS.keys()]) {
    const alike = unverified.filter((one) => one.unverified === reason);
    if (alike.length === 0) continue;
    const message = `the archive does not have ${count(alike.length, 'installed package')} in that version`;
    yield found(scene, 'package-unverified', reason === undefined ? message : `${message}${REASONS.get(reason)}`, {
      evidence: Object.fromEntries(
        alike.slice(0, LISTED_MAX).map(({ name, architecture, version }) => [`${name}:${architecture}`, version]),
      ),
    });
  }
  for (const { path, detail } of installedPackages(published.inventory, published.contents).rejected) {
    yield found(scene, 'package-database-forged', `${path}: ${textFromBytes(Buffer.from(detail))}`, { severity: 'medium', paths: [path] });
  }
  for (const note of expectation.notes) {
    yield found(scene, 'package-database-forged', note.detail, {
      severity: note.code === 'package-file-conflict' ? 'low' : 'high',
      paths: note.paths,
      evidence: { note: note.code, ...(note.package === undefined ? {} : { package: note.package }) },
      accuses: note.code !== 'package-file-conflict' && note.paths.some((path) => isNotRebuilt(scene, path)),
    });
  }
}

const LISTED_MAX = 100; // the statement lists every package

function isNotRebuilt(scene: Scene, path: string): boolean {
  const entry = scene.file.published.entries.get(path);
  return scene.file.rebuilt !== undefined && entry !== undefined && !scene.madeByRebuild(entry);
}
