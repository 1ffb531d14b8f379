import type { DebianEvidence } from '../model/debian.ts';
import type { AskBuildinfos, Asking, AskRebuilders } from '../ports.ts';

/** Whom the operator has configured to be asked about packages. */
export type OthersPorts = { askRebuilders?: AskRebuilders; askBuildinfos?: AskBuildinfos };

/** All of them as one; who is not configured is not in the evidence. */
export function askOthers(ports: OthersPorts): Asking<Pick<DebianEvidence, 'rebuilders' | 'buildinfos'>> {
  const rebuilders = ports.askRebuilders?.();
  const buildinfos = ports.askBuildinfos?.();
  return {
    about(one) {
      rebuilders?.about(one);
      buildinfos?.about(one);
    },
    async answers() {
      const [attested, recorded] = await Promise.all([rebuilders?.answers(), buildinfos?.answers()]);
      return { ...(attested === undefined ? {} : { rebuilders: attested }), ...(recorded === undefined ? {} : { buildinfos: recorded }) };
    },
    stop() {
      rebuilders?.stop();
      buildinfos?.stop();
    },
  };
}
