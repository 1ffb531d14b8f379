import { baseLines } from '../attribute-base.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/**
 * What the verdict on the base holds against files that are still here. A rebuild on the same base makes them again, which says
 * nothing: an image is never better than what it lies on.
 */
export function* baseVerdict(scene: Scene): Generator<Found> {
  const { base, policy } = scene.file;
  if (base === undefined) return;
  const lines = baseLines(scene.file);
  const evidence = { verdict: base.digest, base: base.image.manifestDigest };
  const said = base.verdict.findings.filter(({ severity, paths }) => severity === 'critical' && paths.some((path) => lines.has(path)));
  for (const { code, message, paths } of said) {
    yield found(scene, 'base-condemned', `the verdict on ${base.image.reference} says: ${message}`, {
      paths: paths.filter((path) => lines.has(path)),
      evidence: { ...evidence, finding: code },
    });
  }
  const unaccounted = [...lines].filter(([path, { attribution, code }]) => {
    const here = scene.account.get(path)?.attribution;
    // A package that the archive has again, or that was read since, answers for its files by itself.
    const better = here === 'debian-official' || here === 'debian-generated' || here === 'source' || here === 'download';
    return !better && (attribution === 'unexplained' || (code && policy.weakForCode.includes(attribution)));
  });
  if (unaccounted.length === 0) return;
  yield found(
    scene,
    'base-unaccounted',
    `${count(unaccounted.length, 'file')} of ${base.image.reference}: the verdict on it does not say where they come from`,
    { paths: unaccounted.map(([path]) => path), evidence, weak: true },
  );
}
