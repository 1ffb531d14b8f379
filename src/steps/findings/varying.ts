import { printable } from './rebuild.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** What our own two builds say of the build: where it varies by itself, and when there was no telling. */
export function* varying(scene: Scene): Generator<Found> {
  const { conditions: first, second } = scene.file.rebuild;
  if (second?.status === 'failed') yield found(scene, 'second-rebuild-failed', `the image was rebuilt once: ${printable(second.detail)}`);
  const paths = scene.differences.filter((one) => one.class === 'varies').map(({ path }) => path);
  if (paths.length === 0 || first === undefined || second?.status !== 'built') return;
  const { conditions: other } = second;
  const evidence = {
    started: `${first.startedAt}, then ${other.startedAt}`,
    'host name': `${first.hostName}, then ${other.hostName}`,
    processors: `${first.processors}, then ${other.processors}`,
    storage: `${first.storage}, then ${other.storage}`,
  };
  yield found(
    scene,
    'build-not-reproducible',
    `our own two rebuilds differ in ${count(paths.length, 'path')} where the published image does too`,
    {
      paths,
      evidence,
    },
  );
}
