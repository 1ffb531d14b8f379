import type { Entry } from '../../model/inventory.ts';
import type { AccountLine, DifferenceClass } from '../../model/verdict.ts';
import { isUnconfirmedBytecode } from '../attribute.ts';
import { isPrivileged } from '../privileges.ts';
import { isSensitive } from '../sensitive-places.ts';
import { isAlternative } from './system.ts';
import { count, digestsOf, found, type Found, packageName, type Scene } from './finding.ts';

type Group = { note: string; purl?: string; where: DifferenceClass | undefined; drifted: boolean; accuses: boolean; entries: Entry[] };

/** What is left without an account: code by what is known of it, everything else together; and code that rests on the rebuild. */
export function* unexplained(scene: Scene): Generator<Found> {
  const data: string[] = [];
  const varying: string[] = [];
  const weak: string[] = [];
  const code = new Map<string, Group>();
  const bytecode = new Map<string, Group>();
  for (const entry of scene.file.published.inventory.entries) {
    const line = scene.account.get(entry.path);
    if (line === undefined) continue;
    if (line.code && (line.attribution === 'rebuilt' || line.attribution === 'volatile')) weak.push(entry.path);
    if (line.attribution !== 'unexplained') continue;
    // A changed packaged file and a privileged program have findings of their own, with what was expected.
    const hasOwn = scene.file.expectation.files.get(entry.path)?.state === 'changed' || isPrivileged(entry);
    if (!line.code) {
      if (!hasOwn && !isSensitive(entry.path) && !(entry.kind === 'symlink' && isAlternative(entry.path)))
        (scene.classOf.get(entry.path) === 'varies' ? varying : data).push(entry.path);
    } else if (isUnconfirmedBytecode(scene.file, entry.path)) addTo(bytecode, scene, entry, line);
    else if (!hasOwn) addTo(code, scene, entry, line);
  }
  for (const { note, purl = '', accuses, entries } of bytecode.values()) {
    const details = {
      paths: entries.map(({ path }) => path),
      ...layerOf(entries),
      evidence: { ...digestsOf(entries), package: purl },
      accuses,
    };
    yield found(scene, 'bytecode-unconfirmed', `${nameOf(entries)} of ${packageName(scene, purl)}: ${note}`, details);
  }
  for (const { note, where, drifted, accuses, entries } of code.values()) {
    const severity = drifted ? ('medium' as const) : ('high' as const);
    yield found(scene, 'unexplained-code', `${nameOf(entries)}: ${note}${OWN_BUILDS[where ?? 'noise'] ?? ''}`, {
      severity,
      paths: entries.map(({ path }) => path),
      ...layerOf(entries),
      evidence: { ...digestsOf(entries), ...(where === undefined ? {} : { class: where }) },
      accuses,
    });
  }
  if (data.length > 0) {
    yield found(
      scene,
      'unexplained-file',
      `nothing accounts for ${count(data.length, 'path')} that ${data.length === 1 ? 'is' : 'are'} no code`,
      { paths: data },
    );
  }
  if (varying.length > 0) {
    yield found(
      scene,
      'unexplained-file',
      `nothing accounts for ${count(varying.length, 'path')} that ${varying.length === 1 ? 'is' : 'are'} no code${OWN_BUILDS.varies}`,
      {
        severity: 'low',
        paths: varying,
        evidence: { class: 'varies' },
      },
    );
  }
  if (weak.length > 0) {
    yield found(
      scene,
      'rebuilt-code',
      `${count(weak.length, 'program')} or other code: the rebuild makes the same, and where it comes from is not known`,
      { paths: weak },
    );
  }
}

/** What our own two builds add to the note: never an excuse, since the Dockerfile decides what varies. */
const OWN_BUILDS: Partial<Record<DifferenceClass, string>> & { varies: string } = {
  base: '; it lies below the steps of the Dockerfile, in another base than the one that the rebuild had',
  varies: '; our own two rebuilds differ there as well, so that no build can tell what belongs there',
  same: '; two rebuilds under other conditions agree on what belongs there',
};

function addTo(groups: Map<string, Group>, scene: Scene, entry: Entry, { evidence }: AccountLine): void {
  const note = evidence.note ?? 'nothing accounts for it';
  const drifted = scene.fromOtherCommit.has(entry.path);
  const where = scene.classOf.get(entry.path);
  const accuses =
    !drifted &&
    scene.file.rebuilt !== undefined &&
    !scene.madeByRebuild(entry) &&
    !scene.mayHaveMoved(entry) &&
    !(where === 'base' && restsOnToday(scene));
  const key = `${note} ${evidence.package ?? ''} ${where} ${drifted} ${accuses}`;
  const group = groups.get(key) ?? {
    note,
    where,
    drifted,
    accuses,
    entries: [],
    ...(evidence.package === undefined ? {} : { purl: evidence.package }),
  };
  group.entries.push(entry);
  groups.set(key, group);
}

/**
 * Whether the rebuild had to take today's image of a tag that has moved on: what lies below the steps is then of another base, and nobody
 * here can say what belonged there. A base that was named and is not what lies beneath is no such case.
 */
function restsOnToday({ file }: Scene): boolean {
  return file.rebuild.plan?.bases.some(({ evidence, beneath }) => evidence === 'tag' && beneath === false) === true;
}

function nameOf(entries: readonly Entry[]): string {
  return entries.length === 1 ? (entries[0]?.path ?? '') : count(entries.length, 'file');
}

function layerOf(entries: readonly Entry[]): { layer?: number } {
  const layer = entries[0]?.layer;
  return layer !== undefined && entries.every((entry) => entry.layer === layer) ? { layer } : {};
}
