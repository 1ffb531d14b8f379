import type { Entry } from '../../model/inventory.ts';
import type { AccountLine } from '../../model/verdict.ts';
import { isUnconfirmedBytecode } from '../attribute.ts';
import { isPrivileged } from '../privileges.ts';
import { isSensitive } from '../sensitive-places.ts';
import { isAlternative } from './system.ts';
import { count, digestsOf, found, type Found, packageName, type Scene } from './finding.ts';

type Group = { note: string; purl?: string; drifted: boolean; accuses: boolean; entries: Entry[] };

/** What is left without an account: code by what is known of it, everything else together; and code that rests on the rebuild. */
export function* unexplained(scene: Scene): Generator<Found> {
  const data: string[] = [];
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
      if (!hasOwn && !isSensitive(entry.path) && !(entry.kind === 'symlink' && isAlternative(entry.path))) data.push(entry.path);
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
  for (const { note, drifted, accuses, entries } of code.values()) {
    const severity = drifted ? ('medium' as const) : ('high' as const);
    yield found(scene, 'unexplained-code', `${nameOf(entries)}: ${note}`, {
      severity,
      paths: entries.map(({ path }) => path),
      ...layerOf(entries),
      evidence: digestsOf(entries),
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
  if (weak.length > 0) {
    yield found(
      scene,
      'rebuilt-code',
      `${count(weak.length, 'program')} or other code: the rebuild makes the same, and where it comes from is not known`,
      { paths: weak },
    );
  }
}

function addTo(groups: Map<string, Group>, scene: Scene, entry: Entry, { evidence }: AccountLine): void {
  const note = evidence.note ?? 'nothing accounts for it';
  const drifted = scene.fromOtherCommit.has(entry.path);
  const accuses = !drifted && scene.file.rebuilt !== undefined && !scene.madeByRebuild(entry) && !scene.mayHaveMoved(entry);
  const key = `${note} ${evidence.package ?? ''} ${drifted} ${accuses}`;
  const group = groups.get(key) ?? {
    note,
    drifted,
    accuses,
    entries: [],
    ...(evidence.package === undefined ? {} : { purl: evidence.package }),
  };
  group.entries.push(entry);
  groups.set(key, group);
}

function nameOf(entries: readonly Entry[]): string {
  return entries.length === 1 ? (entries[0]?.path ?? '') : count(entries.length, 'file');
}

function layerOf(entries: readonly Entry[]): { layer?: number } {
  const layer = entries[0]?.layer;
  return layer !== undefined && entries.every((entry) => entry.layer === layer) ? { layer } : {};
}
