import { hasCapability, isSetId } from '../privileges.ts';
import { found, type Found, type Scene, traceOf, TRACES } from './finding.ts';

/** Setuid and setgid programs and file capabilities beyond those of verified packages. */
export function* privileges(scene: Scene): Generator<Found> {
  for (const entry of scene.file.published.inventory.entries) {
    const setId = isSetId(entry);
    const capability = hasCapability(entry);
    if (!setId && !capability) continue;
    const line = scene.account.get(entry.path);
    // A packaged program that gained a bit has its own finding, with what the package says.
    if (line === undefined || (scene.file.expectation.files.get(entry.path)?.state ?? 'missing') !== 'missing') continue;
    const trace = traceOf(line);
    if (trace === 'packages') continue;
    const details = {
      severity: trace === 'none' ? ('critical' as const) : ('high' as const),
      paths: [entry.path],
      layer: entry.layer,
      accuses: trace === 'none' && !scene.mayHaveMoved(entry),
    };
    const owner = `${entry.uid}:${entry.gid}`;
    const evidence = { mode: entry.mode.toString(8).padStart(4, '0'), owner, digest: entry.digest ?? '' };
    if (setId)
      yield found(scene, 'setuid-unexpected', `${entry.path} runs with the rights of its owner (${owner}); ${TRACES[trace]}`, {
        ...details,
        evidence,
      });
    if (capability) {
      const value = entry.xattrs?.['security.capability'] ?? '';
      yield found(scene, 'capability-unexpected', `${entry.path} carries file capabilities; ${TRACES[trace]}`, {
        ...details,
        evidence: { ...evidence, 'security.capability': value },
      });
    }
  }
}
