import { downloads } from '../attribute-download.ts';
import { textFromBytes } from '../../model/path.ts';
import { found, type Found, type Scene } from './finding.ts';

/** Files of the image that the build fetched and that nothing in the source pins by a digest. */
export function* unverifiedDownloads(scene: Scene): Generator<Found> {
  const { unpinned } = downloads(scene.file);
  if (unpinned.size === 0) return;
  for (const line of scene.account.values()) {
    const download = line.digest === undefined || line.size === 0 ? undefined : unpinned.get(line.digest);
    if (download === undefined || (line.attribution !== 'rebuilt' && line.attribution !== 'unexplained')) continue;
    const url = textFromBytes(Buffer.from(download.url));
    yield found(scene, 'unverified-download', `${line.path} was fetched from ${url}, and nothing pins it`, {
      severity: line.code ? 'high' : 'medium',
      paths: [line.path],
      layer: line.layer,
      evidence: { url, digest: line.digest ?? '' },
    });
  }
}
