import { FINDINGS } from '../../model/finding-codes.ts';
import type { Entry } from '../../model/inventory.ts';
import { isReplaced } from '../attribute.ts';
import { formContext, sideOf } from '../case.ts';
import { admits } from '../compare.ts';
import { rulesFor } from '../rules/index.ts';
import { type Place, placeOf } from '../sensitive-places.ts';
import { count, digestsOf, found, lessened, type Found, type Scene, type Trace, traceOf, TRACES } from './finding.ts';

type Group = { place: Place; trace: Exclude<Trace, 'packages'>; accuses: boolean; entries: Entry[] };

/** Files in places where they decide what runs, who logs in or whom the system trusts, and that no verified package brings. */
export function* places(scene: Scene): Generator<Found> {
  const groups = new Map<string, Group>();
  for (const entry of scene.file.published.inventory.entries) {
    if (entry.kind === 'directory' || entry.kind === 'character') continue;
    const place = placeOf(entry.path);
    const line = place === undefined ? undefined : scene.account.get(entry.path);
    if (place === undefined || line === undefined) continue;
    const trace = traceOf(line);
    // A rule has looked into what is `volatile`, and a packaged file that was changed has its own finding.
    if (trace === 'packages' || line.attribution === 'volatile' || hasHarmlessForm(scene, entry)) continue;
    const packaged = scene.file.expectation.files.get(entry.path);
    if (packaged?.state === 'changed' && (trace !== 'none' || isReplaced(packaged))) continue;
    const accuses = trace === 'none' && !scene.madeByRebuild(entry) && !scene.fromOtherCommit.has(entry.path) && !scene.mayHaveMoved(entry);
    const key = `${place.code} ${trace} ${accuses}`;
    const group = groups.get(key) ?? { place, trace, accuses, entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  for (const group of groups.values()) yield findingOf(scene, group);
}

/** A rule that knows the form has read the file: it decides nothing that matters. */
function hasHarmlessForm({ file }: Scene, entry: Entry): boolean {
  const context = formContext(file);
  return rulesFor(entry.path).some((rule) => admits(rule, entry) && rule.form?.(sideOf(file.published, entry), context) === true);
}

function stepsOf(scene: Scene, trace: Group['trace']): number {
  if (trace === 'none') return scene.confirmable ? 0 : 2;
  if (trace === 'source' || trace === 'base') return 2;
  return scene.file.reinstalled === undefined ? 2 : 1;
}

function findingOf(scene: Scene, { place, trace, accuses, entries }: Group): Found {
  const [first] = entries;
  const who = entries.length === 1 ? first?.path : `each of ${count(entries.length, 'file')}`;
  // With no re-installation, what maintainer scripts generate rests on the rebuild, or on nothing, and that says little.
  const steps = place.stays === true ? (trace === 'source' || trace === 'base' ? 1 : 0) : stepsOf(scene, trace);
  return found(scene, place.code, `${who} ${place.what}; ${TRACES[trace]}`, {
    severity: lessened(FINDINGS[place.code].severity, steps),
    paths: entries.map(({ path }) => path),
    ...(entries.every(({ layer }) => layer === first?.layer) && first !== undefined ? { layer: first.layer } : {}),
    evidence: digestsOf(entries),
    accuses,
    weak: trace === 'rebuilt' || trace === 'third-party',
  });
}
