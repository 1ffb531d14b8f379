import { isHostKey } from '../rules/host-keys.ts';
import { FILE_RULES } from '../rules/index.ts';
import { ruleId } from '../rules/rule.ts';
import { sideOf } from '../case.ts';
import { count, found, type Found, type Scene } from './finding.ts';

const IDS: ReadonlySet<string> = new Set(['/etc/machine-id', '/var/lib/dbus/machine-id']);
const EMPTY_ID_BYTES = 14; // `uninitialized\n` and less is no id

/** What every build makes anew and should not be published, and what could not be compared by its bytes. */
export function* volatiles(scene: Scene): Generator<Found> {
  const notCompared: string[] = [];
  const leaked: string[] = [];
  const byId = new Map(FILE_RULES.map((rule) => [ruleId(rule), rule]));
  for (const entry of scene.file.published.inventory.entries) {
    const { path, kind, size, layer } = entry;
    if (kind === 'file' && IDS.has(path) && size > EMPTY_ID_BYTES)
      yield found(scene, 'machine-id', `${path} holds an id that every container shares`, { paths: [path], layer });
    if (kind === 'file' && isHostKey(path) && !path.endsWith('.pub')) {
      yield found(scene, 'host-key', `${path} is the same in every container`, { paths: [path], layer });
    }
    const line = scene.account.get(path);
    if (line?.attribution !== 'volatile') continue;
    const rule = byId.get(line.evidence.rule ?? '');
    if (rule === undefined) continue;
    if (rule.name === 'builder-files' && size > 0) leaked.push(path);
    const formOnly = rule.formOnly?.(sideOf(scene.file.published, entry)) === true;
    if (kind === 'file' && (formOnly || (scene.file.rebuilt === undefined && size > 0 && rule.signed !== true))) notCompared.push(path);
  }
  if (leaked.length > 0)
    yield found(scene, 'builder-file-leaked', `${count(leaked.length, 'file')} of the machine that built the image`, { paths: leaked });
  if (notCompared.length > 0) {
    yield found(scene, 'content-not-compared', `of ${count(notCompared.length, 'file')} only form and size were checked`, {
      paths: notCompared,
    });
  }
}
