import type { Entry } from '../../model/inventory.ts';
import type { Severity } from '../../model/verdict.ts';
import { formContext, sideOf } from '../case.ts';
import { admits } from '../compare.ts';
import { isCode, leadsToCode } from '../is-code.ts';
import { isDocumentation } from '../rules/dpkg-filters.ts';
import { rulesFor } from '../rules/index.ts';
import { isSensitive } from '../sensitive-places.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** What every container makes anew, what only tells of the installation, and caches that are made again when they are missed. */
const PASSING = /^\/(?:run|tmp|var\/(?:cache|log|tmp|lib\/apt\/lists))\/|\.pyc$/;

/**
 * Files that the verified packages make when they are installed, and that the image does not have: taking away the list of
 * accounts or a setting of PAM changes what a system does as much as editing it.
 */
export function* generatedFiles(scene: Scene): Generator<Found> {
  const { published, rebuilt, reinstalled, expectation } = scene.file;
  if (reinstalled === undefined) return;
  const context = formContext(scene.file);
  const mayBeAbsent = (entry: Entry): boolean =>
    rulesFor(entry.path).some(
      (rule) =>
        rule.mayBeAbsent === true &&
        admits(rule, entry) &&
        rule.form?.(sideOf(reinstalled, entry), { ...context, neighbour: (_side, path) => context.neighbour('other', path) }) === true,
    );
  const groups = new Map<Severity, string[]>();
  for (const entry of reinstalled.inventory.entries) {
    const { path, kind, target } = entry;
    if (kind === 'directory' || published.entries.has(path) || expectation.files.has(path)) continue;
    if (PASSING.test(path) || isDocumentation(path) || (target !== undefined && isDocumentation(target)) || mayBeAbsent(entry)) continue;
    const matters = isCode(path, entry) || leadsToCode(path, entry) || isSensitive(path);
    // Where the rebuild lacks it as well, the Dockerfile takes it away.
    const severity: Severity = matters && rebuilt?.entries.has(path) !== false ? 'medium' : 'info';
    const paths = groups.get(severity);
    if (paths === undefined) groups.set(severity, [path]);
    else paths.push(path);
  }
  for (const [severity, paths] of groups) {
    const message = `${count(paths.length, 'file')} that the packages make when they are installed ${paths.length === 1 ? 'is' : 'are'} not in the image`;
    yield found(scene, 'generated-file-missing', message, { severity, paths });
  }
}
