import { applyThreshold } from '../../src/steps/apply-threshold.ts';
import { writeSummary } from '../../src/steps/write-summary.ts';
import type { Client, VerdictDocument } from '../client.ts';
import { paintFor } from '../paint.ts';
import { reportOf } from '../report.ts';
import type { VerificationView } from '../schemas.ts';
import { defineCommand, EXIT, UsageError } from './command.ts';
import { clientOf, escapeJson, exitCodeOf, findVerification, say, SERVICE, THRESHOLD, thresholdOf } from './shared.ts';

const FORMATS = ['text', 'markdown', 'json', 'sarif', 'cyclonedx', 'spdx', 'statement', 'signature'] as const;
type Format = (typeof FORMATS)[number];

export const report = defineCommand({
  name: 'report',
  summary: 'Prints a verdict that is there, in the form that is asked for',
  operands: ['ID|IMAGE [options]'],
  options: {
    format: { type: 'string', value: 'FORMAT', means: 'text by default;', words: FORMATS },
    ...THRESHOLD,
    ...SERVICE,
  },
  about: 'Exit code: 0 it is printed, 3 an error; with --fail-on as conforme verify.',
  async run(values, [what, ...rest]) {
    if (what === undefined || rest.length > 0) throw new UsageError('the command is: conforme report ID|IMAGE');
    const format = FORMATS.find((one) => one === (values.format ?? 'text'));
    if (format === undefined) throw new UsageError(`--format ${values.format} is none of ${FORMATS.join(', ')}`);
    const threshold = thresholdOf(values['fail-on'], ['never']);
    const client = clientOf(values);
    const found = await findVerification(client, what);
    if (found.verdict === undefined) {
      const { problem } = found;
      say(problem === undefined ? `${found.id} has not ended yet` : `${problem.code}: ${problem.detail ?? problem.title}`);
      return EXIT.error;
    }
    const judged = values['fail-on'] === undefined ? undefined : { threshold, outcome: applyThreshold(threshold, found.verdict) };
    process.stdout.write(await written(format, client, found, judged));
    return exitCodeOf(found, threshold, values['allow-unknown']);
  },
});

async function written(
  format: Format,
  client: Client,
  verification: VerificationView,
  judged: Parameters<typeof writeSummary>[1],
): Promise<string | Buffer> {
  switch (format) {
    case 'text':
      return reportOf(verification, paintFor(process.stdout, process.env));
    case 'markdown':
      return asServed(Buffer.from(writeSummary(verification, judged)));
    case 'json':
      return `${escapeJson(JSON.stringify(verification, null, 2))}\n`;
    case 'sarif':
    case 'cyclonedx':
    case 'spdx':
    case 'statement':
    case 'signature':
      return asServed(await document(client, verification, format));
  }
}

async function document(client: Client, { verdictDigest }: VerificationView, which: VerdictDocument): Promise<Buffer> {
  if (verdictDigest === undefined) throw new UsageError('there is no verdict');
  return client.document(verdictDigest, which);
}

/** The exact bytes for a file or a pipe; on a terminal nothing that it would obey. */
const asServed = (bytes: Buffer): string | Buffer => (process.stdout.isTTY ? escapeJson(bytes.toString('utf8')) : bytes);
