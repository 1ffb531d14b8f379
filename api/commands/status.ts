import { paintFor } from '../paint.ts';
import { STEP_NAMES } from '../progress-line.ts';
import { colorOf } from '../report.ts';
import { printableLine } from '../text.ts';
import { countFindings } from '../../src/steps/count-findings.ts';
import { defineCommand, EXIT, UsageError } from './command.ts';
import { clientOf, findVerification, JSON_OPTION, printJson, SERVICE } from './shared.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'Says in a few lines how a verification stands',
  operands: ['ID|IMAGE [options]'],
  options: { ...SERVICE, ...JSON_OPTION },
  about: 'Exit code: 0 it waits, runs or is done, 3 it failed, or another error.',
  async run(values, [what, ...rest]) {
    if (what === undefined || rest.length > 0) throw new UsageError('the command is: conforme status ID|IMAGE');
    const found = await findVerification(clientOf(values), what);
    const { image, verdict, problem, links } = found;
    const paint = paintFor(process.stdout, process.env);
    const answer = (auditable: string): string => paint(colorOf(auditable), printableLine(auditable));
    if (values.json === true) printJson(found);
    else {
      const reached = {
        queued: () => STEP_NAMES.queued,
        running: () => STEP_NAMES[found.step],
        done: () => `auditable ${answer(verdict?.auditable ?? 'unknown')}, ${printableLine(String(verdict?.result))}`,
        failed: () => paint('red', printableLine(`failed: ${problem?.code}: ${problem?.detail ?? problem?.title}`)),
      }[found.status]();
      const lines = [
        `${paint('bold', printableLine(image.reference))}  ${paint('dim', printableLine(found.updatedAt))}`,
        reached,
        ...(verdict === undefined ? [] : [printableLine(verdict.summary), `findings: ${countFindings(verdict.findings)}`]),
        paint('dim', printableLine(links.page)),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    }
    return found.status === 'failed' ? EXIT.error : EXIT.pass;
  },
});
