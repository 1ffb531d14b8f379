import type { Severity } from '../../model/verdict.ts';
import { isCode } from '../is-code.ts';
import { isWorldWritable } from '../privileges.ts';
import { standardDevices } from '../rules/standard-devices.ts';
import { ruleContext, sideOf } from '../case.ts';
import { found, lessened, type Found, type Scene, traceOf, TRACES } from './finding.ts';

/** Folders that hold what others run or trust. */
const SYSTEM_FOLDER = /^\/(?:$|(?:usr|etc|bin|sbin|lib|lib32|lib64|boot|root|opt)(?:\/|$)|var\/(?:lib\/dpkg|spool\/cron)(?:\/|$))/;

/** update-alternatives(1): the links that decide which program a name means. */
export function isAlternative(path: string): boolean {
  return path.startsWith('/etc/alternatives/');
}

/** Device files, alternatives that lead out of the packages, and what anyone may change. */
export function* system(scene: Scene): Generator<Found> {
  const { published, expectation } = scene.file;
  const context = ruleContext(published, undefined);
  // In a merged /usr the old name of a program is an alias: usrmerge(5).
  const isPackaged = (path: string): boolean => [path, `/usr${path}`].some((one) => expectation.files.get(one)?.state === 'equal');
  for (const entry of published.inventory.entries) {
    const { path, kind, layer } = entry;
    const line = scene.account.get(path);
    if (line === undefined) continue;
    const trace = traceOf(line);
    if (trace === 'packages') continue;
    const details = (severity: Severity, accuses: boolean) =>
      ({
        severity: lessened(severity, trace === 'none' ? (scene.confirmable ? 0 : 2) : trace === 'source' || trace === 'base' ? 2 : 1),
        paths: [path],
        layer,
        accuses: accuses && trace === 'none' && !scene.madeByRebuild(entry) && !scene.mayHaveMoved(entry),
      }) as const;
    if ((kind === 'character' || kind === 'block') && standardDevices.form?.(sideOf(published, entry), context) !== true) {
      const device = `${entry.device?.major ?? '?'}:${entry.device?.minor ?? '?'}`;
      yield found(scene, 'device-unexpected', `${path} is a ${kind} device ${device}; ${TRACES[trace]}`, {
        ...details('high', true),
        evidence: { device },
      });
    }
    if (
      isWorldWritable(entry) &&
      expectation.files.get(path)?.state !== 'changed' &&
      (isCode(path, entry) || (kind === 'directory' && SYSTEM_FOLDER.test(path)) || path.startsWith('/etc/'))
    ) {
      yield found(scene, 'world-writable', `${path} may be changed by anyone; ${TRACES[trace]}`, {
        ...details('high', true),
        evidence: { mode: entry.mode.toString(8).padStart(4, '0') },
      });
    }
    if (kind === 'symlink' && isAlternative(path) && entry.target !== undefined) {
      const inside = isPackaged(entry.target);
      yield found(scene, inside ? 'alternative-changed' : 'alternative-unpackaged', `${path} leads to ${entry.target}; ${TRACES[trace]}`, {
        ...details(inside ? 'medium' : 'high', true),
        evidence: { target: entry.target },
      });
    }
  }
}
