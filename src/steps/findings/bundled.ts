import type { BundledCopy } from '../../model/copies.ts';
import type { Severity } from '../../model/verdict.ts';
import { count, found, type Found, type Scene } from './finding.ts';

const TOLD_MAX = 20;

/** Copies of libraries outside of Debian's packages: one finding for those that are older than Debian's own, one for the others, one for modules. */
export function* bundled(scene: Scene): Generator<Found> {
  const libraries = scene.copies.filter(({ kind }) => kind === 'library');
  const shown = libraries.filter(({ hidden }) => hidden === undefined);
  const older = shown.filter(({ debian }) => debian?.older === true);
  const others = shown.filter(({ debian }) => debian?.older !== true);
  const hidden = libraries.filter((one) => one.hidden !== undefined);
  const modules = scene.copies.filter(({ kind, hidden: covered }) => kind !== 'library' && covered === undefined);
  yield* one(scene, older, 'medium', (number) => `${number} outside of Debian's packages, older than the one that Debian's packages bring`);
  yield* one(scene, others, 'low', (number) => `${number} outside of Debian's packages`);
  yield* one(scene, hidden, 'info', (number) => `${number} in lower layers that the final image does not show`);
  yield* one(scene, modules, 'info', (number) => `${number} of other package managers`, 'module');
}

function* one(
  scene: Scene,
  copies: readonly BundledCopy[],
  severity: Severity,
  message: (number: string) => string,
  noun = 'copy',
): Generator<Found> {
  if (copies.length === 0) return;
  const number = count(copies.length, noun).replace('copys', 'copies');
  yield found(scene, 'bundled-library', message(noun === 'copy' ? `${number} of libraries` : number), {
    severity,
    paths: [...new Set(copies.map(({ path }) => path))],
    evidence: Object.fromEntries(copies.slice(0, TOLD_MAX).map((copy) => [`${copy.path} ${copy.name}`, evidenceOf(copy)])),
  });
}

/** `openssl 3.0.13, by version-string and file-name; Debian's package has 3.0.17-1~deb12u2`. */
function evidenceOf({ name, version, recognisedBy, debian, hidden }: BundledCopy): string {
  const parts = [`${name}${version === undefined ? '' : ` ${version}`}, by ${recognisedBy.join(' and ')}`];
  if (debian !== undefined) parts.push(`Debian's package has ${debian.version}`);
  if (hidden !== undefined) parts.push(`${hidden.how} by layer ${hidden.hiddenBy}`);
  return parts.join('; ');
}
