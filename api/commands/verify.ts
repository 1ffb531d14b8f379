import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../src/model/digest.ts';
import type { VerificationRequest } from '../../src/model/request.ts';
import { applyThreshold, type Threshold } from '../../src/steps/apply-threshold.ts';
import { writeSummary } from '../../src/steps/write-summary.ts';
import type { Client } from '../client.ts';
import { packContext } from '../context-tar.ts';
import { paintFor } from '../paint.ts';
import { showProgress } from '../progress-line.ts';
import { reportOf } from '../report.ts';
import type { VerificationView } from '../schemas.ts';
import { bytesText, printableLine } from '../text.ts';
import { defineCommand, EXIT, type Option, UsageError, type Values } from './command.ts';
import { verifyStack } from './stack.ts';
import { clientOf, EXIT_CODES, exitCodeOf, JSON_OPTION, printJson, say, SERVICE, THRESHOLD, thresholdOf, TOKEN } from './shared.ts';

const OPTIONS = {
  context: {
    type: 'string',
    value: 'DIR',
    files: true,
    means: 'the folder that the image was built from; all of it but .git is sent to the service',
  },
  git: { type: 'string', value: 'URL', means: 'or the repository that it was built from' },
  ref: { type: 'string', value: 'REF', means: 'of --git: branch, tag or commit' },
  subdir: { type: 'string', value: 'PATH', means: 'of --git: folder of the repository that is the build context' },
  dockerfile: { type: 'string', value: 'PATH', means: 'within the build context; Dockerfile by default' },
  target: { type: 'string', value: 'STAGE', means: 'stage that is published' },
  'build-arg': { type: 'string', value: 'K=V', multiple: true, means: 'build argument, as often as needed' },
  'as-of': {
    type: 'string',
    value: 'TIME',
    means: "state of Debian's archives to build with, 2025-06-01T12:00:00Z;\nby default that of the image",
  },
  platform: { type: 'string', value: 'OS/ARCH', means: 'which image of an index' },
  file: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    multiple: true,
    files: true,
    means: 'in place of IMAGE: every image of a Compose file or a Kubernetes manifest; more than once\nfor several files',
  },
  webhook: { type: 'string', value: 'URL', means: 'is told of the verdict as well' },
  ...THRESHOLD,
  summary: { type: 'string', value: 'FILE', files: true, means: 'adds a summary in Markdown to this file, such as $GITHUB_STEP_SUMMARY' },
  sarif: { type: 'string', value: 'FILE', files: true, means: 'writes the findings there as SARIF, for code scanning' },
  ...SERVICE,
  ...TOKEN,
  ...JSON_OPTION,
  'no-wait': { type: 'boolean', means: 'ends once the request is accepted' },
} as const satisfies Record<string, Option>;
type Given = Values<typeof OPTIONS>;
const OF_ONE_IMAGE = [
  'context',
  'git',
  'ref',
  'subdir',
  'dockerfile',
  'target',
  'build-arg',
  'as-of',
  'webhook',
  'no-wait',
] as const satisfies (keyof Given)[];

export const verify = defineCommand({
  name: 'verify',
  summary: 'Asks for a verdict on a published image, waits for it and prints it',
  operands: ['IMAGE [options]', '-f FILE [options]'],
  options: OPTIONS,
  about: EXIT_CODES,
  async run(values, [image, ...rest]) {
    const threshold = thresholdOf(values['fail-on']);
    if (values.file !== undefined && image === undefined) {
      for (const name of OF_ONE_IMAGE) if (values[name] !== undefined) throw new UsageError(`--${name} is of one image, and not of -f`);
      return verifyStack(clientOf(values), values.file, threshold, values);
    }
    if (image === undefined || rest.length > 0 || values.file !== undefined)
      throw new UsageError('the command is: conforme verify IMAGE, or conforme verify -f FILE');
    const request = requestOf(image, values);
    const client = clientOf(values);
    const source = values.context === undefined ? undefined : await sendContext(client, values.context);
    const accepted = await client.verify(source === undefined ? request : { ...request, source });
    if (values['no-wait'] === true) {
      if (values.json === true) printJson(accepted);
      else process.stdout.write(`${printableLine(accepted.id)}\n${printableLine(accepted.links.page)}\n`);
      return EXIT.pass;
    }
    say(accepted.links.page);
    const progress = showProgress(process.stderr);
    const verification = await client.wait(accepted.id, progress).finally(() => progress.end());
    if (values.json === true) printJson(verification);
    else process.stdout.write(reportOf(verification, paintFor(process.stdout, process.env)));
    const { problem } = verification;
    if (problem !== undefined) say(`${problem.code}: ${problem.detail ?? problem.title}`);
    await writeFiles(client, verification, threshold, values);
    return exitCodeOf(verification, threshold, values['allow-unknown']);
  },
});

type Asked = Omit<VerificationRequest, 'source'> & { source?: { git: string; ref?: string; subdir?: string } };

/** Throws {@link UsageError}. */
function requestOf(image: string, values: Given): Asked {
  const { git, ref, subdir, context, dockerfile, target, platform, webhook } = values;
  if (git !== undefined && context !== undefined) throw new UsageError('--context and --git exclude each other');
  if (git === undefined && (ref !== undefined || subdir !== undefined)) throw new UsageError('--ref and --subdir belong to --git');
  const pairs = (values['build-arg'] ?? []).map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--build-arg ${text} is not NAME=VALUE`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return {
    image,
    ...(platform === undefined ? {} : { platform }),
    ...(git === undefined ? {} : { source: { git, ...(ref === undefined ? {} : { ref }), ...(subdir === undefined ? {} : { subdir }) } }),
    ...(dockerfile === undefined ? {} : { dockerfile }),
    ...(target === undefined ? {} : { target }),
    ...(pairs.length === 0 ? {} : { buildArgs: Object.fromEntries(pairs) }),
    ...(values['as-of'] === undefined ? {} : { asOf: values['as-of'] }),
    ...(webhook === undefined ? {} : { webhook: { url: webhook } }),
  };
}

async function sendContext(client: Client, folder: string): Promise<{ context: Digest }> {
  const place = await mkdtemp(join(tmpdir(), 'conforme-'));
  try {
    const packed = await packContext(folder, join(place, 'context.tar.gz'));
    say(`sending ${bytesText(packed.size)} of build context`);
    return { context: await client.putContext(packed) };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function writeFiles(client: Client, verification: VerificationView, threshold: Threshold, { summary, sarif }: Given): Promise<void> {
  const { verdict, verdictDigest } = verification;
  const judged = verdict === undefined ? undefined : { threshold, outcome: applyThreshold(threshold, verdict) };
  if (summary !== undefined) await appendFile(summary, writeSummary(verification, judged));
  if (sarif !== undefined && verdictDigest !== undefined) await writeFile(sarif, await client.document(verdictDigest, 'sarif'));
}
